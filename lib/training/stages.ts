import { type Config, limited } from "../config/mod.ts";
import {
  type ImageStore,
  initAdapter,
  type Model,
  modelWeights,
  PROJECTOR,
  readAhead,
  type Towers,
} from "../model/mod.ts";
import { asType, copyOf, tf } from "../tensor/mod.ts";
import type { Adapter, Params } from "../weights/mod.ts";
import { TORCH_ADAMW } from "./adamw.ts";
import {
  batchReader,
  batchShape,
  labelCount,
  pixelsFrom,
  type ReadImages,
  type TrainingBatch,
  wholeBatches,
} from "./batches.ts";
import { epochBatches, type Example } from "./examples.ts";
import { type FeatureFile, keptFeatures, towerFeatures } from "./features.ts";
import { fit, type Run, type TrainingRecord } from "./fit.ts";
import { meanLoss } from "./loss.ts";
import { isByBlock, nextTokenObjective } from "./objective.ts";
import { type Objective, type StepSettings, type TrainStep, trainStep } from "./step.ts";
import { firstInRank0, ownParts, partsOf } from "./workers.ts";

/** What both stages take beside model and data. */
export interface StageOptions
  extends Pick<Run<TrainingBatch>, "onStep" | "signal" | "checkpoints" | "group"> {
  /** Images in the model's size. */
  store: ImageStore;
  /** Held-out examples. */
  validation: readonly Example[];
}

/** How far the loss on held-out pairs falls, from the first measurement to the least, in nats; null where there is none. */
export function lossFall(records: readonly Pick<TrainingRecord, "validationLoss">[]): number | null {
  const losses = records.flatMap(({ validationLoss }) => validationLoss === null ? [] : [validationLoss]);
  return losses.length > 0 ? losses[0] - Math.min(...losses) : null;
}

/** Steps by what their objective closes over: a stage that is run again, from other weights too, is not traced again. */
const traced = new Map<string, TrainStep<TrainingBatch>>();

function tracedOnce(
  key: unknown[],
  settings: StepSettings,
  objective: Objective<TrainingBatch>,
): TrainStep<TrainingBatch> {
  const text = JSON.stringify([key, settings]), step = traced.get(text) ?? trainStep(objective, settings);
  traced.set(text, step);
  return step;
}

/** AdamW with torch's constants and gradients of norm 1 at most, in both stages. */
const settingsOf = (weightDecay: number, config: Config): StepSettings => ({
  ...TORCH_ADAMW,
  weightDecay,
  maxGradientNorm: 1,
  compiler: config.model.compiler,
});

/** What differs between the stages. */
interface Stage
  extends Pick<Run<TrainingBatch>, "initial" | "frozen" | "step" | "stepsPerEpoch" | "learningRate"> {
  /** Examples of each accumulated batch, in parts. */
  batches: Example[][][];
  /** The steps after which the validation loss is measured. */
  validateAfter: ReadonlySet<number>;
  /** The model with the trained tensors. */
  modelWith: (params: Params) => Model;
  /** What the model gets of the images. */
  images: ReadImages;
  /** Whether that comes from files of images, which are read while the step before is computed. */
  fromFiles: boolean;
}

/** Names of the first examples. */
function listed(examples: readonly Example[]): string {
  const shown = 8,
    ids = examples.slice(0, shown).map(({ id }) => id).join(", "),
    more = examples.length - shown;
  return more > 0 ? `${ids} and ${more} more` : ids;
}

async function fitStage(stage: Stage, config: Config, options: StageOptions) {
  const { batches, validateAfter, modelWith, images, fromFiles, ...run } = stage,
    { store, signal, onStep, checkpoints, group } = options;
  const shape = batchShape([...batches.flat(2), ...options.validation]), batchSize = batches[0][0].length;
  const validation = wholeBatches(options.validation, batchSize), { compiler } = config.model;
  await using ahead = fromFiles ? readAhead(store) : null;
  const own = group ? batches.map((parts) => ownParts(parts, group)) : batches;
  const reader = batchReader(own, images, shape, ahead, (i) => labelCount(batches[i].flat()));
  // A process of a group does not stop for itself: see stepSums.
  const measure = { shape, compiler, ...group ? { group } : { signal } };
  return await fit({
    ...run,
    steps: batches.length,
    examplesPerStep: batches[0].flat().length,
    batch: (index) => reader.read(index),
    describe: (index) => `the examples ${listed(batches[index].flat())}`,
    evaluate: async (params, step) =>
      validateAfter.has(step) && validation.length > 0
        ? await meanLoss(modelWith(params), validation, images, { batchSize: own[0][0].length, ...measure })
        : null,
    onStep,
    checkpoints,
    signal,
    group,
  });
}

/** What stage 1 takes besides. */
export interface Stage1Options extends StageOptions {
  /** Keep the vision tower's features of all images in a file ({@linkcode keptFeatures}); else each batch's are computed. */
  keepFeatures?: boolean;
  /** Told how many images have been through the tower, while the file is made. */
  onFeatures?: (done: number, total: number) => void | Promise<void>;
}

/** What stage 1 gives. */
export interface Stage1 {
  /** float32, owned by the caller */
  projector: Params;
  /** The loss after every step. */
  records: TrainingRecord[];
  /** The file of features; null where there was none. */
  features: FeatureFile | null;
}

/**
 * Stage 1 (paper section 4.4): only the projector is trained, everything else is frozen. So a step begins with the vision
 * tower's features, which are computed once where they are kept; the losses are the same. `stage2.recompute` applies here
 * too.
 *
 * @throws as {@linkcode fit}, and if there is no example
 */
export async function trainStage1(
  model: Model,
  examples: readonly Example[],
  config: Config,
  options: Stage1Options,
): Promise<Stage1> {
  const { epochs, batchSize, learningRate, weightDecay } = config.stage1;
  const used = examples.slice(0, limited(examples.length, config));
  if (used.length === 0) {
    throw new Error(
      "Stage 1 has no training questions: raise the limit, or look at what notebook 03 dropped.",
    );
  }
  const { tensors, loraScale } = modelWeights(model);
  const above = Object.entries(tensors).filter(([name]) => !name.startsWith("vision_tower."));
  const recompute = config.stage2.recompute, byBlock = isByBlock(recompute, config.model.compiler);
  const step = tracedOnce(
    ["stage 1", model.config, loraScale, recompute],
    { ...settingsOf(weightDecay, config), byBlock },
    nextTokenObjective(model.config, { loraScale, recompute, compiler: byBlock ? "xla" : undefined }),
  );
  const perEpoch = Array.from(
    { length: epochs },
    (_, epoch) => epochBatches(used, Math.min(batchSize, used.length), `stage1/${config.seed}/${epoch}`),
  );
  const stepsPerEpoch = perEpoch[0].length;
  const compute = towerFeatures(model, options.store, config.model.compiler);
  const paths = [...used, ...options.validation].map(({ imagePath }) => imagePath);
  using kept = options.keepFeatures
    ? await firstInRank0(
      options.group,
      () => keptFeatures(model, options.store, paths, compute, config, options),
    )
    : null;
  const initial = Object.fromEntries(
    PROJECTOR.map((name) => [name, tf.keep(asType(model.params[name], "float32"))]),
  );
  try {
    const { params, records } = await fitStage(
      {
        initial,
        frozen: Object.fromEntries(above),
        step,
        stepsPerEpoch,
        learningRate: () => learningRate,
        batches: perEpoch.flat().map((batch) => [batch]),
        validateAfter: new Set([1, ...perEpoch.map((_, epoch) => (epoch + 1) * stepsPerEpoch)]),
        modelWith: (params) => ({ ...model, params: { ...model.params, ...params } }),
        images: kept?.read ?? compute,
        fromFiles: kept === null,
      },
      config,
      options,
    );
    return { projector: params, records, features: kept && kept.file };
  } finally {
    tf.dispose(initial);
  }
}

/**
 * Stage 2 (paper section 4.4): LoRA on the attention of both towers, from the projector of stage 1 where there is one.
 * `batches` fixes the order of the examples (see lib/annealing); each is cut into `accumulation` parts.
 *
 * @param projector frozen projector to start from; null: the base model's
 * @returns the adapter with that projector (float32, owned by the caller) and the loss after every step
 * @throws as {@linkcode fit}
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
  const { towers = "both", validations = 5, stepsPerEpoch, learningRateScale = () => 1 } = options;
  const initial = initAdapter(model.config, { r: rank, alpha, towers, seed: config.seed });
  const adapterOf = (params: Params, start = projector): Adapter => ({
    ...initial,
    params,
    ...(start ? { projector: start } : {}),
  });
  const byBlock = isByBlock(recompute, config.model.compiler), compiler = byBlock ? "xla" : undefined;
  const step = tracedOnce(
    ["stage 2", model.config, initial.config, recompute],
    { ...settingsOf(weightDecay, config), byBlock },
    nextTokenObjective(model.config, { loraScale: alpha / rank, recompute, compiler }),
  );
  const steps = limited(batches.length, config), every = Math.ceil(steps / validations);
  const allSteps = Array.from({ length: steps }, (_, i) => i + 1);
  try {
    const { params, records } = await fitStage(
      {
        initial: initial.params,
        frozen: { ...model.params, ...projector },
        step,
        stepsPerEpoch,
        learningRate: (index) => learningRate * learningRateScale(index),
        batches: batches.slice(0, steps).map((batch) => partsOf(batch, accumulation)),
        validateAfter: new Set(allSteps.filter((s) => s === 1 || s % every === 0 || s === steps)),
        modelWith: (params) => ({ ...model, adapter: adapterOf(params) }),
        images: pixelsFrom(options.store),
        fromFiles: true,
      },
      config,
      options,
    );
    return { adapter: adapterOf(params, projector && copyOf(projector)), records };
  } finally {
    tf.dispose(initial.params);
  }
}
