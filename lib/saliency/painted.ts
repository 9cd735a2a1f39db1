import { type Config, sha256 } from "../config/mod.ts";
import {
  answerPrompts,
  imageState,
  type ImageStore,
  keptResult,
  type Model,
  weightsName,
} from "../model/mod.ts";
import { clusteredShare, type Interval } from "../stats/mod.ts";
import type { Group } from "../tensor/mod.ts";
import { questionPrefix, type Tokenizer } from "../text/mod.ts";
import type { StudiedQuestion } from "./lesion_study.ts";

/** Pixels around a region whose mean colour it is painted with. */
const RING = 4;

/**
 * An image with a region painted over, in the mean colour of the pixels around it.
 *
 * @param data `[side * side * 3]`; `region` `[side * side]`, non-zero where it is painted
 */
export function paintOver(data: Uint8Array, region: Uint8Array, side: number): Uint8Array {
  const near = new Uint8Array(side * side), out = data.slice(), sums = [0, 0, 0];
  for (let i = 0; i < region.length; i++) {
    if (!region[i]) continue;
    const [row, column] = [Math.floor(i / side), i % side];
    for (let y = Math.max(0, row - RING); y <= Math.min(side - 1, row + RING); y++) {
      near.fill(1, y * side + Math.max(0, column - RING), y * side + Math.min(side, column + RING + 1));
    }
  }
  let around = 0;
  near.forEach((isNear, i) => {
    if (!isNear || region[i]) return;
    around++;
    sums.forEach((_, c) => sums[c] += data[3 * i + c]);
  });
  const colour = sums.map((sum) => Math.round(sum / Math.max(1, around)));
  region.forEach((inside, i) => inside && out.set(colour, 3 * i));
  return out;
}

/** The region mirrored left to right, without what lies on the region itself. */
export function mirrored(region: Uint8Array, side: number): Uint8Array {
  return region.map((inside, i) => {
    const row = Math.floor(i / side), other = row * side + (side - 1 - i % side);
    return Number(region[other] > 0 && inside === 0);
  });
}

/** How many answers change when something is painted over. */
export interface PaintedChange {
  /** Type of question, or "all". */
  question: string;
  /** Questions asked. */
  questions: number;
  /** When the lesion is painted over. */
  lesion: Interval;
  /** When the lesion's mirror image is, which is smaller where it would lie on the lesion itself. */
  elsewhere: Interval;
}

/**
 * Shares of greedy answers that change when the lesion is painted over, which they ought to if they rest on it, and when its
 * mirror image is; 95 % intervals of the images.
 *
 * @param options.keep keep the answers, and use those that are kept of the same weights to the same questions
 * @param options.group processes that share the questions
 * @throws the signal's reason, once it is aborted; when a mask is not of the size of the images that the model sees
 */
export async function paintedChanges(
  model: Model,
  tokenizer: Tokenizer,
  store: ImageStore,
  studied: readonly StudiedQuestion[],
  types: readonly string[],
  config: Config,
  { keep, signal, group }: { keep?: boolean; signal?: AbortSignal; group?: Group } = {},
): Promise<PaintedChange[]> {
  if (studied.length === 0) return [];
  const side = store.size, masks = new Map(studied.map(({ imagePath, mask }) => [imagePath, mask]));
  for (const { mask, maskRows, maskColumns } of studied) {
    if (maskRows === side && maskColumns === side && mask.length === side * side) continue;
    throw new RangeError(`Expected masks of ${side} x ${side} pixels; found ${maskRows} x ${maskColumns}.`);
  }
  const prompts = studied.map((question) => ({
    imagePath: question.imagePath,
    prefix: questionPrefix(question),
  }));
  const { maxNewTokens, batchSize } = config.evaluation, { compiler } = config.model;
  const settings = { maxNewTokens, batchSize, compiler };
  const named = keep ? { model, tokenizer, store, weights: weightsName(model) } : undefined;
  const state = studied.map(({ imagePath, mask }) => [imageState(imagePath), sha256(mask)]);
  const said = async (from: ImageStore, painted: string) => {
    const make = () => answerPrompts(model, tokenizer, from, prompts, { ...settings, signal, group });
    const key = [painted, settings, prompts, state];
    const answers = await (named ? keptResult("saliency", "painted", named, key, make, group) : make());
    return answers.map(([{ text }]) => text);
  };
  const plain = await said(store, "nothing"); // in the same batches, so that rounding changes no answer by itself
  const changed = async (painted: string, regionOf: (mask: Uint8Array) => Uint8Array) => {
    const get = async (path: string) => paintOver(await store.get(path), regionOf(masks.get(path)!), side);
    return (await said({ ...store, get }, painted)).map((text, i) => Number(text !== plain[i]));
  };
  const lesion = await changed("lesion", (mask) => mask);
  const elsewhere = await changed("its mirror image", (mask) => mirrored(mask, side));
  return [...types, "all"].flatMap((question) => {
    const own = [...studied.keys()].filter((i) => question === "all" || studied[i].questionType === question);
    if (own.length === 0) return [];
    const share = (values: number[]): Interval => {
      const { estimate, low, high } = clusteredShare(
        own.map((i) => values[i]),
        own.map((i) => studied[i].imageId),
      );
      return { estimate, low, high };
    };
    return [{ question, questions: own.length, lesion: share(lesion), elsewhere: share(elsewhere) }];
  });
}
