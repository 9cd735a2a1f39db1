import type { Tensor } from "@tensorflow/tfjs";
import { matMul, tf } from "../tensor/mod.ts";
import { fuseHeads, type LayerAttention, valuesOf } from "./matrices.ts";

/** How attention is multiplied through the layers. */
export interface RolloutOptions {
  /** Key positions (bos, newline) whose weight is removed from all other rows in every layer. */
  dropped?: readonly number[];
}

/**
 * One layer's step: rows of (attention + I) / 2, each normalised to sum 1. What the model's mask hides has no weight in its
 * attention, and so none here.
 *
 * Source: paper section 3.2 (rollout with skip connections), Abnar and Zuidema 2020.
 * @param attention `[L, L]`, mean over the heads
 * @returns `[L, L]`
 */
export function rolloutStep(attention: Tensor, { dropped = [] }: RolloutOptions = {}): Tensor {
  const length = attention.shape[0], identity = tf.eye(length);
  const kept = new Float32Array(length).fill(1);
  for (const position of dropped) kept[position] = 0;
  const counted = dropped.length > 0
    ? tf.mul(attention, tf.maximum(tf.tensor2d(kept, [1, length]), identity))
    : attention;
  const sum = tf.add(counted, identity);
  return tf.div(sum, tf.sum(sum, 1, true));
}

/** A rollout that takes one layer at a time, first layer first, and holds no more than one `[L, L]` product. */
export interface Rollout {
  /**
   * Goes on to the next layer.
   * @param attention `[L, L]`, mean over its heads
   */
  add(attention: Tensor): void;
  /** R = A_n ... A_2 A_1 of the layers so far: row i tells how much of each input position is in output position i. */
  result(): Float32Array;
}

/** Starts a streaming rollout over sequences of `length` tokens. */
export function startRollout(length: number, options: RolloutOptions = {}): Rollout {
  let product: Float32Array | null = null;
  return {
    add(attention) {
      if (attention.shape.join() !== `${length},${length}`) {
        throw new RangeError(
          `Expected layers of ${length} x ${length}; found ${attention.shape.join(" x ")}.`,
        );
      }
      const before = product;
      product = valuesOf(() => {
        const step = rolloutStep(attention, options);
        return before ? matMul(step, tf.tensor2d(before, [length, length])) : step;
      });
    },
    result() {
      if (!product) throw new Error("A rollout needs at least one layer; add one first.");
      return product;
    },
  };
}

/**
 * The rollout of layers that are all there, `[L, L]`.
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
  const length = Math.sqrt(layers[0][0].length), stream = startRollout(length, options);
  for (const layer of layers) {
    const mean = tf.tensor2d(fuseHeads(layer, "mean"), [length, length]);
    stream.add(mean);
    mean.dispose();
  }
  return stream.result();
}
