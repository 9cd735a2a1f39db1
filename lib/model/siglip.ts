import type { Tensor } from "@tensorflow/tfjs";
import { asType, realType, tf } from "../tensor/mod.ts";
import type { PaliGemmaConfig } from "../weights/mod.ts";
import { f32, gelu, inBlock, layerNorm, linear, weight, type Weights } from "./layers.ts";

/** Collects what a forward pass computes on the way, for those who asked. */
export interface Captured {
  attentions?: Tensor[];
  hiddenStates?: Tensor[];
}

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
  const y = tf.matMul(patches as never, tf.reshape(kernel, [hiddenSize, 3 * p * p]) as never, false, true);
  const biased = tf.add(y, weight(w, "vision_tower.embeddings.patch_embedding.bias"));
  const positions = weight(w, "vision_tower.embeddings.position_embedding.weight"); // [N, Dv], no class token
  return tf.reshape(tf.add(tf.reshape(biased, [batch, g * g, hiddenSize]), positions), [-1, hiddenSize]);
}

/**
 * Encoder layer k, pre-norm, every patch seeing every patch: h `[B * N, Dv]` -> `[B * N, Dv]`.
 * The attention probabilities (float32 `[B, H, N, N]`) go to `seen` if given.
 */
export function visionBlock(
  w: Weights,
  k: number,
  h: Tensor,
  batch: number,
  { vision }: PaliGemmaConfig,
  seen?: Tensor[],
): Tensor {
  const { heads, hiddenSize, layerNormEps: eps } = vision, n = h.shape[0] / batch, d = hiddenSize / heads;
  const name = `vision_tower.encoder.layers.${k}`;
  const x = layerNorm(w, h, `${name}.layer_norm1`, eps);
  const split = (proj: string) => { // [B * N, Dv] -> [B * H, N, d]
    const y = tf.reshape(linear(w, x, `${name}.self_attn.${proj}`), [batch, n, heads, d]);
    return tf.reshape(tf.transpose(y, [0, 2, 1, 3]), [batch * heads, n, d]);
  };
  const scores = tf.mul(tf.matMul(split("q_proj"), split("k_proj"), false, true), d ** -0.5);
  const attention = tf.softmax(f32(scores));
  seen?.push(tf.reshape(attention, [batch, heads, n, n]));
  const mixed = tf.matMul(asType(attention, realType(h)) as never, split("v_proj") as never) as Tensor;
  const joined = tf.reshape(tf.transpose(tf.reshape(mixed, [batch, heads, n, d]), [0, 2, 1, 3]), [
    batch * n,
    -1,
  ]);
  const after = tf.add(h, linear(w, joined, `${name}.self_attn.out_proj`)) as Tensor;
  const z = layerNorm(w, after, `${name}.layer_norm2`, eps);
  return tf.add(after, linear(w, gelu(linear(w, z, `${name}.mlp.fc1`)), `${name}.mlp.fc2`));
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
    h = inBlock(() => visionBlock(w, k, before, batch, config, seen.attentions), seen.attentions);
    note(h);
  }
  return visionEnd(w, h, config);
}
