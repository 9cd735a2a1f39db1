import type { Tensor } from "@tensorflow/tfjs";
import { mapTensors, tf } from "../tensor/mod.ts";
import type { Params } from "../weights/mod.ts";

/** Settings of AdamW. */
export interface AdamWSettings {
  /** Decay of the first moment, in [0, 1). */
  beta1: number;
  /** Decay of the second moment, in [0, 1). */
  beta2: number;
  /** Added to the root of the second moment. */
  eps: number;
  /** Decoupled decay: each step first multiplies by 1 - rate * weightDecay. A function decides by name. */
  weightDecay: number | ((name: string) => number);
}

/** torch.optim.AdamW's defaults. (The transformers Trainer's weight decay is 0.) */
export const TORCH_ADAMW: AdamWSettings = { beta1: 0.9, beta2: 0.999, eps: 1e-8, weightDecay: 0.01 };

/** What AdamW remembers between steps; float32, in the shapes of the trained tensors. */
export interface AdamWState {
  /** Running mean of the gradients (first moment). */
  m: Params;
  /** Running mean of their squares (second moment). */
  v: Params;
  /** float32 scalar: steps done. A tensor, so that a traced step is one trace. */
  step: Tensor;
}

/** The state before the first step. */
export function initAdamW(params: Params): AdamWState {
  const zeros = () => mapTensors(params, (p) => tf.keep(tf.zeros(p.shape)));
  return { m: zeros(), v: zeros(), step: tf.keep(tf.scalar(0)) };
}

/**
 * One AdamW step, as torch.optim.AdamW does it. Pure: gives new tensors, runs eagerly and inside `jit`.
 *
 * @param params float32 tensors, with a gradient of the same name each
 * @param learningRate float32 scalar (a tensor, so that a schedule needs no new trace) or a number
 * @throws if a gradient is missing
 *
 * @example One step against the gradient
 * ```ts
 * import { assertAlmostEquals } from "@std/assert";
 * import { tf } from "@lib/tensor/mod.ts";
 * import { adamW, initAdamW, TORCH_ADAMW } from "@lib/training/mod.ts";
 *
 * const params = { w: tf.tensor1d([1]) }, gradients = { w: tf.tensor1d([5]) };
 * const next = adamW(params, gradients, initAdamW(params), 0.1, { ...TORCH_ADAMW, weightDecay: 0 });
 * assertAlmostEquals(next.params.w.dataSync()[0], 0.9, 1e-6); // the first step is as long as the rate
 * ```
 */
export function adamW(
  params: Params,
  gradients: Params,
  state: AdamWState,
  learningRate: Tensor | number,
  settings: AdamWSettings,
): { params: Params; state: AdamWState } {
  const { beta1, beta2, eps, weightDecay } = settings, step = tf.add<Tensor>(state.step, 1);
  // 1 - beta^t; by expm1, since in float32 1 - 0.999 has lost four digits.
  const correction = (beta: number) => tf.neg(tf.expm1(tf.mul(step, Math.log(beta))));
  const c1 = correction(beta1), root2 = tf.sqrt(correction(beta2)), rate = tf.div(learningRate, c1);
  const next: Params = {}, m: Params = {}, v: Params = {};
  for (const [name, p] of Object.entries(params)) {
    const g = gradients[name];
    if (!g) throw new Error(`AdamW got no gradient for "${name}".`);
    const decay = typeof weightDecay === "number" ? weightDecay : weightDecay(name);
    m[name] = tf.add(tf.mul(state.m[name], beta1), tf.mul(g, 1 - beta1));
    v[name] = tf.add(tf.mul(state.v[name], beta2), tf.mul(tf.square(g), 1 - beta2));
    const size = tf.add(tf.div(tf.sqrt(v[name]), root2), eps);
    const kept = decay === 0 ? p : tf.mul(p, tf.sub(1, tf.mul(learningRate, decay)));
    next[name] = tf.sub(kept, tf.mul(rate, tf.div(m[name], size)));
  }
  return { params: next, state: { m, v, step } };
}
