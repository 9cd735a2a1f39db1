import { tf, upload } from "../tensor/mod.ts";
import { padBatch } from "../text/mod.ts";
import { type ImageStore, type LabelRows, labelRows, type ModelInputs, pixelValuesOf } from "../model/mod.ts";
import type { Params } from "../weights/mod.ts";
import type { Example } from "./examples.ts";

/** Shapes shared by every batch of a stage, so that a step is traced once. */
export interface BatchShape {
  /** Tokens per row, image tokens included: the longest example, rounded up to a multiple of 8. */
  length: number;
  /** Label tokens per row at most, rounded up likewise. */
  labels: number;
}

/** The smallest shape that holds every example. */
export function batchShape(examples: readonly Example[]): BatchShape {
  let length = 0, labels = 0;
  for (const { sequence } of examples) {
    length = Math.max(length, sequence.ids.length);
    labels = Math.max(labels, sequence.labels.reduce((n, label) => n + (label === -100 ? 0 : 1), 0));
  }
  return { length: Math.ceil(length / 8) * 8, labels: Math.ceil(labels / 8) * 8 };
}

/** As many of the first examples as fill whole batches (all, if they do not fill one): a smaller batch is a new trace. */
export function wholeBatches(examples: readonly Example[], size: number): readonly Example[] {
  return examples.slice(0, Math.max(1, Math.floor(examples.length / size)) * size);
}

/** Label tokens of some examples. */
export function labelCount(examples: readonly Example[]): number {
  return examples.reduce(
    (n, { sequence }) => n + sequence.labels.filter((label) => label !== -100).length,
    0,
  );
}

/**
 * Tensors of a training batch: pixelValues [B, 3, S, S], ids, tokenTypes and attentionMask [B, L] (padded on the
 * right), and the label rows with weights 1 / total.
 *
 * @param total label tokens of the whole accumulated batch; default: of this part
 */
export async function trainingBatch(
  examples: readonly Example[],
  store: ImageStore,
  shape: BatchShape,
  total = labelCount(examples),
): Promise<Params> {
  const padded = padBatch(examples.map((e) => e.sequence), { side: "right", length: shape.length });
  const { batch, length } = padded, size = store.size;
  const pixels = await pixelValuesOf(examples.map((e) => e.imagePath), store);
  const { rows, targets, weights } = labelRows(padded.labels, batch, length, {
    capacity: batch * shape.labels,
    total,
  });
  const int = (values: Int32Array) => tf.tensor2d(values, [batch, length], "int32");
  const tensors: Params = {
    pixelValues: tf.tensor4d(pixels, [batch, 3, size, size]),
    ids: int(padded.ids),
    tokenTypes: int(padded.tokenTypes),
    attentionMask: int(padded.attentionMask),
    rows,
    targets,
    weights,
  };
  upload(Object.values(tensors));
  return tensors;
}

/** The model's inputs and the labels of a batch of tensors. */
export function unpack(part: Params): { inputs: ModelInputs; labels: LabelRows } {
  const { pixelValues, ids, tokenTypes, attentionMask, rows, targets, weights } = part;
  return { inputs: { pixelValues, ids, tokenTypes, attentionMask }, labels: { rows, targets, weights } };
}
