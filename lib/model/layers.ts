import type { Tensor } from "@tensorflow/tfjs";
import { asType, matMul, realType, tf } from "../tensor/mod.ts";
import type { Adapter, Params } from "../weights/mod.ts";

/**
 * Every tensor a forward pass reads, in one flat record under canonical names: the base weights, the LoRA
 * matrices (`<module>.lora_A.weight` `[r, in]`, `<module>.lora_B.weight` `[out, r]`) and, where an adapter brings
 * a trained projector, that one in place of the base's.
 */
export interface Weights {
  /** The tensors by their names in the checkpoint. */
  tensors: Params;
  /** alpha / r; 0 without an adapter. */
  loraScale: number;
  /** Module whose tensors are read, with its dot ("language_model.layers.3."), as {@linkcode within} says; else the whole model. */
  path?: string;
}

/** The weights of one module, whose own parts are then read by their names in it: "self_attn.q_proj". */
export const within = (w: Weights, module: string): Weights => ({ ...w, path: `${w.path ?? ""}${module}.` });

/** The base weights, overlaid with an adapter's. Copies no tensor. */
export function weightsOf(params: Params, adapter?: Adapter): Weights {
  if (!adapter) return { tensors: params, loraScale: 0 };
  return {
    tensors: { ...params, ...adapter.params, ...adapter.projector },
    loraScale: adapter.config.alpha / adapter.config.r,
  };
}

/** A weight by name, if there is one. */
const find = (w: Weights, name: string): Tensor | undefined => w.tensors[`${w.path ?? ""}${name}`];

/** A weight by name; an error that says which one is missing. */
export function weight(w: Weights, name: string): Tensor {
  const t = find(w, name);
  if (!t) {
    throw new Error(
      `The model needs the weight "${w.path ?? ""}${name}", which is not among the ${
        Object.keys(w.tensors).length
      } given.`,
    );
  }
  return t;
}

/** x as float32, whatever it was; differentiable. */
export const f32 = (x: Tensor): Tensor => asType(x, "float32");

/** x in the type of `like`; differentiable. */
export const as = (x: Tensor, like: Tensor): Tensor => asType(x, realType(like));

/** x `[rows, in]` times w `[out, in]` transposed (the checkpoint's layout, and the faster one in bf16): `[rows, out]`. */
const times = (x: Tensor, w: Tensor): Tensor => matMul(x, w, { transposeB: true });

/**
 * The linear layer `module` with whatever belongs to it: x `[rows, in]` -> `[rows, out]`.
 * A bias where there is one; the low-rank path `B(A(x)) * alpha / r` where there are LoRA matrices, in float32
 * also for a bf16 model, as PEFT computes it.
 */
export function linear(w: Weights, x: Tensor, module: string): Tensor {
  let y = times(x, as(weight(w, `${module}.weight`), x));
  const a = find(w, `${module}.lora_A.weight`), b = find(w, `${module}.lora_B.weight`);
  if (a && b) y = tf.add(y, as(tf.mul(times(times(f32(x), f32(a)), f32(b)), w.loraScale), x));
  const bias = find(w, `${module}.bias`);
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
