import { join } from "@std/path";
import type { ImageStore, Model } from "../model/mod.ts";
import { questionPrefix, type Tokenizer } from "../text/mod.ts";
import { type AnswerMap, answerMaps, gradientMap, readMask, rolloutMap } from "./answer_maps.ts";
import { type Baseline, contrastMap, mapsOfOthers, shuffledDecoder } from "./baselines.ts";
import { captureAnswer, type CaptureOptions } from "./capture.ts";
import { type AttentionShares, attentionShares, predictingRow } from "./directions.ts";
import type { LocalisationExample } from "./localisation.ts";
import { throughTower, towerRollout } from "./tower.ts";

/** A map of the answer, or a baseline. */
export type StudyMap = AnswerMap | Baseline;
type StudyMaps = Record<Exclude<StudyMap, keyof ReturnType<typeof mapsOfOthers>[number]>, Float32Array>;

/** A question about an image whose lesion is known. */
export interface LesionQuestion {
  /** Id of the question. */
  id: string;
  /** Id of its image. */
  imageId: string;
  /** Path of the image. */
  imagePath: string;
  /** Picture of the lesion, bright where it is. */
  maskPath: string;
  /** What is asked. */
  question: string;
  /** The options; null without. */
  choices: readonly string[] | null;
  /** The right answer. */
  answer: string;
  /** What is asked about; null where it is not known. */
  questionType: string | null;
}

/** What a model said to it, and where it looked. */
export interface StudiedQuestion extends LesionQuestion {
  /** What the model answered. */
  said: string;
  /** Its tokens, without eos. */
  answerIds: number[];
  /** Whether that is right. */
  right: boolean;
  /** Of the query that predicts the answer's first token, mean over heads and layers. */
  shares: AttentionShares;
  /** Maps of the answer, `[rows * columns]` each. */
  maps: Record<StudyMap, Float32Array>;
  /** `[maskRows * maskColumns]`, non-zero on the lesion. */
  mask: Uint8Array;
  /** Pixels of the mask from top to bottom. */
  maskRows: number;
  /** Pixels of the mask from left to right. */
  maskColumns: number;
}

/**
 * Questions about images whose lesion is known, the first `count` of every type, one type after the other.
 *
 * @param truth what is known of an image, by its path; `maskFile` lies in `folder`, null without a lesion
 */
export function lesionQuestions(
  pairs: readonly Omit<LesionQuestion, "maskPath">[],
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

/** How questions are studied. */
export interface StudyOptions extends CaptureOptions {
  /** A question in which the lesion has no part: its map is a baseline. */
  unrelated: string;
  /** Of the shuffled weights. */
  seed: number;
  /** Called after every question. */
  onProgress?: (done: number, total: number) => void | Promise<void>;
}

/**
 * Asks every question greedily and keeps the maps, and those of the baselines.
 *
 * @throws the signal's reason, once it is aborted
 */
export async function studyLesions(
  model: Model,
  tokenizer: Tokenizer,
  store: ImageStore,
  questions: readonly LesionQuestion[],
  options: StudyOptions,
): Promise<StudiedQuestion[]> {
  if (questions.length === 0) return [];
  const side = Math.sqrt(model.config.imageTokens), shuffled = shuffledDecoder(model, options.seed);
  const capture = (model: Model, imagePath: string, prefix: string, own: CaptureOptions = {}) =>
    captureAnswer(model, tokenizer, store, { imagePath, prefix }, { ...options, ...own });
  const unrelated = new Map<string, Float32Array>(),
    towers = new Map<string, Float32Array>(),
    unrelatedPrefix = questionPrefix({ question: options.unrelated });
  const studied: Omit<StudiedQuestion, "maps">[] = [], maps: StudyMaps[] = [];
  try {
    for (const question of questions) {
      const { imagePath } = question, prefix = questionPrefix(question);
      const captured = await capture(model, imagePath, prefix, { gradients: true });
      const { layout, raw, text, answerIds } = captured;
      if (!unrelated.has(imagePath)) {
        towers.set(imagePath, await towerRollout(model, store, imagePath));
        unrelated.set(imagePath, rolloutMap(await capture(model, imagePath, unrelatedPrefix)));
      }
      const own = answerMaps(captured);
      maps.push({
        ...own,
        "rollout through the tower": throughTower(own.rollout, towers.get(imagePath)!),
        "gradient × attention": gradientMap(captured),
        "local contrast": await contrastMap(store, imagePath, side, side),
        "another question": unrelated.get(imagePath)!,
        "shuffled weights": rolloutMap(await capture(shuffled.model, imagePath, prefix, { answerIds })),
      });
      const { mask, rows: maskRows, columns: maskColumns } = await readMask(question.maskPath);
      studied.push({
        ...question,
        said: text,
        answerIds,
        right: text === question.answer,
        shares: attentionShares(raw, predictingRow(layout.response[0]), layout),
        mask,
        maskRows,
        maskColumns,
      });
      await options.onProgress?.(studied.length, questions.length);
    }
  } finally {
    shuffled.dispose();
  }
  const others = mapsOfOthers(studied.map((one, i) => ({ ...one, rollout: maps[i].rollout })), side);
  return studied.map((one, i) => ({ ...one, maps: { ...maps[i], ...others[i] } }));
}

/** Studied questions with one kind of map. */
export function lesionExamples(studied: readonly StudiedQuestion[], map: StudyMap): LocalisationExample[] {
  return studied.map(({ imageId, maps, mask, maskRows, maskColumns }) => {
    const side = Math.sqrt(maps[map].length);
    return { imageId, map: maps[map], rows: side, columns: side, mask, maskRows, maskColumns };
  });
}
