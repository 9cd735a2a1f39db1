import type { Scalar, Tensor, Tensor2D } from "@tensorflow/tfjs";
import { tf } from "../../lib/tensor/mod.ts";

export type Params = { w: Tensor2D; b: Tensor };

/** One step of gradient descent with momentum; everything goes in and comes out. */
export function step(p: Params, momentum: Params, x: Tensor2D, y: Tensor2D) {
  const names = ["w", "b"] as const;
  const { value, grads } = tf.valueAndGrads((w: Tensor, b: Tensor) =>
    tf.mean(tf.square(tf.sub(tf.tanh(tf.add(tf.matMul(x, w as Tensor2D), b)), y))) as Scalar
  )([p.w, p.b]);
  const m = names.map((n, i) => tf.add(tf.mul(momentum[n], 0.9), grads[i]));
  const next = names.map((n, i) => tf.sub(p[n], tf.mul(m[i], 0.1)));
  return {
    loss: value,
    params: { w: next[0], b: next[1] } as Params,
    momentum: { w: m[0], b: m[1] } as Params,
  };
}

export const wave = (shape: [number, number], scale = 1): Tensor2D =>
  tf.tensor2d(Array.from({ length: shape[0] * shape[1] }, (_, i) => scale * Math.sin(i + 1)), shape);

export const start = (): { p: Params; m: Params } => ({
  p: { w: wave([3, 2]), b: tf.zeros([2]) },
  m: { w: tf.zeros([3, 2]), b: tf.zeros([2]) },
});
