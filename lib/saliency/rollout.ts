import { matMul, tf, tidy } from "../tensor/mod.ts";
import { fuseHeads, type HeadFusion, type LayerAttention } from "./matrices.ts";

/** How attention is multiplied through the layers. */
export interface RolloutOptions {
  /** How heads become one matrix; default: their mean. */
  heads?: HeadFusion;
  /** Allowed positions [L, L] (`prefixLmMask`); weight elsewhere is removed before normalising. */
  mask?: Uint8Array;
  /** Key positions (bos, newline) whose weight is removed from all other rows in every layer. */
  dropped?: readonly number[];
}

/**
 * One layer's step: rows of (fused attention + I) / 2, each normalised to sum 1.
 *
 * Source: paper section 3.2 (rollout with skip connections), Abnar and Zuidema 2020.
 * @returns [L, L]
 */
export function rolloutStep(layer: LayerAttention, options: RolloutOptions = {}): Float32Array {
  const { heads = "mean", mask, dropped = [] } = options;
  const step = fuseHeads(layer, heads);
  const length = Math.sqrt(step.length);
  if (!Number.isInteger(length) || (mask && mask.length !== step.length)) {
    throw new RangeError(`Expected square matrices of one size; found ${step.length} and ${mask?.length}.`);
  }
  for (let i = 0; i < length; i++) {
    const row = step.subarray(i * length, (i + 1) * length);
    if (mask) { for (let j = 0; j < length; j++) if (!mask[i * length + j]) row[j] = 0; }
    for (const j of dropped) if (j !== i) row[j] = 0;
    let sum = 0;
    row[i] += 1;
    for (let j = 0; j < length; j++) sum += row[j];
    for (let j = 0; j < length; j++) row[j] /= sum;
  }
  return step;
}

/** A rollout that takes one layer at a time, first layer first, and holds only one [L, L] product. */
export interface Rollout {
  add(layer: LayerAttention): void;
  /** R = A_n ... A_2 A_1 of the layers so far: row i tells how much of each input position is in output position i. */
  result(): Float32Array;
}

/** Starts a streaming rollout over sequences of `length` tokens. */
export function startRollout(length: number, options: RolloutOptions = {}): Rollout {
  let product: Float32Array | null = null;
  return {
    add(layer) {
      const step = rolloutStep(layer, options);
      if (step.length !== length * length) {
        throw new RangeError(`Expected layers of ${length} x ${length}; found ${step.length} weights.`);
      }
      product = product ? multiply(step, product, length) : step;
    },
    result() {
      if (!product) throw new Error("A rollout needs at least one layer; add one first.");
      return product;
    },
  };
}

/**
 * The rollout of all layers at once, [L, L].
 *
 * @example One layer, half of it skipped
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { rollout } from "@lib/saliency/mod.ts";
 *
 * const head = new Float32Array([1, 0, 0.5, 0.5]); // two tokens; the second looks at both
 * assertEquals([...rollout([[head]])], [1, 0, 0.25, 0.75]);
 * ```
 */
export function rollout(layers: readonly LayerAttention[], options: RolloutOptions = {}): Float32Array {
  const stream = startRollout(Math.sqrt(layers[0][0].length), options);
  for (const layer of layers) stream.add(layer);
  return stream.result();
}

/** Product of two row-major [L, L] matrices, by the engine. */
function multiply(left: Float32Array, right: Float32Array, length: number): Float32Array {
  const product = tidy(() => {
    const [a, b] = [left, right].map((matrix) => tf.tensor2d(matrix, [length, length]));
    return matMul(a, b);
  });
  const values = product.dataSync<"float32">();
  product.dispose();
  return values;
}
