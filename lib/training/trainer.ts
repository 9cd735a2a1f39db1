import type { Tensor } from "@tensorflow/tfjs";
import { checkpoint } from "../jupyter/mod.ts";
import { jit, type Jitted, tf, upload } from "../tensor/mod.ts";
import type { LossAndGradients } from "../model/mod.ts";
import type { Params } from "../weights/mod.ts";
import { adamW, type AdamWSettings, type AdamWState, initAdamW } from "./adamw.ts";

/** What one optimiser step reports. */
export interface StepMetrics {
  /** Mean cross entropy over the label tokens of the whole (accumulated) batch, in nats. */
  readonly loss: number;
  /** Euclidean norm of the gradient before clipping. */
  readonly gradientNorm: number;
}

export interface TrainerSettings extends AdamWSettings {
  compiler: "graph" | "xla";
  /** A longer gradient is scaled down to this norm; null: never. */
  maxGradientNorm: number | null;
}

/**
 * Loss of one part of a batch and its gradients by parameter name. The part's loss is its share of the whole
 * batch's mean (see `labelRows`' total), so that parts only need to be added up. What it uses of a model comes by
 * `frozen`, so that trainers that start from other weights can share its trace.
 */
export type Objective = (params: Params, frozen: Params, part: Params) => LossAndGradients;

/** What an optimiser step gives. */
interface Stepped {
  loss: Tensor;
  norm: Tensor;
  params: Params;
  state: AdamWState;
}

/** The traced functions of an optimiser step. Trainers may share them: tensors of equal shapes share one trace. */
export interface TrainStep {
  /** Forward, backward and AdamW on a batch of one part. */
  readonly whole: Jitted<
    [params: Params, state: AdamWState, frozen: Params, part: Params, rate: Tensor],
    Stepped
  >;
  readonly differentiate: Jitted<[params: Params, frozen: Params, part: Params], LossAndGradients>;
  readonly accumulate: Jitted<[LossAndGradients, LossAndGradients], LossAndGradients>;
  readonly apply: Jitted<
    [params: Params, state: AdamWState, gradients: Params, rate: Tensor],
    Omit<Stepped, "loss">
  >;
}

export interface Trainer {
  /** One optimiser step over the parts of an accumulated batch. Disposes the parts. `signal` ends it between parts. */
  step(parts: readonly Params[], learningRate: number, signal?: AbortSignal): Promise<StepMetrics>;
  /** The parameters now; they belong to the trainer and change with the next step. */
  params(): Params;
  dispose(): void;
}

/** AdamW on the gradients of `objective`. With one part, forward, backward and optimiser are one TensorFlow function. */
export function trainStep(objective: Objective, settings: TrainerSettings): TrainStep {
  const { compiler, maxGradientNorm } = settings;
  const update = (p: Params, s: AdamWState, gradients: Params, learningRate: Tensor) => {
    const squares = Object.values(gradients).map((g) => tf.sum(tf.square(g)));
    const norm = tf.sqrt(tf.addN(squares)) as Tensor;
    if (maxGradientNorm !== null) {
      const factor = tf.minimum(1, tf.div(maxGradientNorm, tf.add(norm, 1e-6)));
      gradients = Object.fromEntries(Object.entries(gradients).map(([n, g]) => [n, tf.mul(g, factor)]));
    }
    return { ...adamW(p, gradients, s, learningRate, settings), norm };
  };
  const whole = (p: Params, s: AdamWState, frozen: Params, part: Params, learningRate: Tensor) => {
    const { loss, gradients } = objective(p, frozen, part);
    return { loss, ...update(p, s, gradients, learningRate) };
  };
  const accumulate = (a: LossAndGradients, b: LossAndGradients) => ({
    loss: tf.add(a.loss, b.loss) as Tensor,
    gradients: Object.fromEntries(
      Object.entries(a.gradients).map(([n, g]) => [n, tf.add(g, b.gradients[n]) as Tensor]),
    ),
  });
  return {
    whole: jit(whole, { compiler }),
    differentiate: jit(objective, { compiler }),
    accumulate: jit(accumulate, { compiler }),
    apply: jit(update, { compiler }),
  };
}

/**
 * Trains `initial`, of which it takes a copy.
 *
 * @param frozen what else the step's objective reads; never differentiated, never copied, and not to be disposed
 * before the last step
 * @throws in `step` when the loss is not finite, memory is used up (`OutOfMemory`), or the signal is aborted; the parameters
 * of the step before are kept then
 */
export function createTrainer(initial: Params, frozen: Params, traced: TrainStep): Trainer {
  let params: Params = Object.fromEntries(
    Object.entries(initial).map(([name, x]) => [name, tf.keep(tf.clone(x))]),
  );
  let state = initAdamW(params);
  upload([
    ...Object.values(params),
    ...Object.values(state.mean),
    ...Object.values(state.square),
    state.step,
  ]);

  const stepOf = async (parts: readonly Params[], rate: Tensor, signal?: AbortSignal): Promise<Stepped> => {
    if (parts.length === 1) return traced.whole(params, state, frozen, parts[0], rate);
    const made = [traced.differentiate(params, frozen, parts[0])];
    try {
      for (const part of parts.slice(1)) {
        await checkpoint(signal);
        made.push(traced.differentiate(params, frozen, part));
        made.push(traced.accumulate(made[0], made[1]));
        tf.dispose(made.splice(0, 2) as never);
      }
      const [{ loss, gradients }] = made, stepped = traced.apply(params, state, gradients, rate);
      return { loss: tf.clone(loss), ...stepped };
    } finally {
      tf.dispose(made as never); // also where memory was used up, or the signal was aborted, half-way
    }
  };

  return {
    async step(parts, learningRate, signal) {
      const rate = tf.scalar(learningRate);
      const next = await stepOf(parts, rate, signal).finally(() => tf.dispose([parts, rate] as never));
      const loss = (await next.loss.data())[0], gradientNorm = (await next.norm.data())[0];
      tf.dispose([next.loss, next.norm]);
      if (!Number.isFinite(loss)) {
        tf.dispose([next.params, next.state] as never);
        throw new Error(
          `The loss is ${loss} at learning rate ${learningRate}: lower the rate, or look at this batch's data.`,
        );
      }
      tf.dispose([params, state] as never);
      ({ params, state } = next);
      return { loss, gradientNorm };
    },
    params: () => params,
    dispose() {
      tf.dispose([params, state] as never);
    },
  };
}
