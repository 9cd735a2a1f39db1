import { sha256 } from "../config/mod.ts";
import { writePixelValues } from "../image/mod.ts";
import { checkpoint } from "../jupyter/mod.ts";
import {
  forward,
  imageState,
  type ImageStore,
  keptItems,
  labelRows,
  type Model,
  modelInputs,
  tokenLosses,
  weightsName,
} from "../model/mod.ts";
import { clusteredMean, type Interval, mean } from "../stats/mod.ts";
import { type Group, tf, tidy } from "../tensor/mod.ts";
import { padBatch, questionPrefix, type Tokenizer, type TokenSequence } from "../text/mod.ts";
import { answerSequence } from "./capture.ts";
import type { StudiedQuestion } from "./lesion_study.ts";
import { areaUnder, type Perturbation, shownPatches, showPatches, strongestFirst } from "./perturbation.ts";

/** Maps of the answer in whose order patches are changed, and orders in which the answer has no part. */
const METHODS = ["rollout", "raw attention", "gradient × attention"] as const;
const OTHERS = ["random", "rollout, diagonal", "local contrast"] as const;
/** All orders in which patches are changed. */
export const PATCH_ORDERS = [...METHODS, ...OTHERS] as const;
/** One of {@linkcode PATCH_ORDERS}. */
export type PatchOrder = typeof PATCH_ORDERS[number];

/** How an answer's log-probability changes with the patches that are shown. */
export interface PatchCurve {
  /** Of the question. */
  id: string;
  /** Id of the image. */
  imageId: string;
  /** Order in which its patches were changed. */
  order: PatchOrder;
  /** Whether they were removed or put back. */
  kind: Perturbation;
  /** Log-probability of the answer, in nats, after each step, the start first. */
  scores: number[];
}

/** Questions whose curves are kept together. */
const TOGETHER = 16;

/** How curves are made. */
export interface PatchCurveOptions {
  /** Images at most, with all their questions. */
  images: number;
  /** Times that patches are changed until all are. Default 8. */
  steps?: number;
  /** Pictures in one forward pass. */
  batchSize: number;
  /** Of the random order, and of equally strong patches. */
  seed: number;
  /** Keep the curves, and use those that are kept of the same weights, answers and maps. */
  keep?: boolean;
  /** Processes that share the questions; all get all curves. */
  group?: Group;
  /** Called after every question, and after those that were shared or kept. */
  onProgress?: (done: number, total: number) => void | Promise<void>;
  /** Ends the work between two questions. */
  signal?: AbortSignal;
}

/**
 * Deletion and insertion curves of the first images' answers, in every order: strongest patches of a map first. What is not
 * shown is in the picture's mean colour. A picture that several curves have is scored once.
 *
 * @throws the signal's reason, once it is aborted
 * Source: V. Petsiuk, A. Das, K. Saenko, RISE, BMVC 2018 (there with probabilities of a class).
 */
export async function patchCurves(
  model: Model,
  tokenizer: Tokenizer,
  store: ImageStore,
  studied: readonly StudiedQuestion[],
  options: PatchCurveOptions,
): Promise<PatchCurve[]> {
  const { images, steps = 8, batchSize, seed, keep, group, onProgress } = options;
  const first = new Set([...new Set(studied.map(({ imageId }) => imageId))].slice(0, images));
  const chosen = studied.filter(({ imageId }) => first.has(imageId));
  let done = 0;
  async function curvesOf(question: StudiedQuestion): Promise<PatchCurve[]> {
    const { id, imageId, imagePath, maps, answerIds } = question;
    const data = await store.get(imagePath), pictures = new Map<string, Uint8Array>();
    const drawn = PATCH_ORDERS.flatMap((order) =>
      (["deletion", "insertion"] as const).map((kind) => {
        const shown = shownPatches(kind, strongestFirst(maps[order], `${seed}/${id}`), steps);
        for (const patches of shown) pictures.set(patches.join(""), patches);
        return { order, kind, shown: shown.map((patches) => patches.join("")) };
      })
    );
    const sequence = answerSequence(tokenizer, model.config, questionPrefix(question), answerIds);
    const each = [...pictures.values()];
    const scores = await answerLogprobs(model, sequence, each.length, options, (i, pixels, at) => {
      writePixelValues(showPatches(data, each[i], store.size), pixels, at);
    });
    const scoreOf = new Map([...pictures.keys()].map((key, i) => [key, scores[i]]));
    await onProgress?.(++done, chosen.length);
    return drawn.map(({ shown, ...curve }) => (
      { id, imageId, ...curve, scores: shown.map((key) => scoreOf.get(key)!) }
    ));
  }
  const named = keep ? { model, tokenizer, store, weights: weightsName(model) } : undefined;
  const found = await keptItems(
    { room: "saliency", kind: "curves", together: TOGETHER, named, group },
    chosen,
    (some) => [
      { steps, batchSize, seed },
      some.map(({ id, imageId, imagePath, answerIds, maps, ...question }) => [
        ...[id, imageId, imagePath, imageState(imagePath), questionPrefix(question), answerIds],
        ...PATCH_ORDERS.map((order) => sha256(new Uint8Array(maps[order].slice().buffer))),
      ]),
    ],
    (own) => Array.fromAsync(own, curvesOf),
  );
  if (chosen.length > 0) await onProgress?.(chosen.length, chosen.length);
  return found.flat();
}

/** Log-probability of one answer, in nats, for each of `count` pictures, which `write` puts into pixel values. */
async function answerLogprobs(
  { params, adapter, config }: Model,
  sequence: TokenSequence,
  count: number,
  { batchSize, signal }: PatchCurveOptions,
  write: (picture: number, pixels: Float32Array, at: number) => void,
): Promise<number[]> {
  const each = 3 * config.vision.imageSize ** 2, logprobs: number[] = [];
  for (let start = 0; start < count; start += batchSize) {
    await checkpoint(signal);
    const batch = Math.min(batchSize, count - start), pixels = new Float32Array(batch * each);
    for (let i = 0; i < batch; i++) write(start + i, pixels, i * each);
    const sums = tidy(() => {
      const rows = padBatch(Array<TokenSequence>(batch).fill(sequence), { side: "right" });
      const labels = labelRows(rows.labels, batch, rows.length, { total: 1 });
      const { logits } = forward(params, modelInputs(rows, pixels), config, {
        adapter,
        logitsAt: labels.rows,
      });
      return tf.neg(tf.sum(tf.reshape(tokenLosses(logits, labels), [batch, -1]), 1));
    });
    logprobs.push(...sums.dataSync<"float32">());
    sums.dispose();
  }
  return logprobs;
}

/** How faithful one order is: what the answer's log-probability is in the mean while patches go, or come back. */
export interface FaithfulnessRow {
  /** Order in which patches were changed. */
  order: PatchOrder;
  /** Whether they were removed or put back. */
  kind: Perturbation;
  /** Area under the curve, nats; the lower in deletion, the higher in insertion, the more faithful. */
  area: Interval;
  /** Of a map of the answer: how many nats its area is better than that of each order without the answer. */
  ahead: Partial<Record<"random" | "rollout, diagonal" | "local contrast", Interval>>;
}

/** Areas of all orders, and what maps of the answer have ahead of the others; 95 % intervals of the images. */
export function faithfulness(curves: readonly PatchCurve[]): FaithfulnessRow[] {
  if (curves.length === 0) return [];
  return (["deletion", "insertion"] as const).flatMap((kind) => {
    const of = (order: PatchOrder) => curves.filter((curve) => curve.kind === kind && curve.order === order);
    const areas = (order: PatchOrder) => of(order).map(({ scores }) => areaUnder(scores));
    const images = of("rollout").map(({ imageId }) => imageId), better = kind === "deletion" ? -1 : 1;
    const interval = (values: number[]) => clusteredMean(values, images);
    return PATCH_ORDERS.map((order): FaithfulnessRow => {
      const own = areas(order), compared = METHODS.some((method) => method === order) ? OTHERS : [];
      const against = (others: number[]) => interval(own.map((area, i) => better * (area - others[i])));
      const ahead = Object.fromEntries(compared.map((other) => [other, against(areas(other))]));
      return { order, kind, area: interval(own), ahead };
    });
  });
}

/** The curves of one kind, mean over the questions: one line for each order, [share of the patches, nats]. */
export function meanCurves(
  curves: readonly PatchCurve[],
  kind: Perturbation,
): { order: PatchOrder; points: [number, number][] }[] {
  return PATCH_ORDERS.flatMap((order) => {
    const own = curves.filter((curve) => curve.kind === kind && curve.order === order);
    if (own.length === 0) return [];
    const steps = own[0].scores.length - 1;
    const points = own[0].scores.map((_, step): [number, number] => [
      step / steps,
      mean(own.map(({ scores }) => scores[step])),
    ]);
    return [{ order, points }];
  });
}
