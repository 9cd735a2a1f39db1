import type { Tensor } from "@tensorflow/tfjs";
import { jit, tf, upload } from "../tensor/mod.ts";
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
 * batch's mean (see `labelRows`' total), so that parts only need to be added up.
 */
export type Objective = (params: Params, part: Params) => LossAndGradients;

export interface Trainer {
  /** One optimiser step over the parts of an accumulated batch. Disposes the parts. */
  step(parts: readonly Params[], learningRate: number): Promise<StepMetrics>;
  /** The parameters now; they belong to the trainer and change with the next step. */
  params(): Params;
  dispose(): void;
}

/**
 * AdamW over `initial`. With one part, forward, backward and optimiser are one TensorFlow function. What `objective`
 * uses besides its arguments is frozen: it is captured, never differentiated and never copied.
 *
 * @throws in `step` when the loss is not finite; the parameters of the step before are kept then
 */
export function createTrainer(initial: Params, objective: Objective, settings: TrainerSettings): Trainer {
  const { compiler, maxGradientNorm } = settings;
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

  const update = (p: Params, s: AdamWState, gradients: Params, learningRate: Tensor) => {
    const squares = Object.values(gradients).map((g) => tf.sum(tf.square(g)));
    const norm = tf.sqrt(tf.addN(squares));
    if (maxGradientNorm !== null) {
      const factor = tf.minimum(1, tf.div(maxGradientNorm, tf.add(norm, 1e-6)));
      gradients = Object.fromEntries(Object.entries(gradients).map(([n, g]) => [n, tf.mul(g, factor)]));
    }
    return { ...adamW(p, gradients, s, learningRate, settings), norm };
  };
  const fused = jit((p: Params, s: AdamWState, part: Params, learningRate: Tensor) => {
    const { loss, gradients } = objective(p, part);
    return { loss, ...update(p, s, gradients, learningRate) };
  }, { compiler });
  const differentiate = jit(objective, { compiler });
  const accumulate = jit((a: LossAndGradients, b: LossAndGradients): LossAndGradients => ({
    loss: tf.add(a.loss, b.loss),
    gradients: Object.fromEntries(
      Object.entries(a.gradients).map(([n, g]) => [n, tf.add(g, b.gradients[n]) as Tensor]),
    ),
  }), { compiler });
  const apply = jit(update, { compiler });

  const stepOf = (parts: readonly Params[], rate: Tensor): ReturnType<typeof fused> => {
    if (parts.length === 1) return fused(params, state, parts[0], rate);
    let sum = differentiate(params, parts[0]);
    for (const part of parts.slice(1)) {
      const next = differentiate(params, part), total = accumulate(sum, next);
      tf.dispose([sum, next] as never);
      sum = total;
    }
    const result = { loss: sum.loss, ...apply(params, state, sum.gradients, rate) };
    tf.dispose(sum.gradients);
    return result;
  };

  return {
    async step(parts, learningRate) {
      const rate = tf.scalar(learningRate);
      const next = stepOf(parts, rate);
      const loss = (await next.loss.data())[0], gradientNorm = (await next.norm.data())[0];
      tf.dispose([parts, rate, next.loss, next.norm] as never);
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
      for (const f of [fused, differentiate, accumulate, apply]) f.dispose();
    },
  };
}
