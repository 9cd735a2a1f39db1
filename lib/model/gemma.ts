import type { Tensor } from "@tensorflow/tfjs";
import { asType, type DType, realType, tf, updateSlice } from "../tensor/mod.ts";
import type { PaliGemmaConfig } from "../weights/mod.ts";
import { f32, gelu, linear, rmsNorm, weight, type Weights } from "./layers.ts";

/** What all layers of one pass share. */
export interface Surroundings {
  /** `[1, L, 1, headDim / 2]` in the type of the activations. */
  cos: Tensor;
  sin: Tensor;
  /** float32 `[B, 1, L, M]`, added to the scores. */
  mask: Tensor;
}

/** Keys and values of one layer, `[B, kvHeads, M, headDim]`. */
export interface KeysValues {
  keys: Tensor;
  values: Tensor;
}

/** Keys and values of earlier tokens in buffers of fixed length M, and the place (int32 scalar) of the new token. */
export interface Past extends KeysValues {
  position: Tensor;
}

/**
 * Angles of the rotary embedding. Positions count from 1 and are the same in every row, padding included: only
 * differences of positions matter, so left-padded rows need none of their own.
 *
 * @param places int32 `[L]`, places in the sequence from 0
 */
export function rotary(
  places: Tensor,
  { text }: PaliGemmaConfig,
  dtype: DType,
): { cos: Tensor; sin: Tensor } {
  const half = text.headDim / 2;
  const frequency = Float32Array.from({ length: half }, (_, i) => text.ropeTheta ** (-i / half));
  const positions = tf.reshape(tf.add(tf.cast(places, "float32"), 1), [1, -1, 1, 1]);
  const angles = tf.mul(positions, tf.tensor(frequency, [1, 1, 1, half]));
  return { cos: asType(tf.cos(angles), dtype), sin: asType(tf.sin(angles), dtype) };
}

/** Rotates x `[B, L, n, d]`: the pairs are (i, i + d/2), halves and not neighbours. */
function rotate(x: Tensor, { cos, sin }: Surroundings): Tensor {
  const [b, l, n, d] = x.shape, size = [b, l, n, d / 2];
  const x1 = tf.slice(x, [0, 0, 0, 0], size), x2 = tf.slice(x, [0, 0, 0, d / 2], size);
  const first = tf.sub(tf.mul(x1, cos), tf.mul(x2, sin)), second = tf.add(tf.mul(x2, cos), tf.mul(x1, sin));
  return tf.concat([first, second], 3);
}

/**
 * Token embeddings times sqrt(D): ids int32 `[B, L]` -> `[B * L, D]`.
 * @throws if an id is past the table
 */
export function embedTokens(w: Weights, ids: Tensor, { text }: PaliGemmaConfig): Tensor {
  return tf.mul(
    tf.gather(weight(w, "language_model.embed_tokens.weight"), tf.reshape(ids, [-1]) as never),
    Math.sqrt(text.hiddenSize),
  );
}

/**
 * Decoder layer k: h `[B * L, D]` -> the same, and the keys and values it used.
 * Query head i reads key/value head floor(i * kvHeads / heads). The queries of one group are folded into rows, so
 * that keys are never repeated: q `[B * kvHeads, group * L, d]` against k `[B * kvHeads, M, d]`.
 *
 * @param past buffers of earlier keys and values; the new token's are put in at its place (L = 1)
 * @param seen receives the attention probabilities, float32 `[B, H, L, M]`
 */
export function textBlock(
  w: Weights,
  k: number,
  h: Tensor,
  batch: number,
  config: PaliGemmaConfig,
  around: Surroundings,
  past?: Past,
  seen?: Tensor[],
): { h: Tensor } & KeysValues {
  const { heads, kvHeads, headDim: d, rmsNormEps: eps } = config.text;
  const length = h.shape[0] / batch, name = `language_model.layers.${k}`;
  const x = rmsNorm(w, h, `${name}.input_layernorm`, eps);
  const split = (proj: string, n: number) =>
    tf.reshape(linear(w, x, `${name}.self_attn.${proj}`), [batch, length, n, d]);
  const heads2 = (y: Tensor) => tf.transpose(y, [0, 2, 1, 3]); // [B, L, n, d] -> [B, n, L, d]
  let keys = heads2(rotate(split("k_proj", kvHeads), around)), values = heads2(split("v_proj", kvHeads));
  if (past) {
    keys = put(past.keys, keys, past.position);
    values = put(past.values, values, past.position);
  }
  const places = keys.shape[2]!, flat = [batch * kvHeads, places, d], rows = (heads / kvHeads) * length;
  const q = tf.reshape(heads2(rotate(split("q_proj", heads), around)), [batch * kvHeads, rows, d]);
  const scores = tf.reshape(tf.matMul(q, tf.reshape(keys, flat), false, true), [
    batch,
    heads,
    length,
    places,
  ]);
  const attention = tf.softmax(tf.add(tf.mul(f32(scores), d ** -0.5), around.mask)) as Tensor;
  seen?.push(attention);
  const weights = asType(tf.reshape(attention, [batch * kvHeads, rows, places]), realType(h));
  const mixed = tf.reshape(tf.matMul(weights, tf.reshape(values, flat)), [batch, heads, length, d]);
  const joined = tf.reshape(heads2(mixed), [batch * length, heads * d]);
  const after = tf.add(h, linear(w, joined, `${name}.self_attn.o_proj`)) as Tensor;
  const z = rmsNorm(w, after, `${name}.post_attention_layernorm`, eps);
  const gated = tf.mul(
    gelu(linear(w, z, `${name}.mlp.gate_proj`)),
    linear(w, z, `${name}.mlp.up_proj`),
  ) as Tensor;
  return { h: tf.add(after, linear(w, gated, `${name}.mlp.down_proj`)), keys, values };
}

/** A copy of a buffer `[B, n, M, d]` with x `[B, n, 1, d]` at `position`. */
function put(buffer: Tensor, x: Tensor, position: Tensor): Tensor {
  const [batch, n, places, d] = buffer.shape, rows = batch * n;
  const next = updateSlice(tf.reshape(buffer, [rows, places, d]), tf.reshape(x, [rows, 1, d]), position);
  return tf.reshape(next, buffer.shape);
}

/** The final norm and the output layer, which is the embedding table again (tied): `[R, D]` -> float32 `[R, V]`. */
export function lmHead(w: Weights, h: Tensor, { text }: PaliGemmaConfig): Tensor {
  const x = rmsNorm(w, h, "language_model.norm", text.rmsNormEps);
  const table = weight(w, "language_model.embed_tokens.weight");
  return f32(tf.matMul(x as never, table as never, false, true));
}
