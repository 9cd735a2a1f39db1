import { type ExplainedAttention } from "../model/mod.ts";
import { matMul, tf } from "../tensor/mod.ts";
import { valuesOf } from "./matrices.ts";

/** Gradient x attention that takes one layer at a time, LAST layer first, and holds no more than one `[L, L]` product. */
export interface Relevance {
  /**
   * Goes on to the layer before.
   * @param layer `[1, H, L, L]` each, of what is explained
   */
  add(layer: ExplainedAttention): void;
  /** R of the layers so far, `[L, L]`. Rows do not sum to 1. */
  result(): Float32Array;
}

/**
 * Gradient x attention: from R = I, every layer (first to last) adds its share, R = R + A R, with A the mean over heads of the
 * positive part of gradient times attention, element by element. That is (I + A_n) ... (I + A_1), which is multiplied here
 * from the left, since gradients come with the last layer first.
 *
 * Source: H. Chefer, S. Gur, L. Wolf, Generic Attention-model Explainability, ICCV 2021 (self-attention).
 */
export function startRelevance(length: number): Relevance {
  let product = valuesOf(() => tf.eye(length));
  return {
    add({ attention, gradient }) {
      product = valuesOf(() => {
        const A = tf.mean(tf.relu(tf.mul(gradient, attention)), [0, 1]);
        const R = tf.tensor2d(product, [length, length]);
        return tf.add(R, matMul(R, A));
      });
    },
    result: () => product,
  };
}
