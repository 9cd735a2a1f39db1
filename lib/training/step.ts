import type { Tensor } from "@tensorflow/tfjs";
import { checkpoint } from "../jupyter/mod.ts";
import { copyOf, dispose, jit, mapTensors, tf, tidy, upload } from "../tensor/mod.ts";
import type { LossAndGradients } from "../model/mod.ts";
import type { Params } from "../weights/mod.ts";
import { adamW, type AdamWSettings, type AdamWState, initAdamW } from "./adamw.ts";

/**
 * Forward, loss and backward: the loss of one part of a batch and its gradients by parameter name. The part's loss is its
 * share of the whole batch's mean (see `labelRows`' total), so that parts only need to be added up. What it uses of a
 * model comes by `frozen`, so that runs that start from other weights can share its trace.
 */
export type Objective<Batch> = (params: Params, frozen: Params, batch: Batch) => LossAndGradients;

export interface StepSettings extends AdamWSettings {
  /** "eager": op by op, to look into it. */
  compiler: "eager" | "graph" | "xla";
  /** Whether the objective is called as it is, since it compiles parts of itself. */
  byBlock?: boolean;
  /** A longer gradient is scaled down to this norm; null: never. */
  maxGradientNorm: number | null;
}

/** What a step changes. */
export interface TrainState {
  /** float32 */
  params: Params;
  adamW: AdamWState;
}

/** What a step gives. */
export interface Stepped {
  next: TrainState;
  /** float32 `[3]`: loss, norm of the gradient before clipping, norm of the new parameters. */
  measures: Tensor;
}

/**
 * One optimiser step over the parts of a batch, which it disposes. `signal` ends it between parts; `reduce` adds what other
 * processes have of the same batch.
 */
export type TrainStep<Batch> = (
  state: TrainState,
  frozen: Params,
  parts: readonly Batch[],
  learningRate: number,
  signal?: AbortSignal,
  reduce?: (own: LossAndGradients) => Promise<LossAndGradients>,
) => Promise<Stepped>;

/** The state before the first step; takes a copy of the parameters. */
export function initialState(initial: Params): TrainState {
  const params = copyOf(initial), state = { params, adamW: initAdamW(params) };
  const { m, v, step } = state.adamW;
  upload([...Object.values(params), ...Object.values(m), ...Object.values(v), step]);
  return state;
}

/** Euclidean norm of all entries of all tensors. */
const norm = (tensors: Params): Tensor =>
  tf.sqrt(tf.addN(Object.values(tensors).map((x) => tf.sum(tf.square(x)))));

/** Gradients of a norm, scaled down where it exceeds `most`. */
function clip(gradients: Params, norm: Tensor, most: number | null): Params {
  if (most === null) return gradients;
  const factor = tf.minimum(1, tf.div(most, tf.add(norm, 1e-6)));
  return mapTensors(gradients, (g) => tf.mul(g, factor));
}

/**
 * Forward, loss, backward, clipping and AdamW as traced functions, which runs may share: tensors of equal shapes share one
 * trace. With one part all of it is one TensorFlow function, unless the objective is compiled by block.
 */
export function trainStep<Batch>(objective: Objective<Batch>, settings: StepSettings): TrainStep<Batch> {
  const { compiler, maxGradientNorm, byBlock } = settings;
  const update = (state: TrainState, { loss, gradients }: LossAndGradients, rate: Tensor): Stepped => {
    const size = norm(gradients), clipped = clip(gradients, size, maxGradientNorm);
    const { params, state: moments } = adamW(state.params, clipped, state.adamW, rate, settings);
    return { next: { params, adamW: moments }, measures: tf.stack([loss, size, norm(params)]) };
  };
  const sum = (a: LossAndGradients, b: LossAndGradients): LossAndGradients => ({
    loss: tf.add(a.loss, b.loss),
    gradients: mapTensors(a.gradients, (g, name) => tf.add(g, b.gradients[name])),
  });
  const compiled = <Args extends unknown[], R>(f: (...args: Args) => R): (...args: Args) => R =>
    compiler === "eager" ? (...args) => tidy(() => f(...args)) : jit(f, { compiler });
  const whole = compiled((state: TrainState, frozen: Params, part: Batch, rate: Tensor) =>
    update(state, objective(state.params, frozen, part), rate)
  );
  const differentiate = byBlock ? objective : compiled(objective);
  const [accumulate, apply] = [compiled(sum), compiled(update)];

  return async (state, frozen, parts, learningRate, signal, reduce) => {
    const rate = tf.scalar(learningRate), made: LossAndGradients[] = [];
    try {
      if (parts.length === 1 && !byBlock && !reduce) return whole(state, frozen, parts[0], rate);
      for (const [i, part] of parts.entries()) {
        if (i > 0) await checkpoint(signal);
        made.push(differentiate(state.params, frozen, part));
        if (i === 0) continue;
        made.push(accumulate(made[0], made[1]));
        dispose(made.splice(0, 2));
      }
      if (reduce) {
        made.push(await reduce(made[0]));
        dispose(made.splice(0, 1));
      }
      return apply(state, made[0], rate);
    } finally {
      dispose([made, parts, rate]); // also where memory was used up, or the signal was aborted, half-way
    }
  };
}
