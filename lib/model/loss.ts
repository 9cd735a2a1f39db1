import type { Tensor } from "@tensorflow/tfjs";
import { sparseCrossEntropy, tf } from "../tensor/mod.ts";

/** Where a batch has something to predict. */
export interface LabelRows {
  /** int32 `[R]`, rows of the flattened `[B * L]` sequence whose NEXT token is a label */
  rows: Tensor;
  /** int32 `[R]`, those next tokens */
  targets: Tensor;
  /** float32 `[R]`, 1 / total for a label, 0 for a row that only fills up to the capacity */
  weights: Tensor;
}

/**
 * Finds the label positions of a batch. The label at t is predicted by the logits at t - 1.
 *
 * @param labels `[B * L]`, -100 where nothing is to be learned
 * @param options.capacity R, so that batches with fewer labels keep one shape (and one trace); default: the number of labels
 * @param options.total what the loss is divided by: the labels of all batches of an accumulated or distributed step; default:
 * this batch's
 * @throws if there is no label at all (transformers would give NaN), or more than the capacity
 */
export function labelRows(
  labels: Int32Array,
  batch: number,
  length: number,
  options: { capacity?: number; total?: number } = {},
): LabelRows {
  if (labels.length !== batch * length) {
    throw new Error(`Expected ${batch} x ${length} labels, found ${labels.length}.`);
  }
  const rows: number[] = [], targets: number[] = [];
  for (let b = 0; b < batch; b++) {
    for (let t = 1; t < length; t++) {
      const label = labels[b * length + t];
      if (label === -100) continue;
      rows.push(b * length + t - 1);
      targets.push(label);
    }
  }
  const count = rows.length, capacity = options.capacity ?? count;
  if (count === 0) {
    throw new Error("This batch has no label to learn from: give every example an answer (suffix).");
  }
  if (count > capacity) {
    throw new Error(`This batch has ${count} labels, more than the capacity of ${capacity} rows.`);
  }
  const fill = Array<number>(capacity - count).fill(0), share = 1 / (options.total ?? count);
  return {
    rows: tf.tensor1d([...rows, ...fill], "int32"),
    targets: tf.tensor1d([...targets, ...fill], "int32"),
    weights: tf.tensor1d([...rows.map(() => share), ...fill], "float32"),
  };
}

/**
 * Cross-entropy, mean over all label tokens of the batch (not over samples), as transformers has it.
 * Equal to the loss over every position with ignore_index -100, at a fraction of the cost.
 *
 * @param logits float32 `[R, V]`, at `labels.rows`
 * @returns float32 scalar
 */
export function crossEntropy(logits: Tensor, labels: LabelRows): Tensor {
  return tf.sum(tokenLosses(logits, labels));
}

/**
 * What each label token adds to {@linkcode crossEntropy}.
 *
 * @param logits float32 `[R, V]`, at `labels.rows`
 * @returns float32 `[R]`, 0 where `labels` are filled up
 */
export function tokenLosses(logits: Tensor, labels: LabelRows): Tensor {
  return tf.mul(sparseCrossEntropy(logits, labels.targets), labels.weights);
}
