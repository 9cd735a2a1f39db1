import { checkpoint } from "../jupyter/mod.ts";
import { copyOf, dispose } from "../tensor/mod.ts";
import type { Params } from "../weights/mod.ts";
import { initialState, type Stepped, type TrainState, type TrainStep } from "./step.ts";

/** A point of a training curve. */
export interface TrainingRecord {
  /** Mean cross entropy over the label tokens of the whole (accumulated) batch, in nats. */
  loss: number;
  /** Euclidean norm of the gradient before clipping. */
  gradientNorm: number;
  step: number;
  epoch: number;
  seconds: number;
  /** Mean loss on the validation examples, where it was measured after this step. */
  validationLoss: number | null;
}

/** What is trained, on what, and how. Steps count from 0 where they are indices, from 1 where they are done. */
export interface Run<Batch> {
  /** Start of the trained tensors; a copy is trained. */
  initial: Params;
  /** What else the objective reads; never differentiated, never copied, and not to be disposed before the end. */
  frozen: Params;
  step: TrainStep<Batch>;
  steps: number;
  stepsPerEpoch: number;
  /** The batch of the step with this index, in the parts whose gradients are added up. Asked for in order. */
  batch: (index: number) => Batch[] | Promise<Batch[]>;
  /** What that batch holds, for an error: "the examples a, b". */
  describe: (index: number) => string;
  learningRate: (index: number) => number;
  /** The loss on held-out data after a step; null where it is not measured. */
  evaluate?: (params: Params, step: number) => Promise<number | null>;
  /** Called after every step; awaited. */
  onStep?: (record: TrainingRecord, totalSteps: number) => void | Promise<void>;
  /** Ends the run between two steps, or two parts of a batch, by throwing its reason. */
  signal?: AbortSignal;
}

/**
 * The training loop, of both stages and of both pre-trainings.
 *
 * @returns the trained tensors, owned by the caller, and what every step measured
 * @throws when a loss, a gradient or a parameter is not finite (naming step and batch), when memory is used up
 * (`OutOfMemory`), or the signal is aborted
 */
export async function fit<Batch>(
  run: Run<Batch>,
): Promise<{ params: Params; records: TrainingRecord[] }> {
  const start = performance.now(), records: TrainingRecord[] = [];
  let state = initialState(run.initial);
  try {
    for (let index = 0, step = 1; step <= run.steps; index++, step++) {
      await checkpoint(run.signal);
      const parts = await run.batch(index), rate = run.learningRate(index);
      const stepped = await run.step(state, run.frozen, parts, rate, run.signal); // forward, loss, backward, clip, AdamW
      const { next, loss, gradientNorm } = await measured(
        stepped,
        () => `Step ${step}, learning rate ${rate}, ${run.describe(index)}`,
      );
      dispose(state);
      state = next;
      const validationLoss = await run.evaluate?.(state.params, step) ?? null;
      const seconds = (performance.now() - start) / 1000, epoch = step / run.stepsPerEpoch;
      records.push({ loss, gradientNorm, step, epoch, seconds, validationLoss });
      await run.onStep?.(records.at(-1)!, run.steps);
    }
    return { params: copyOf(state.params), records };
  } finally {
    dispose(state);
  }
}

/** What a step measured, as numbers. @throws if one is not finite; the step's state is dropped then */
async function measured(
  { next, measures }: Stepped,
  where: () => string,
): Promise<{ next: TrainState; loss: number; gradientNorm: number }> {
  const [loss, gradientNorm, parameterNorm] = await measures.data();
  measures.dispose();
  const found = Object.entries({
    loss,
    "gradient's norm": gradientNorm,
    "new parameters' norm": parameterNorm,
  })
    .find(([, value]) => !Number.isFinite(value));
  if (!found) return { next, loss, gradientNorm };
  dispose(next);
  throw new Error(
    `${where()}: the ${found[0]} is ${found[1]}. Lower the rate, or look at this batch's data.`,
  );
}
