import type { Tensor } from "@tensorflow/tfjs";
import { tf } from "../tensor/mod.ts";

/** What is added to the score of a forbidden pair: the most negative float32, as transformers has it. */
const FORBIDDEN = -3.4028234663852886e38;

const additive = (allowed: Tensor): Tensor => tf.mul(tf.sub(1, allowed), FORBIDDEN);

/**
 * The prefix-LM mask as a number to add to attention scores: 0 where query q may see key k, else -3.4e38.
 *
 * ```
 *              image  bos prefix \n | suffix eos         q may see k if
 *   image        x     x    x     x |   .     .            k is no later than q, or both are in the prefix,
 *   bos          x     x    x     x |   .     .            and k is not padding.
 *   prefix       x     x    x     x |   .     .
 *   \n           x     x    x     x |   .     .          The prefix (image included) sees all of itself and
 *   suffix       x     x    x     x |   x     .          nothing of the answer; the answer sees the prefix and
 *   eos          x     x    x     x |   x     x          what it has said so far.
 * ```
 * Padding queries have type 0 and see the real prefix: no row is empty, and what they compute is never used.
 *
 * @param tokenTypes int32 `[B, L]`, 0 = image, prefix, padding; 1 = suffix
 * @param attentionMask int32 `[B, L]`, 0 = padding
 * @returns float32 `[B, 1, L, L]` (queries, then keys)
 */
export function prefixMask(tokenTypes: Tensor, attentionMask: Tensor): Tensor {
  const [batch, length] = tokenTypes.shape as [number, number];
  const at = tf.range(0, length, 1, "int32");
  const causal = tf.cast(
    tf.lessEqual(tf.reshape(at, [1, 1, length]), tf.reshape(at, [1, length, 1])),
    "float32",
  );
  const prefix = tf.cast(tf.equal(tokenTypes, tf.zerosLike(tokenTypes)), "float32");
  const both = tf.mul(tf.reshape(prefix, [batch, length, 1]), tf.reshape(prefix, [batch, 1, length]));
  const real = tf.reshape(tf.cast(attentionMask, "float32"), [batch, 1, length]);
  return tf.reshape(additive(tf.mul(tf.maximum(causal, both), real)), [batch, 1, length, length]);
}

/**
 * The mask of one decoding step: the token at place `position` sees every real prompt token and everything
 * generated up to itself; the empty places of the cache behind it stay hidden.
 *
 * @param real float32 `[B, M]`, 0 where the cache holds prompt padding, else 1
 * @param position int32 scalar, the place of this token in the cache
 * @returns float32 `[B, 1, 1, M]`
 */
export function decodeMask(real: Tensor, position: Tensor): Tensor {
  const [batch, places] = real.shape as [number, number];
  const filled = tf.cast(tf.lessEqual(tf.range(0, places, 1, "int32"), position), "float32");
  return tf.reshape(additive(tf.mul(real, tf.reshape(filled, [1, places]))), [batch, 1, 1, places]);
}
