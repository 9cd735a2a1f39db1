import { type Config, limited } from "../config/mod.ts";
import { checkpoint } from "../jupyter/mod.ts";
import {
  type ImageStore,
  initAdapter,
  lossAndGradients,
  type Model,
  modelWeights,
  readAhead,
  type Towers,
  weightsOf,
} from "../model/mod.ts";
import { asType, tf } from "../tensor/mod.ts";
import type { Adapter, Params } from "../weights/mod.ts";
import { TORCH_ADAMW } from "./adamw.ts";
import { batchShape, labelCount, trainingBatch, unpack, wholeBatches } from "./batches.ts";
import { epochBatches, type Example } from "./examples.ts";
import { createTrainer, type StepMetrics, type Trainer, type TrainStep, trainStep } from "./trainer.ts";
import { meanLoss } from "./loss.ts";

/** A point of a training curve. */
export interface TrainingRecord extends StepMetrics {
  step: number;
  epoch: number;
  seconds: number;
  /** Mean loss on the validation examples, where it was measured after this step. */
  validationLoss: number | null;
}

export interface StageOptions {
  store: ImageStore;
  validation: readonly Example[];
  /** Called after every step; awaited. */
  onStep?: (record: TrainingRecord, totalSteps: number) => void | Promise<void>;
  /** Ends the training between two steps, or two parts of an accumulated one, by throwing its reason. */
  signal?: AbortSignal;
}

/** How far the loss on held-out pairs falls, from the first measurement to the least, in nats; null where there is none. */
export function lossFall(records: readonly Pick<TrainingRecord, "validationLoss">[]): number | null {
  const losses = records.flatMap(({ validationLoss }) => validationLoss === null ? [] : [validationLoss]);
  return losses.length > 0 ? losses[0] - Math.min(...losses) : null;
}

const projectorNames = ["multi_modal_projector.linear.weight", "multi_modal_projector.linear.bias"];

const copy = (params: Params): Params =>
  Object.fromEntries(Object.entries(params).map(([name, x]) => [name, tf.keep(tf.clone(x))]));

/** Steps by what their objective closes over: a stage that is run again, from other weights too, is not traced again. */
const traced = new Map<string, TrainStep>();

function tracedOnce(key: unknown, make: () => TrainStep): TrainStep {
  const text = JSON.stringify(key), step = traced.get(text) ?? make();
  traced.set(text, step);
  return step;
}

interface Plan {
  /** Examples of each accumulated batch, in parts. */
  batches: Example[][][];
  /** At a step, from 0. */
  learningRate: (step: number) => number;
  /** Steps after which the validation loss is measured. */
  validateAfter: Set<number>;
  stepsPerEpoch: number;
}

async function runPlan(
  trainer: Trainer,
  plan: Plan,
  options: StageOptions,
  modelWith: (params: Params) => Model,
  config: Config,
): Promise<TrainingRecord[]> {
  const shape = batchShape([...plan.batches.flat(2), ...options.validation]);
  const partSize = plan.batches[0][0].length, validation = wholeBatches(options.validation, partSize);
  const records: TrainingRecord[] = [];
  const start = performance.now();
  await using reader = readAhead(options.store);
  for (const [index, parts] of plan.batches.entries()) {
    await checkpoint(options.signal);
    const total = labelCount(parts.flat()), step = index + 1;
    const tensors = [];
    for (const part of parts) tensors.push(await trainingBatch(part, options.store, shape, total));
    reader.start((plan.batches[index + 1] ?? []).flat().map(({ imagePath }) => imagePath));
    const metrics = await trainer.step(tensors, plan.learningRate(index), options.signal);
    const validationLoss = plan.validateAfter.has(step) && validation.length
      ? await meanLoss(modelWith(trainer.params()), validation, options.store, {
        batchSize: partSize,
        shape,
        compiler: config.model.compiler,
        signal: options.signal,
      })
      : null;
    const record = {
      ...metrics,
      step,
      epoch: step / plan.stepsPerEpoch,
      seconds: (performance.now() - start) / 1000,
      validationLoss,
    };
    records.push(record);
    await options.onStep?.(record, plan.batches.length);
  }
  return records;
}

/**
 * Stage 1 (paper section 4.4): only the projector is trained, everything else is frozen.
 *
 * @returns the trained projector (float32, owned by the caller) and the loss after every step
 */
export async function trainStage1(
  model: Model,
  examples: readonly Example[],
  config: Config,
  options: StageOptions,
): Promise<{ projector: Params; records: TrainingRecord[] }> {
  const { epochs, batchSize, learningRate, weightDecay } = config.stage1;
  const used = examples.slice(0, limited(examples.length, config));
  if (used.length === 0) {
    throw new Error(
      "Stage 1 has no training questions: raise the limit, or look at what notebook 03 dropped.",
    );
  }
  const initial = Object.fromEntries(
    projectorNames.map((name) => [name, tf.keep(asType(model.params[name], "float32"))]),
  );
  const settings = { ...TORCH_ADAMW, weightDecay, maxGradientNorm: 1, compiler: config.model.compiler };
  const { tensors, loraScale } = modelWeights(model);
  const step = tracedOnce(
    ["stage 1", model.config, loraScale, settings],
    () =>
      trainStep((params, frozen, part) => {
        const { inputs, labels } = unpack(part), weights = { loraScale, tensors: { ...frozen, ...params } };
        return lossAndGradients(weights, projectorNames, inputs, labels, model.config);
      }, settings),
  );
  const trainer = createTrainer(initial, tensors, step);
  try {
    const perEpoch = Array.from(
      { length: epochs },
      (_, epoch) => epochBatches(used, Math.min(batchSize, used.length), `stage1/${config.seed}/${epoch}`),
    );
    const plan = {
      batches: perEpoch.flat().map((batch) => [batch]),
      learningRate: () => learningRate,
      validateAfter: new Set([1, ...perEpoch.map((_, epoch) => (epoch + 1) * perEpoch[0].length)]),
      stepsPerEpoch: perEpoch[0].length,
    };
    const records = await runPlan(
      trainer,
      plan,
      options,
      (params) => ({ ...model, params: { ...model.params, ...params } }),
      config,
    );
    return { projector: copy(trainer.params()), records };
  } finally {
    trainer.dispose();
    tf.dispose(initial);
  }
}

/**
 * Stage 2 (paper section 4.4): LoRA on the attention of both towers, from the projector of stage 1 where there is one.
 * `batches` fixes the order of the examples (see lib/annealing); each is cut into `accumulation` parts.
 *
 * @param projector frozen projector to start from; null: the base model's
 * @returns the adapter with that projector (float32, owned by the caller) and the loss after every step
 */
export async function trainStage2(
  model: Model,
  projector: Params | null,
  batches: readonly (readonly Example[])[],
  config: Config,
  options: StageOptions & {
    towers?: Towers;
    validations?: number;
    stepsPerEpoch: number;
    learningRateScale?: (step: number) => number;
  },
): Promise<{ adapter: Adapter; records: TrainingRecord[] }> {
  const { rank, alpha, accumulation, learningRate, weightDecay, recompute } = config.stage2;
  const initial = initAdapter(model.config, {
    r: rank,
    alpha,
    towers: options.towers ?? "both",
    seed: config.seed,
  });
  const adapterOf = (params: Params): Adapter => ({
    ...initial,
    params,
    ...(projector ? { projector } : {}),
  });
  const settings = { ...TORCH_ADAMW, weightDecay, maxGradientNorm: 1, compiler: config.model.compiler };
  const step = tracedOnce(
    ["stage 2", model.config, initial.config, settings, recompute],
    () =>
      trainStep((params, frozen, part) => {
        const { inputs, labels } = unpack(part);
        const weights = weightsOf(frozen, { config: initial.config, params });
        return lossAndGradients(weights, Object.keys(params), inputs, labels, model.config, { recompute });
      }, settings),
  );
  const trainer = createTrainer(initial.params, { ...model.params, ...projector }, step);
  try {
    const steps = limited(batches.length, config), every = Math.ceil(steps / (options.validations ?? 5));
    const plan = {
      batches: batches.slice(0, steps).map((batch) => {
        const size = Math.ceil(batch.length / accumulation);
        return Array.from(
          { length: Math.ceil(batch.length / size) },
          (_, i) => batch.slice(i * size, (i + 1) * size),
        );
      }),
      learningRate: (step: number) => learningRate * (options.learningRateScale?.(step) ?? 1),
      validateAfter: new Set([
        1,
        ...batches.map((_, i) => i + 1).filter((s) => s % every === 0 || s === steps),
      ]),
      stepsPerEpoch: options.stepsPerEpoch,
    };
    const records = await runPlan(
      trainer,
      plan,
      options,
      (params) => ({ ...model, adapter: adapterOf(params) }),
      config,
    );
    const adapter = {
      ...adapterOf(copy(trainer.params())),
      ...(projector ? { projector: copy(projector) } : {}),
    };
    return { adapter, records };
  } finally {
    trainer.dispose();
    tf.dispose(initial.params);
  }
}
