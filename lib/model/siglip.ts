import type { Tensor } from "@tensorflow/tfjs";
import { asType, matMul, realType, tf } from "../tensor/mod.ts";
import type { PaliGemmaConfig } from "../weights/mod.ts";
import { attend, type Attended, type LayerAttended, splitHeads, swapHeads } from "./attention.ts";
import { type Captured, inLayer } from "./captured.ts";
import { gelu, layerNorm, linear, weight, type Weights, within } from "./layers.ts";

/**
 * Patch embedding: a convolution whose stride is its size, so a plain matrix product over cut-out patches.
 * Pixels right of and below the last whole patch are dropped. Patches are row-major, each flattened (channel, y, x).
 *
 * @param pixelValues float32 `[B, 3, S, S]` in [-1, 1]
 * @returns `[B * N, Dv]`, N = floor(S / patch)^2, in the type of the weights
 */
export function patchEmbeddings(w: Weights, pixelValues: Tensor, { vision }: PaliGemmaConfig): Tensor {
  const { patchSize: p, imageSize, hiddenSize } = vision,
    batch = pixelValues.shape[0],
    g = Math.floor(imageSize / p);
  const kernel = weight(w, "vision_tower.embeddings.patch_embedding.weight"); // [Dv, 3, p, p]
  const whole = tf.slice(pixelValues, [0, 0, 0, 0], [batch, 3, g * p, g * p]);
  const cut = tf.transpose(tf.reshape(whole, [batch, 3, g, p, g, p]), [0, 2, 4, 1, 3, 5]);
  const patches = asType(tf.reshape(cut, [batch * g * g, 3 * p * p]), realType(kernel));
  const y = matMul(patches, tf.reshape(kernel, [hiddenSize, 3 * p * p]), { transposeB: true });
  const biased = tf.add(y, weight(w, "vision_tower.embeddings.patch_embedding.bias"));
  const positions = weight(w, "vision_tower.embeddings.position_embedding.weight"); // [N, Dv], no class token
  return tf.reshape(tf.add(tf.reshape(biased, [batch, g * g, hiddenSize]), positions), [-1, hiddenSize]);
}

/** Self-attention of an encoder layer, every patch seeing every patch: x `[B * N, Dv]` -> `mixed` `[B * N, Dv]`. */
function visionAttention(w: Weights, x: Tensor, batch: number, { vision }: PaliGemmaConfig): Attended {
  const heads = (proj: string) => swapHeads(splitHeads(linear(w, x, proj), batch, vision.heads));
  const attended = attend(heads("q_proj"), heads("k_proj"), heads("v_proj"));
  return { ...attended, mixed: linear(w, attended.mixed, "out_proj") };
}

/** `[R, Dv]` -> `[R, Dv]`. */
const visionMlp = (w: Weights, x: Tensor): Tensor => linear(w, gelu(linear(w, x, "fc1")), "fc2");

/**
 * An encoder layer, pre-norm: h `[B * N, Dv]` -> the same.
 *
 * @param w the layer's own weights
 * @returns also the attention probabilities and scores, float32 `[B, H, N, N]`
 */
export function visionLayer(
  w: Weights,
  h: Tensor,
  batch: number,
  config: PaliGemmaConfig,
): { h: Tensor } & LayerAttended {
  const { layerNormEps: eps } = config.vision;
  const x = layerNorm(w, h, "layer_norm1", eps);
  const { mixed, ...seen } = visionAttention(within(w, "self_attn"), x, batch, config);
  const after = tf.add<Tensor>(h, mixed);
  return {
    h: tf.add(after, visionMlp(within(w, "mlp"), layerNorm(w, after, "layer_norm2", eps))),
    ...seen,
  };
}

/** The norm after the last layer; what the projector reads. `[B * N, Dv]` */
export function visionEnd(w: Weights, h: Tensor, { vision }: PaliGemmaConfig): Tensor {
  return layerNorm(w, h, "vision_tower.post_layernorm", vision.layerNormEps);
}

/**
 * The SigLIP tower: pixelValues float32 `[B, 3, S, S]` -> features `[B * N, Dv]`.
 * Captured hidden states (`[B, N, Dv]` each) are the input of every layer and the last layer's output BEFORE the
 * final norm, as transformers counts them.
 */
export function visionTower(
  w: Weights,
  pixelValues: Tensor,
  config: PaliGemmaConfig,
  seen: Captured = {},
): Tensor {
  const batch = pixelValues.shape[0];
  const note = (h: Tensor) => seen.hiddenStates?.push(tf.reshape(h, [batch, -1, config.vision.hiddenSize]));
  let h = patchEmbeddings(w, pixelValues, config);
  note(h);
  for (let k = 0; k < config.vision.layers; k++) {
    const before = h;
    h = inLayer(() =>
      visionLayer(within(w, `vision_tower.encoder.layers.${k}`), before, batch, config), seen).h;
    note(h);
  }
  return visionEnd(w, h, config);
}
