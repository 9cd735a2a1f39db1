import { join } from "@std/path";
import type { ImageStore, Model } from "../model/mod.ts";
import { questionPrefix, type Tokenizer } from "../text/mod.ts";
import { type AnswerMap, answerMaps, readMask } from "./answer_maps.ts";
import { captureAnswer, type CaptureOptions } from "./capture.ts";
import { type AttentionShares, attentionShares, predictingRow } from "./directions.ts";
import type { LocalisationExample } from "./localisation.ts";
import { rawAttention } from "./matrices.ts";

/** A question about an image whose lesion is known. */
export interface LesionQuestion {
  id: string;
  imageId: string;
  imagePath: string;
  /** Picture of the lesion, bright where it is. */
  maskPath: string;
  question: string;
  choices: readonly string[] | null;
  answer: string;
  questionType: string | null;
}

/** What a model said to it, and where it looked. */
export interface StudiedQuestion extends LesionQuestion {
  said: string;
  right: boolean;
  /** Of the query that predicts the answer's first token, mean over heads and layers. */
  shares: AttentionShares;
  maps: Record<AnswerMap, Float32Array>;
  mask: Uint8Array;
  maskRows: number;
  maskColumns: number;
}

/** What of a question-answer pair is asked. */
type Asked = Omit<LesionQuestion, "maskPath">;

/**
 * Questions about images whose lesion is known, the first `count` of every type, one type after the other.
 *
 * @param truth what is known of an image, by its path; `maskFile` lies in `folder`, null without a lesion
 */
export function lesionQuestions(
  pairs: readonly Asked[],
  truth: ReadonlyMap<string, { maskFile: string | null }>,
  folder: string,
  types: readonly string[],
  count: number,
): LesionQuestion[] {
  const known = pairs.flatMap((pair): LesionQuestion[] => {
    const mask = truth.get(pair.imagePath)?.maskFile;
    return mask ? [{ ...pair, maskPath: join(folder, mask) }] : [];
  });
  return types.flatMap((type) => known.filter((pair) => pair.questionType === type).slice(0, count));
}

/**
 * Asks every question greedily and keeps the maps.
 *
 * @throws the signal's reason, once it is aborted
 */
export async function studyLesions(
  model: Model,
  tokenizer: Tokenizer,
  store: ImageStore,
  questions: readonly LesionQuestion[],
  options: CaptureOptions & {
    onProgress?: (done: number, total: number) => void | Promise<void>;
  } = {},
): Promise<StudiedQuestion[]> {
  const studied: StudiedQuestion[] = [];
  for (const question of questions) {
    const prompt = { imagePath: question.imagePath, prefix: questionPrefix(question) };
    const captured = await captureAnswer(model, tokenizer, store, prompt, options);
    const { layout, attentions, text } = captured;
    const { mask, rows: maskRows, columns: maskColumns } = await readMask(question.maskPath);
    studied.push({
      ...question,
      said: text,
      right: text === question.answer,
      shares: attentionShares(rawAttention(attentions), predictingRow(layout.response[0]), layout),
      maps: answerMaps(captured),
      mask,
      maskRows,
      maskColumns,
    });
    await options.onProgress?.(studied.length, questions.length);
  }
  return studied;
}

/** Studied questions as `localisationTable` takes them. */
export function lesionExamples(studied: readonly StudiedQuestion[], map: AnswerMap): LocalisationExample[] {
  return studied.map(({ imageId, maps, mask, maskRows, maskColumns }) => {
    const side = Math.sqrt(maps[map].length);
    return { imageId, map: maps[map], rows: side, columns: side, mask, maskRows, maskColumns };
  });
}
