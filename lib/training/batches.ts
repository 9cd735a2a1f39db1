import type { Tensor } from "@tensorflow/tfjs";
import { dispose, upload } from "../tensor/mod.ts";
import { padBatch, type TokenSequence } from "../text/mod.ts";
import {
  type FeatureInputs,
  featureInputs,
  type ImageStore,
  type LabelRows,
  labelRows,
  type ModelInputs,
  modelInputs,
  pixelValuesOf,
  type ReadAhead,
} from "../model/mod.ts";
import type { Example } from "./examples.ts";

/** What a step learns from: what the model reads, and what it is to say. */
export interface TrainingBatch<Inputs = ModelInputs | FeatureInputs, Labels = LabelRows> {
  /** What the model reads. */
  inputs: Inputs;
  /** What it should answer. */
  labels: Labels;
}

/** What the model gets of images: pixel values float32 `[B, 3, S, S]` in [-1, 1], or the vision tower's features `[B, N, Dv]`. */
export type ImageValues = Float32Array | Tensor;

/** Reads what the model gets of the images at some paths. */
export type ReadImages = (paths: readonly string[]) => Promise<ImageValues>;

/** Reads pixel values. */
export const pixelsFrom = (store: ImageStore): ReadImages => (paths) => pixelValuesOf(paths, store);

/** Examples as far as their tokens go. */
export type Tokenised = readonly { readonly sequence: TokenSequence }[];

/** Shapes shared by every batch of a stage, so that a step is traced once. */
export interface BatchShape {
  /** Tokens per row, image tokens included: the longest example, rounded up. */
  length: number;
  /** Label tokens per row at most, rounded up likewise. */
  labels: number;
}

const labelsIn = (sequence: TokenSequence): number =>
  sequence.labels.filter((label) => label !== -100).length;

/** The smallest shape that holds every example, rounded up to a multiple. */
export function batchShape(examples: Tokenised, multiple = 8): BatchShape {
  let length = 0, labels = 0;
  for (const { sequence } of examples) {
    length = Math.max(length, sequence.ids.length);
    labels = Math.max(labels, labelsIn(sequence));
  }
  const up = (n: number) => Math.ceil(n / multiple) * multiple;
  return { length: up(length), labels: up(labels) };
}

/** As many of the first examples as fill whole batches (all, if they do not fill one): a smaller batch is a new trace. */
export function wholeBatches(examples: readonly Example[], size: number): readonly Example[] {
  return examples.slice(0, Math.max(1, Math.floor(examples.length / size)) * size);
}

/** Label tokens of some examples. */
export const labelCount = (examples: Tokenised): number =>
  examples.reduce((n, { sequence }) => n + labelsIn(sequence), 0);

/**
 * The tensors of a batch, padded on the right, with labels weighted 1 / total.
 *
 * @param images of the rows; features become the batch's own
 * @param total label tokens of the whole accumulated batch; default: of this part
 */
export function trainingBatch(
  examples: Tokenised,
  images: ImageValues,
  shape: BatchShape,
  total: number = labelCount(examples),
): TrainingBatch {
  const padded = padBatch(examples.map((e) => e.sequence), { side: "right", length: shape.length });
  const { batch, length } = padded, capacity = batch * shape.labels;
  const made = {
    inputs: images instanceof Float32Array ? modelInputs(padded, images) : featureInputs(padded, images),
    labels: labelRows(padded.labels, batch, length, { capacity, total }),
  };
  upload([...Object.values(made.inputs), ...Object.values(made.labels)]);
  return made;
}

/** {@linkcode trainingBatch} with the examples' own images. */
export async function readBatch(
  examples: readonly Example[],
  read: ReadImages,
  shape: BatchShape,
  total?: number,
): Promise<TrainingBatch> {
  return trainingBatch(examples, await read(examples.map((e) => e.imagePath)), shape, total);
}

/** The batches of a run in turn, each in the parts whose gradients are added up. */
export interface BatchReader {
  /** Tensors of batch i, whose labels are weighted by those of all its parts. */
  read(i: number): Promise<TrainingBatch[]>;
}

/**
 * Reads batches of `shape`.
 *
 * @param ahead is told of each next batch's images
 * @param total label tokens of a whole batch, of which those read may be a share
 */
export function batchReader(
  batches: readonly (readonly (readonly Example[])[])[],
  readImages: ReadImages,
  shape: BatchShape,
  ahead: ReadAhead | null,
  total = (i: number): number => labelCount(batches[i].flat()),
): BatchReader {
  return {
    async read(i) {
      const parts: TrainingBatch[] = [];
      try {
        for (const part of batches[i]) parts.push(await readBatch(part, readImages, shape, total(i)));
      } catch (error) {
        dispose(parts);
        throw error;
      }
      ahead?.start((batches[i + 1] ?? []).flat().map(({ imagePath }) => imagePath));
      return parts;
    },
  };
}
