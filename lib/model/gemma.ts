import type { Tensor } from "@tensorflow/tfjs";
import { asType, type DType, gather, matMul, tf, updateSlice } from "../tensor/mod.ts";
import type { PaliGemmaConfig } from "../weights/mod.ts";
import { attend, type Attended, type LayerAttended, splitHeads, swapHeads } from "./attention.ts";
import { type Captured, inLayer } from "./captured.ts";
import { f32, gelu, linear, rmsNorm, weight, type Weights, within } from "./layers.ts";

/** What the attention of all layers of one pass shares. */
export interface AttentionInputs {
  /** `[1, L, 1, headDim / 2]` in the type of the activations. */
  cos: Tensor;
  /** As `cos`. */
  sin: Tensor;
  /** float32 `[B, 1, L, M]`, added to the scores. */
  mask: Tensor;
  /** float32 `[B, H, L, M]`, added to the probabilities of one layer (`attentionGradients`). */
  nudge?: Tensor;
}

/** Keys and values of one layer, `[B, kvHeads, M, headDim]`. */
export interface KVCache {
  /** `[B, M, kvHeads, headDim]`. */
  keys: Tensor;
  /** `[B, M, kvHeads, headDim]`. */
  values: Tensor;
}

/** Caches of earlier tokens, one for each layer, in buffers of fixed length M, and the place (int32 scalar) of the new token. */
export interface Past {
  /** Keys and values, one for each layer. */
  cache: readonly KVCache[];
  /** int32 scalar, from 0. */
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
function rotate(x: Tensor, { cos, sin }: AttentionInputs): Tensor {
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
  const table = weight(w, "language_model.embed_tokens.weight");
  return tf.mul(gather(table, tf.reshape(ids, [-1])), Math.sqrt(text.hiddenSize));
}

/**
 * Self-attention of a decoder layer: x `[B * L, D]` -> `mixed` `[B * L, D]`, and the keys and values that it read.
 *
 * @param past the layer's earlier keys and values; the new token's are put in at their place (L = 1)
 */
function textAttention(
  w: Weights,
  x: Tensor,
  batch: number,
  { text }: PaliGemmaConfig,
  shared: AttentionInputs,
  past?: KVCache & { position: Tensor },
): Attended & { cache: KVCache } {
  const split = (proj: string, n: number) => splitHeads(linear(w, x, proj), batch, n);
  let keys = swapHeads(rotate(split("k_proj", text.kvHeads), shared));
  let values = swapHeads(split("v_proj", text.kvHeads));
  if (past) {
    keys = put(past.keys, keys, past.position);
    values = put(past.values, values, past.position);
  }
  const q = swapHeads(rotate(split("q_proj", text.heads), shared));
  const attended = attend(q, keys, values, shared.mask, shared.nudge);
  return { ...attended, mixed: linear(w, attended.mixed, "o_proj"), cache: { keys, values } };
}

/** Gated MLP: `[R, D]` -> `[R, D]`. */
const textMlp = (w: Weights, x: Tensor): Tensor =>
  linear(w, tf.mul(gelu(linear(w, x, "gate_proj")), linear(w, x, "up_proj")), "down_proj");

/**
 * A decoder layer, pre-norm: h `[B * L, D]` -> the same.
 *
 * @param w the layer's own weights
 * @returns also the attention probabilities and scores, float32 `[B, H, L, M]`, and the keys and values that were read
 */
export function decoderLayer(
  w: Weights,
  h: Tensor,
  batch: number,
  config: PaliGemmaConfig,
  shared: AttentionInputs,
  past?: KVCache & { position: Tensor },
): { h: Tensor; cache: KVCache } & LayerAttended {
  const { rmsNormEps: eps } = config.text;
  const x = rmsNorm(w, h, "input_layernorm", eps);
  const { mixed, ...seen } = textAttention(within(w, "self_attn"), x, batch, config, shared, past);
  const after = tf.add<Tensor>(h, mixed);
  const z = rmsNorm(w, after, "post_attention_layernorm", eps);
  return { h: tf.add(after, textMlp(within(w, "mlp"), z)), ...seen };
}

/**
 * All decoder layers: h `[B * L, D]` -> the same, before the final norm, and the keys and values of every layer.
 *
 * @param past caches of earlier tokens, if h is one more token of each row
 * @param seen hidden states (`[B, L, D]` each) are the input of every layer
 */
export function decoder(
  w: Weights,
  h: Tensor,
  batch: number,
  config: PaliGemmaConfig,
  shared: AttentionInputs,
  past?: Past,
  seen: Captured = {},
): { h: Tensor; cache: KVCache[] } {
  const cache: KVCache[] = [];
  for (let k = 0; k < config.text.layers; k++) {
    seen.hiddenStates?.push(tf.reshape(h, [batch, -1, config.text.hiddenSize]));
    const before = h, own = past && { ...past.cache[k], position: past.position };
    const out = inLayer(
      () => decoderLayer(within(w, `language_model.layers.${k}`), before, batch, config, shared, own),
      seen,
    );
    h = out.h;
    cache.push(out.cache);
  }
  return { h, cache };
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
  return f32(matMul(x, table, { transposeB: true }));
}
