import type { Tensor } from "@tensorflow/tfjs";
import { asType, realType, tf } from "../tensor/mod.ts";
import type { Adapter, Params } from "../weights/mod.ts";

/**
 * Every tensor a forward pass reads, in one flat record under canonical names: the base weights, the LoRA
 * matrices (`<module>.lora_A.weight` `[r, in]`, `<module>.lora_B.weight` `[out, r]`) and, where an adapter brings
 * a trained projector, that one in place of the base's.
 */
export interface Weights {
  tensors: Params;
  /** alpha / r; 0 without an adapter. */
  loraScale: number;
}

/** The base weights, overlaid with an adapter's. Copies no tensor. */
export function weightsOf(params: Params, adapter?: Adapter): Weights {
  if (!adapter) return { tensors: params, loraScale: 0 };
  return {
    tensors: { ...params, ...adapter.params, ...adapter.projector },
    loraScale: adapter.config.alpha / adapter.config.r,
  };
}

/** A weight by name; an error that says which one is missing. */
export function weight(w: Weights, name: string): Tensor {
  const t = w.tensors[name];
  if (!t) {
    throw new Error(
      `The model needs the weight "${name}", which is not among the ${Object.keys(w.tensors).length} given.`,
    );
  }
  return t;
}

/**
 * Runs one block of the model and frees what it computed on the way, but for its result and what it gave to `seen`.
 * (Under gradients, TensorFlow.js keeps what the backward pass needs.) At 448 px the 3B model would else hold 15 GB of
 * intermediates in an eager forward pass.
 */
export function inBlock(block: () => Tensor, seen?: Tensor[]): Tensor {
  const before = seen?.length ?? 0;
  const kept = tf.tidy(() => {
    const h = block();
    return [h, ...seen?.slice(before) ?? []];
  });
  return kept[0];
}

/** x as float32, whatever it was; differentiable. */
export const f32 = (x: Tensor): Tensor => asType(x, "float32");

/** x in the type of `like`; differentiable. */
export const as = (x: Tensor, like: Tensor): Tensor => asType(x, realType(like));

/** x `[rows, in]` times w `[out, in]` transposed (the checkpoint's layout, and the faster one in bf16): `[rows, out]`. */
const times = (x: Tensor, w: Tensor): Tensor => tf.matMul(x as never, w as never, false, true);

/**
 * The linear layer `module` with whatever belongs to it: x `[rows, in]` -> `[rows, out]`.
 * A bias where there is one; the low-rank path `B(A(x)) * alpha / r` where there are LoRA matrices, in float32
 * also for a bf16 model, as PEFT computes it.
 */
export function linear(w: Weights, x: Tensor, module: string): Tensor {
  let y = times(x, as(weight(w, `${module}.weight`), x));
  const a = w.tensors[`${module}.lora_A.weight`], b = w.tensors[`${module}.lora_B.weight`];
  if (a && b) y = tf.add(y, as(tf.mul(times(times(f32(x), f32(a)), f32(b)), w.loraScale), x));
  const bias = w.tensors[`${module}.bias`];
  return bias ? tf.add(y, as(bias, x)) : y;
}

/** LayerNorm over the last axis (biased variance), computed in float32, given back in x's type. */
export function layerNorm(w: Weights, x: Tensor, module: string, eps: number): Tensor {
  const d = tf.sub(f32(x), tf.mean(f32(x), -1, true));
  const scale = tf.rsqrt(tf.add(tf.mean(tf.square(d), -1, true), eps));
  const y = tf.mul(tf.mul(d, scale), f32(weight(w, `${module}.weight`)));
  return as(tf.add(y, f32(weight(w, `${module}.bias`))), x);
}

/** Gemma's RMSNorm over the last axis: the stored weight is an offset, the factor is `1 + weight`. In float32. */
export function rmsNorm(w: Weights, x: Tensor, module: string, eps: number): Tensor {
  const x32 = f32(x), scale = tf.rsqrt(tf.add(tf.mean(tf.square(x32), -1, true), eps));
  return as(tf.mul(tf.mul(x32, scale), tf.add(f32(weight(w, `${module}.weight`)), 1)), x);
}

/** GELU in its tanh form, which equals x * sigmoid(2 * sqrt(2/pi) * (x + 0.044715 x^3)). Elementwise. */
export function gelu(x: Tensor): Tensor {
  const c = 2 * Math.sqrt(2 / Math.PI);
  return tf.mul(x, tf.sigmoid(tf.mul(x, tf.add(tf.mul(tf.square(x), c * 0.044715), c))));
}
