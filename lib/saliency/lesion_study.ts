import { join } from "@std/path";
import { truthOf } from "../corpus/mod.ts";
import { imageState, type ImageStore, keptItems, type Model, weightsName } from "../model/mod.ts";
import type { Group } from "../tensor/mod.ts";
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

/** What notebook 07 asks whom. */
export const LESION_STUDY = {
  /** The cell of the grid whose model it is. */
  cell: "roco_medpix__with",
  /** Types of questions. */
  types: ["type", "organ", "side"],
  /** Questions of each type at most. */
  perType: 60,
  /** A question in which the lesion has no part. */
  unrelated: "what modality is this image?",
  /** Images at most of which curves are made. */
  curves: 24,
} as const;

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
 * @throws as `truthOf`
 */
export function lesionQuestions(
  pairs: readonly (Omit<LesionQuestion, "maskPath"> & { dataset: string })[],
  truth: ReadonlyMap<string, { maskFile: string | null }>,
  folder: string,
  types: readonly string[],
  count: number,
): LesionQuestion[] {
  const known = pairs.flatMap((pair): LesionQuestion[] => {
    const mask = truthOf(truth, pair)?.maskFile;
    return mask ? [{ ...pair, maskPath: join(folder, mask) }] : [];
  });
  return types.flatMap((type) => known.filter((pair) => pair.questionType === type).slice(0, count));
}

/** How questions are studied. */
export interface StudyOptions extends Pick<CaptureOptions, "maxNewTokens" | "signal"> {
  /** A question in which the lesion has no part: its map is a baseline. */
  unrelated: string;
  /** Of the shuffled weights. */
  seed: number;
  /** Keep what was found, and use what is kept for the same weights and questions. */
  keep?: boolean;
  /** Processes that share the images; all get all that was found. */
  group?: Group;
  /** Called after every question, and after those that were shared or kept. */
  onProgress?: (done: number, total: number) => void | Promise<void>;
}

/** What is found of one question before other images are known. */
interface Found extends Pick<StudiedQuestion, "said" | "answerIds" | "right" | "shares"> {
  /** Each number a float32, which JSON gives back bit for bit. */
  maps: Record<keyof StudyMaps, number[]>;
}

const each = <K extends string, A, B>(record: Record<K, A>, f: (value: A) => B): Record<K, B> =>
  Object.fromEntries(Object.entries<A>(record).map(([name, value]) => [name, f(value)])) as Record<K, B>;

/** Images whose questions are kept together. */
const TOGETHER = 16;

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
  { keep, group, onProgress, ...options }: StudyOptions,
): Promise<StudiedQuestion[]> {
  const side = Math.sqrt(model.config.imageTokens),
    unrelated = questionPrefix({ question: options.unrelated });
  const named = keep ? { model, tokenizer, store, weights: weightsName(model) } : undefined;
  const { signal: _signal, ...settings } = options;
  const capture = (model: Model, imagePath: string, prefix: string, own: CaptureOptions = {}) =>
    captureAnswer(model, tokenizer, store, { imagePath, prefix }, { ...options, ...own });
  let shuffled: ReturnType<typeof shuffledDecoder> | undefined, done = 0;
  async function studyImage(about: readonly LesionQuestion[]): Promise<Found[]> {
    const { imagePath } = about[0], found: Found[] = [];
    shuffled ??= shuffledDecoder(model, options.seed);
    const tower = await towerRollout(model, store, imagePath);
    const anotherQuestion = rolloutMap(await capture(model, imagePath, unrelated));
    for (const question of about) {
      const prefix = questionPrefix(question);
      const captured = await capture(model, imagePath, prefix, { gradients: true });
      const { layout, raw, text, answerIds } = captured, own = answerMaps(captured);
      const maps: StudyMaps = {
        ...own,
        "rollout through the tower": throughTower(own.rollout, tower),
        "gradient × attention": gradientMap(captured),
        "local contrast": await contrastMap(store, imagePath, side, side),
        "another question": anotherQuestion,
        "shuffled weights": rolloutMap(await capture(shuffled.model, imagePath, prefix, { answerIds })),
      };
      found.push({
        said: text,
        answerIds,
        right: text === question.answer,
        shares: attentionShares(raw, predictingRow(layout.response[0]), layout),
        maps: each(maps, (map) => Array.from(map)),
      });
      await onProgress?.(++done, questions.length);
    }
    return found;
  }
  const images = [...Map.groupBy(questions, ({ imagePath }) => imagePath).values()];
  try {
    const all = await keptItems(
      { room: "saliency", kind: "maps", together: TOGETHER, named, group },
      images,
      (some) => [settings, some.flat().map((question) => [question, imageState(question.imagePath)])],
      (own) => Array.fromAsync(own, studyImage),
    );
    if (questions.length > 0) await onProgress?.(questions.length, questions.length);
    const foundOf = new Map(images.flatMap((about, i) => about.map((question, j) => [question, all[i][j]])));
    const maps = questions.map((question) =>
      each(foundOf.get(question)!.maps, (map) => Float32Array.from(map))
    );
    const others = mapsOfOthers(questions.map((one, i) => ({ ...one, rollout: maps[i].rollout })), side);
    return await Promise.all(questions.map(async (question, i): Promise<StudiedQuestion> => {
      const { mask, rows: maskRows, columns: maskColumns } = await readMask(question.maskPath);
      const own = { ...maps[i], ...others[i] };
      return { ...question, ...foundOf.get(question)!, maps: own, mask, maskRows, maskColumns };
    }));
  } finally {
    shuffled?.dispose();
  }
}

/** Studied questions with one kind of map. */
export function lesionExamples(studied: readonly StudiedQuestion[], map: StudyMap): LocalisationExample[] {
  return studied.map(({ imageId, maps, mask, maskRows, maskColumns }) => {
    const side = Math.sqrt(maps[map].length);
    return { imageId, map: maps[map], rows: side, columns: side, mask, maskRows, maskColumns };
  });
}
