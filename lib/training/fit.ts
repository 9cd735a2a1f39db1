import { checkpoint } from "../jupyter/mod.ts";
import { copyOf, dispose, type Group } from "../tensor/mod.ts";
import type { Params } from "../weights/mod.ts";
import type { Checkpoint, Checkpoints } from "./checkpoints.ts";
import { initialState, type Stepped, type TrainState, type TrainStep } from "./step.ts";
import { shareCheckpoint, stepSums } from "./workers.ts";

/** A point of a training curve. */
export interface TrainingRecord {
  /** Mean cross entropy over the label tokens of the whole (accumulated) batch, in nats. */
  loss: number;
  /** Euclidean norm of the gradient before clipping. */
  gradientNorm: number;
  /** Of this step. */
  learningRate: number;
  /** Steps done. */
  step: number;
  /** Epochs done. */
  epoch: number;
  /** Since the start; with checkpoints, the times of all the run's processes together. */
  seconds: number;
  /** Of this step: reading the batch, forward, backward and optimiser, not the held-out loss. */
  examplesPerSecond: number;
  /** Mean loss on the validation examples, where it was measured after this step. */
  validationLoss: number | null;
}

/** What is trained, on what, and how. Steps count from 0 where they are indices, from 1 where they are done. */
export interface Run<Batch> {
  /** Start of the trained tensors; a copy is trained. */
  initial: Params;
  /** What else the objective reads; never differentiated, never copied, and not to be disposed before the end. */
  frozen: Params;
  /** What one step does. */
  step: TrainStep<Batch>;
  /** Steps in all. */
  steps: number;
  /** Steps that see every example once. */
  stepsPerEpoch: number;
  /** Examples of a step, of all processes and accumulated parts together. */
  examplesPerStep: number;
  /** The batch of the step with this index, in the parts whose gradients are added up. Asked for in order. */
  batch: (index: number) => Batch[] | Promise<Batch[]>;
  /** What that batch holds, for an error: "the examples a, b". */
  describe: (index: number) => string;
  /** Of the step with this index, from 0. */
  learningRate: (index: number) => number;
  /** The loss on held-out data after a step; null where it is not measured. */
  evaluate?: (params: Params, step: number) => Promise<number | null>;
  /** Called after every step; awaited. */
  onStep?: (record: TrainingRecord, totalSteps: number) => void | Promise<void>;
  /** Where the run's state is kept; nowhere if it is left out. */
  checkpoints?: Checkpoints;
  /** Ends the run between two steps, or two parts of a batch, by throwing its reason; with a group, between two steps. */
  signal?: AbortSignal;
  /**
   * The processes that train together: each calls `fit` with the same run, but for its share of every batch, whose loss and
   * gradients are shares of the whole batch's. All have the same state after every step; rank 0 alone has checkpoints.
   */
  group?: Group;
}

/**
 * The training loop, of both stages and of both pre-trainings.
 *
 * With checkpoints it goes on where the run before ended. They are written from time to time, and after the last whole step
 * when the run is stopped or fails. A checkpoint that cannot be written ends it, and the one before stays.
 *
 * @returns the trained tensors, owned by the caller, and what every step measured
 * @throws when a loss, a gradient or a parameter is not finite (naming step and batch), when memory is used up
 * (`OutOfMemory`), the signal is aborted, or another process of the group is lost
 */
export async function fit<Batch>(
  run: Run<Batch>,
): Promise<{ params: Params; records: TrainingRecord[] }> {
  const { checkpoints, group } = run, signal = group ? undefined : run.signal;
  const sums = group && stepSums(group, run.signal);
  let { state, records } = await beginning(run);
  const start = performance.now() - 1000 * (records.at(-1)?.seconds ?? 0);
  let saved = { at: performance.now(), steps: records.length };
  const save = () => {
    if (!checkpoints || saved.steps === records.length) return;
    saved = { at: performance.now(), steps: records.length };
    checkpoints.save({ state, records });
  };
  try {
    while (records.length < run.steps) {
      await (sums?.checkpoint() ?? checkpoint(signal));
      const index = records.length, step = index + 1, learningRate = run.learningRate(index);
      const began = performance.now();
      // Forward, loss, backward, clipping, AdamW.
      const stepped = await run.step(
        state,
        run.frozen,
        await run.batch(index),
        learningRate,
        signal,
        sums?.reduce,
      );
      const { next, loss, gradientNorm } = await measured(
        stepped,
        () => `Step ${step}, learning rate ${learningRate}, ${run.describe(index)}`,
      );
      const examplesPerSecond = 1000 * run.examplesPerStep / (performance.now() - began);
      const validationLoss = await orDispose(next, run.evaluate?.(next.params, step)) ?? null;
      const seconds = (performance.now() - start) / 1000, epoch = step / run.stepsPerEpoch;
      records.push({
        loss,
        gradientNorm,
        learningRate,
        step,
        epoch,
        seconds,
        examplesPerSecond,
        validationLoss,
      });
      dispose(state);
      state = next;
      if (checkpoints && performance.now() - saved.at > 1000 * checkpoints.everySeconds) save();
      await run.onStep?.(records.at(-1)!, run.steps);
    }
    save();
    return { params: copyOf(state.params), records };
  } catch (error) {
    try {
      save();
    } catch (second) { // the first error is the one to be told
      console.error((second as Error).message);
    }
    throw error;
  } finally {
    dispose(state);
  }
}

/** Where a run begins, or goes on: with a group, where rank 0 does. */
async function beginning<Batch>({ initial, checkpoints, group }: Run<Batch>): Promise<Checkpoint> {
  const own = group && group.rank > 0
    ? null
    : await checkpoints?.load() ?? { state: initialState(initial), records: [] };
  return group ? await shareCheckpoint(group, own) : own!;
}

/** What a promise gives; where it fails, the state is dropped. */
async function orDispose<T>(state: TrainState, promise: T | Promise<T>): Promise<T> {
  try {
    return await promise;
  } catch (error) {
    dispose(state);
    throw error;
  }
}

/** What a step measured, as numbers. @throws if one is not finite; the step's state is dropped then */
async function measured(
  { next, measures }: Stepped,
  where: () => string,
): Promise<{ next: TrainState; loss: number; gradientNorm: number }> {
  const numbers = await orDispose(next, measures.data()).finally(() => measures.dispose());
  const names = ["loss", "gradient's norm", "new parameters' norm"], [loss, gradientNorm] = numbers;
  const wrong = numbers.findIndex((x) => !Number.isFinite(x));
  if (wrong < 0) return { next, loss, gradientNorm };
  dispose(next);
  throw new Error(
    `${where()}: the ${names[wrong]} is ${numbers[wrong]}. Lower the rate, or look at this batch's data.`,
  );
}
