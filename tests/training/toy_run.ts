import type { Tensor } from "@tensorflow/tfjs";
import { tf, valueAndGradients } from "../../lib/tensor/mod.ts";
import { TORCH_ADAMW, trainStep } from "../../lib/training/mod.ts";

/** A run of one step. */
export const once = {
  frozen: {},
  steps: 1,
  stepsPerEpoch: 1,
  examplesPerStep: 1,
  describe: () => "the examples",
  learningRate: () => 0.1,
};

/** A run over batches of one number x each, whose loss and gradient are those of `lossOf(w, x)`, w starting at 1. */
export const toyRun = (
  lossOf: (w: Tensor, x: Tensor) => Tensor,
  xs: readonly number[],
  compiler: "eager" | "graph" | "xla" = "graph",
) => ({
  ...once,
  initial: { w: tf.tensor1d([1, 1]) },
  step: trainStep(({ w }, _, { x }: { x: Tensor }) => {
    const { value, gradients } = valueAndGradients(({ w }) => lossOf(w, x), { w });
    return { loss: value, gradients };
  }, { ...TORCH_ADAMW, weightDecay: 0, compiler, maxGradientNorm: 1 }),
  steps: xs.length,
  batch: (i: number) => [{ x: tf.scalar(xs[i]) }],
  describe: (i: number) => `x = ${xs[i]}`,
});
