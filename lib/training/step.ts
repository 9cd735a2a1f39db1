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

/** How a training step is made. */
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
  /** What AdamW remembers. */
  adamW: AdamWState;
}

/** What a step gives. */
export interface Stepped {
  /** The state after the step. */
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

/** Sum of the squares of all entries of all tensors. */
const sumOfSquares = (tensors: Params): Tensor =>
  tf.addN(Object.values(tensors).map((x) => tf.sum(tf.square(x))));

/** Euclidean norm of all entries of all tensors. */
const norm = (tensors: Params): Tensor => tf.sqrt(sumOfSquares(tensors));

/** What gradients of this norm are multiplied with, so that they do not exceed `most`; null: nothing. */
const clipFactor = (norm: Tensor, most: number | null): Tensor | null =>
  most === null ? null : tf.minimum(1, tf.div(most, tf.add(norm, 1e-6)));

const scaled = (gradients: Params, factor: Tensor | null): Params =>
  factor === null ? gradients : mapTensors(gradients, (g) => tf.mul(g, factor));

type Update = (state: TrainState, found: LossAndGradients, rate: Tensor) => Stepped;

/** Clipping and AdamW. */
const updateOf = (settings: StepSettings): Update => (state, { loss, gradients }, rate) => {
  const size = norm(gradients), clipped = scaled(gradients, clipFactor(size, settings.maxGradientNorm));
  const { params, state: moments } = adamW(state.params, clipped, state.adamW, rate, settings);
  return { next: { params, adamW: moments }, measures: tf.stack([loss, size, norm(params)]) };
};

/** A record's tensors by layer ("language_model.layers.3."), under their names in it; what is in no layer under "". */
function byLayer(tensors: Params): Map<string, Params> {
  const layers = new Map<string, Params>();
  for (const [name, x] of Object.entries(tensors)) {
    const layer = name.match(/^.*\.\d+\./)?.[0] ?? "", own = layers.get(layer) ?? {};
    own[name.slice(layer.length)] = x;
    layers.set(layer, own);
  }
  return layers;
}

/** Puts a layer's tensors back under their whole names. */
function put(into: Params, layer: string, tensors: Params): void {
  for (const [name, x] of Object.entries(tensors)) into[layer + name] = x;
}

type Sum = (a: LossAndGradients, b: LossAndGradients) => LossAndGradients;

const sumOf: Sum = (a, b) => ({
  loss: tf.add(a.loss, b.loss),
  gradients: mapTensors(a.gradients, (g, name) => tf.add(g, b.gradients[name])),
});

/** {@linkcode sumOf} a layer at a time. */
function sumByLayer(compiler: "graph" | "xla"): Sum {
  const layerSum = jit((a: Params, b: Params) => mapTensors(a, (g, name) => tf.add(g, b[name])), {
    compiler,
  });
  return (a, b) =>
    tidy(() => {
      const gradients: Params = {}, others = byLayer(b.gradients);
      for (const [layer, own] of byLayer(a.gradients)) {
        put(gradients, layer, layerSum(own, others.get(layer)!));
      }
      return { loss: tf.add(a.loss, b.loss), gradients };
    });
}

/**
 * {@linkcode updateOf} a layer at a time, by functions that all layers of a tower share: compiled whole by XLA, the hundreds
 * of LoRA matrices took 15 of the first step's 34 s on an H200.
 */
function updateByLayer(settings: StepSettings, compiler: "graph" | "xla"): Update {
  const squares = jit(sumOfSquares, { compiler });
  const layerUpdate = jit((state: TrainState, gradients: Params, factor: Tensor | null, rate: Tensor) => {
    const { params, state: moments } = adamW(
      state.params,
      scaled(gradients, factor),
      state.adamW,
      rate,
      settings,
    );
    return { params, adamW: moments, squares: sumOfSquares(params) };
  }, { compiler });
  return (state, { loss, gradients }, rate) =>
    tidy(() => {
      const [g, p, m, v] = [gradients, state.params, state.adamW.m, state.adamW.v].map(byLayer);
      const size = tf.sqrt(tf.addN([...g.values()].map((x) => squares(x))));
      const factor = clipFactor(size, settings.maxGradientNorm), { step } = state.adamW;
      const next: TrainState = { params: {}, adamW: { m: {}, v: {}, step: tf.add(step, 1) } };
      const sums = [...p].map(([layer, params]) => {
        const of = (layers: Map<string, Params>) => layers.get(layer) ?? {};
        const out = layerUpdate({ params, adamW: { m: of(m), v: of(v), step } }, of(g), factor, rate);
        put(next.params, layer, out.params);
        put(next.adamW.m, layer, out.adamW.m);
        put(next.adamW.v, layer, out.adamW.v);
        return out.squares;
      });
      return { next, measures: tf.stack([loss, size, tf.sqrt(tf.addN(sums))]) };
    });
}

/**
 * Forward, loss, backward, clipping and AdamW as traced functions, which runs may share: tensors of equal shapes share one
 * trace. With one part all of it is one TensorFlow function, unless the objective is compiled by block.
 */
export function trainStep<Batch>(objective: Objective<Batch>, settings: StepSettings): TrainStep<Batch> {
  const { compiler, byBlock } = settings, update = updateOf(settings);
  const compiled = <Args extends unknown[], R>(f: (...args: Args) => R): (...args: Args) => R =>
    compiler === "eager" ? (...args) => tidy(() => f(...args)) : jit(f, { compiler });
  const whole = compiled((state: TrainState, frozen: Params, part: Batch, rate: Tensor) =>
    update(state, objective(state.params, frozen, part), rate)
  );
  const differentiate = byBlock ? objective : compiled(objective);
  // A decay that is decided by name may differ between layers, which share a function.
  const isByLayer = byBlock && compiler !== "eager" && typeof settings.weightDecay === "number";
  const accumulate = isByLayer ? sumByLayer(compiler) : compiled(sumOf);
  const apply = isByLayer ? updateByLayer(settings, compiler) : compiled(update);

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
