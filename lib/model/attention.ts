import type { Tensor } from "@tensorflow/tfjs";
import { asType, matMul, realType, tf } from "../tensor/mod.ts";
import { f32 } from "./layers.ts";

/** One layer's attention, as saliency reads it. */
export interface LayerAttended {
  /** The probabilities: float32 `[B, H, L, M]` (queries, then keys) */
  attention: Tensor;
  /** Their logarithms but for a constant of each query, before the mask: float32 `[B, H, L, M]` */
  scores: Tensor;
}

/** What attention gives. */
export interface Attended extends LayerAttended {
  /** `[B * L, H * d]`, the heads side by side, in the type of the queries */
  mixed: Tensor;
}

/** `[B * L, n * d]` -> `[B, L, n, d]`. */
export const splitHeads = (x: Tensor, batch: number, n: number): Tensor =>
  tf.reshape(x, [batch, x.shape[0] / batch, n, x.shape[1]! / n]);

/** `[B, L, n, d]` <-> `[B, n, L, d]`. */
export const swapHeads = (x: Tensor): Tensor => tf.transpose(x, [0, 2, 1, 3]);

/**
 * Scaled dot-product attention, of both towers; the softmax in float32. Query head i reads key/value head
 * floor(i * Hkv / H). The queries of one group are folded into rows, so that keys are never repeated:
 * `[B * Hkv, (H / Hkv) * L, d]` against `[B * Hkv, M, d]`.
 *
 * @param q queries `[B, H, L, d]`
 * @param k keys `[B, Hkv, M, d]`
 * @param v values `[B, Hkv, M, d]`
 * @param mask float32 `[B, 1, L, M]`, added to the scores; without it every query sees every key
 * @param nudge float32 `[B, H, L, M]`, added to the probabilities: zeros, at which their gradient is taken
 */
export function attend(q: Tensor, k: Tensor, v: Tensor, mask?: Tensor, nudge?: Tensor): Attended {
  const [batch, heads, length, d] = q.shape, [, kvHeads, places] = k.shape;
  const groups = batch * kvHeads!, rows = (heads! / kvHeads!) * length!;
  const folded = tf.reshape(q, [groups, rows, d!]), keys = tf.reshape(k, [groups, places!, d!]);
  const products = matMul(folded, keys, { transposeB: true });
  const scores = tf.mul(f32(tf.reshape(products, [batch, heads!, length!, places!])), d! ** -0.5);
  const probabilities = tf.softmax<Tensor>(mask ? tf.add(scores, mask) : scores);
  const attention = nudge ? tf.add<Tensor>(probabilities, nudge) : probabilities;
  const weights = asType(tf.reshape(attention, [groups, rows, places!]), realType(q));
  const mixed = tf.reshape(matMul(weights, tf.reshape(v, [groups, places!, d!])), [
    batch,
    heads!,
    length!,
    d!,
  ]);
  return { mixed: tf.reshape(swapHeads(mixed), [batch * length!, heads! * d!]), attention, scores };
}
