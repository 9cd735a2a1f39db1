import type { Tensor } from "@tensorflow/tfjs";
import { matMul, tf, tidy } from "../tensor/mod.ts";
import type { LayerAttention } from "./matrices.ts";

/**
 * Gradient x attention: from R = I, every layer (first to last) adds its share, R = R + A R, with A the mean over heads of the
 * positive part of gradient times attention, element by element. Rows do not sum to 1.
 *
 * @param gradients of what is explained for the attention, as `CapturedAnswer.gradients` has them
 * @returns [L, L]
 * Source: H. Chefer, S. Gur, L. Wolf, Generic Attention-model Explainability, ICCV 2021 (self-attention).
 */
export function relevance(
  attentions: readonly LayerAttention[],
  gradients: readonly LayerAttention[],
): Float32Array {
  const length = Math.sqrt(attentions[0][0].length);
  const result = tidy(() =>
    attentions.reduce<Tensor>((R, layer, l) => {
      const heads = layer.map((head, h) => {
        const [a, g] = [head, gradients[l][h]].map((matrix) => tf.tensor2d(matrix, [length, length]));
        return tf.relu(tf.mul(g, a));
      });
      return tf.add(R, matMul(tf.mean(tf.stack(heads), 0), R));
    }, tf.eye(length))
  );
  const values = result.dataSync<"float32">();
  result.dispose();
  return values;
}
