import type { Tensor } from "@tensorflow/tfjs";
import { asType, matMul, randomUniform, realType, tf } from "../tensor/mod.ts";
import type { Adapter, PaliGemmaConfig, Params } from "../weights/mod.ts";
import { f32, weightsOf } from "./layers.ts";

/** Which towers get adapters. */
export type Towers = "both" | "vision" | "text";

/** A linear layer that can be adapted, with its sizes. */
export interface AdaptedModule {
  /** Name of the linear module. */
  module: string;
  /** Width of its input. */
  inputs: number;
  /** Width of its output. */
  outputs: number;
}

/**
 * The attention projections of both towers, which the paper's stage 2 adapts. SigLIP calls its output projection
 * `out_proj`, Gemma `o_proj`: PEFT's usual list ["q_proj", "k_proj", "v_proj", "o_proj"] silently misses the former.
 */
export function attentionModules(config: PaliGemmaConfig, towers: Towers): AdaptedModule[] {
  const { vision, text } = config, out: AdaptedModule[] = [];
  for (let k = 0; towers !== "text" && k < vision.layers; k++) {
    for (const p of ["q_proj", "k_proj", "v_proj", "out_proj"]) {
      const module = `vision_tower.encoder.layers.${k}.self_attn.${p}`;
      out.push({ module, inputs: vision.hiddenSize, outputs: vision.hiddenSize });
    }
  }
  const q = text.heads * text.headDim, kv = text.kvHeads * text.headDim;
  for (let k = 0; towers !== "vision" && k < text.layers; k++) {
    const at = `language_model.layers.${k}.self_attn`;
    out.push({ module: `${at}.q_proj`, inputs: text.hiddenSize, outputs: q });
    out.push({ module: `${at}.k_proj`, inputs: text.hiddenSize, outputs: kv });
    out.push({ module: `${at}.v_proj`, inputs: text.hiddenSize, outputs: kv });
    out.push({ module: `${at}.o_proj`, inputs: q, outputs: text.hiddenSize });
  }
  return out;
}

/** PEFT's `target_modules` pattern (a full match on the module path) for the attention of the given towers. */
export function targetPattern(towers: Towers): string {
  const tower =
    { both: "(vision_tower|language_model)", vision: "vision_tower", text: "language_model" }[towers];
  return `.*${tower}.*\\.self_attn\\.(q_proj|k_proj|v_proj|o_proj|out_proj)`;
}

/**
 * A fresh adapter: A uniform in +-1/sqrt(in) (kaiming_uniform with a = sqrt 5), B zero, as PEFT starts; the model
 * computes what it did before. Tensors are float32 and belong to the caller.
 */
export function initAdapter(
  config: PaliGemmaConfig,
  options: { r: number; alpha: number; towers: Towers; seed: number },
): Adapter {
  const { r, alpha, towers, seed } = options, params: Params = {};
  attentionModules(config, towers).forEach(({ module, inputs, outputs }, i) => {
    const bound = 1 / Math.sqrt(inputs);
    params[`${module}.lora_A.weight`] = tf.keep(
      tf.tidy(() => tf.mul(tf.sub(tf.mul(randomUniform([r, inputs], [seed, i]), 2), 1), bound)),
    );
    params[`${module}.lora_B.weight`] = tf.keep(tf.zeros([outputs, r]));
  });
  return { config: { r, alpha, targets: targetPattern(towers) }, params };
}

/**
 * Base weights with the adapter folded in: W + B A * alpha / r, computed in float32 and rounded to W's type, and
 * the adapter's projector if it has one. Weights without an adapter are shared with `params`, not copied; the new
 * ones belong to the caller.
 *
 * @throws if a LoRA matrix belongs to no base weight
 */
export function mergeAdapter(params: Params, adapter: Adapter): Params {
  const { tensors, loraScale } = weightsOf(params, adapter), merged: Params = { ...params };
  for (const name of Object.keys(adapter.params).filter((n) => n.endsWith(".lora_A.weight"))) {
    const module = name.slice(0, -".lora_A.weight".length), base = params[`${module}.weight`];
    if (!base) {
      throw new Error(
        `The adapter has "${name}", but the model has no "${module}.weight". Was it trained on another model?`,
      );
    }
    merged[`${module}.weight`] = tf.keep(tf.tidy(() => {
      const a = f32(tensors[name]), b = f32(tensors[`${module}.lora_B.weight`]);
      const change = tf.mul(matMul(b, a), loraScale);
      return asType(tf.add(f32(base), change), realType(base));
    }));
  }
  for (const [name, t] of Object.entries(adapter.projector ?? {})) {
    merged[name] = tf.keep(tf.tidy(() => tf.clone(asType(t as Tensor, realType(params[name])))));
  }
  return merged;
}
