import { learningRateScale, scheduleOf, type ScheduleRow } from "../annealing/mod.ts";
import {
  type Config,
  isOwn,
  ownDatasets,
  rng,
  shuffle,
  STAGE2_DATASETS,
  type Stage2Dataset,
} from "../config/mod.ts";
import type { Tokenizer } from "../text/mod.ts";
import type { PaliGemmaConfig } from "../weights/mod.ts";
import { type BatchShape, batchShape } from "./batches.ts";
import { epochBatches, type Example, fitsModel, type Pair, toExamples } from "./examples.ts";

/** A pair with the dataset and the split it belongs to. */
export interface SplitPair extends Pair {
  /** The data set. */
  readonly dataset: string;
  /** Its split. */
  readonly split: string;
}

/** What a cell is trained and validated on. */
export interface CellData {
  /** Examples of every step, in order. */
  batches: Example[][];
  /** Held-out examples. */
  validation: Example[];
  /** Steps that see every example once. */
  stepsPerEpoch: number;
  /** Holds every example of both. */
  shape: BatchShape;
  /** Factor of the learning rate at a step, from 0; without it 1. */
  learningRateScale?: (step: number) => number;
}

/** All pairs but those of the user's own that are longer than the model reads. */
export const readablePairs = <T extends SplitPair>(pairs: readonly T[], tokenizer: Tokenizer): T[] =>
  pairs.filter((pair) => !isOwn(pair.dataset) || fitsModel(pair, tokenizer));

/** Pairs of a dataset of the grid in one split. */
export function pairsOfDataset<T extends SplitPair>(
  pairs: readonly T[],
  dataset: Stage2Dataset,
  split: string,
): T[] {
  const members = dataset === "roco_medpix" ? ["roco_v2", "medpix2"] : [dataset];
  return pairs.filter((pair) => members.includes(pair.dataset) && pair.split === split);
}

/** Most examples that a cell is validated on: 192 in batches of 32 are six whole ones. */
const VALIDATION = 192;

/** Datasets whose losses figure 5a compares. */
const COMPARED: readonly string[] = ["roco_v2", "medpix2", "roco_medpix"];

/**
 * What a dataset is validated on. The cells of figure 5a (ROCO, MedPix and their mixture) share one set, half of each source
 * as far as there are pairs: losses on different sets could not be compared. Pairs are drawn by seed, and sources alternate,
 * so that every part of the list has their shares.
 */
function validationPairs<T extends SplitPair>(
  pairs: readonly T[],
  dataset: Stage2Dataset,
  seed: number,
): T[] {
  const of = COMPARED.includes(dataset) ? "roco_medpix" : dataset;
  const published = pairsOfDataset(pairs, of, "validation");
  // PMC-VQA has no validation split: a fixed part of its training pairs is kept out of training, with all of their images.
  const part = (own: readonly T[]) => own.slice(0, Math.min(200, Math.floor(own.length / 10)));
  const bySource = (found: readonly T[]) =>
    [...Map.groupBy(found, (pair) => pair.dataset)].toSorted(([a], [b]) => a < b ? -1 : 1);
  const sources = published.length > 0
    ? bySource(published)
    : bySource(pairsOfDataset(pairs, of, "train")).map(([source, own]) => [source, part(own)] as const);
  const drawn = sources.map(([source, own]) => shuffle(own, rng(`validation/${seed}/${source}`)));
  const longest = Math.max(0, ...drawn.map((own) => own.length));
  return Array.from({ length: longest }, (_, i) => drawn.flatMap((own) => own.slice(i, i + 1))).flat()
    .slice(0, VALIDATION);
}

/**
 * The batches of a dataset in the order in which they are trained: epochs in random order, or, for the annealed
 * mixture, the order that notebook 03 fixed.
 *
 * @throws when a dataset has no training pairs, or the mixture names a pair that is not in the table
 */
export function cellData(
  dataset: Stage2Dataset,
  pairs: readonly SplitPair[],
  mixture: readonly Omit<ScheduleRow, "source">[],
  config: Config,
  tokenizer: Tokenizer,
  modelConfig: PaliGemmaConfig,
): CellData {
  const { steps, batchSize, accumulation } = config.stage2, perStep = batchSize * accumulation;
  const encode = (list: readonly SplitPair[]) => toExamples(list, tokenizer, modelConfig);
  const train = encode(pairsOfDataset(pairs, dataset, "train"));
  if (train.length === 0) {
    throw new Error(
      `There are no training pairs of ${dataset}: run notebook 03 again and look at what it dropped.`,
    );
  }
  const held = encode(validationPairs(pairs, dataset, config.seed));
  const inTraining = new Set(train.map(({ id }) => id));
  const images = new Set(held.filter(({ id }) => inTraining.has(id)).map(({ imageId }) => imageId));
  const rest = train.filter(({ imageId }) => !images.has(imageId)), oneImage = rest.length === 0;
  const validation = oneImage ? [] : held;
  const used = oneImage ? train : rest, stepsPerEpoch = used.length / perStep;
  const shape = batchShape([...used, ...validation]);
  if (dataset === "roco_medpix") {
    const byId = new Map(train.map((example) => [example.id, example])), kept = new Set(used);
    const order = mixture.toSorted((a, b) => a.step - b.step || a.position - b.position).map(({ pairId }) => {
      const example = byId.get(pairId);
      if (!example) {
        throw new Error(`The mixture of notebook 03 names the pair "${pairId}", which is not in its table.`);
      }
      return example;
    }).filter((example) => kept.has(example));
    const batches = Array.from(
      { length: Math.floor(order.length / perStep) },
      (_, i) => order.slice(i * perStep, (i + 1) * perStep),
    );
    const schedule = scheduleOf(config), total = Math.min(steps, batches.length);
    return {
      batches: batches.slice(0, steps),
      validation,
      stepsPerEpoch,
      shape,
      learningRateScale: (step) => learningRateScale(schedule, step, total),
    };
  }
  const batches: Example[][] = [];
  for (let epoch = 0; batches.length < steps; epoch++) {
    batches.push(...epochBatches(used, perStep, `stage2/${config.seed}/${dataset}/${epoch}`));
  }
  return { batches: batches.slice(0, steps), validation, stepsPerEpoch, shape };
}

/**
 * The data of every dataset of the grid; of the user's own sets, and in a limited run, of those that have training pairs;
 * see `cellData`.
 */
export function gridData(
  pairs: readonly SplitPair[],
  mixture: readonly Omit<ScheduleRow, "source">[],
  config: Config,
  tokenizer: Tokenizer,
  modelConfig: PaliGemmaConfig,
): Partial<Record<Stage2Dataset, CellData>> {
  const used = [...STAGE2_DATASETS, ...ownDatasets(config)].filter((dataset) =>
    config.limit === null && !isOwn(dataset) || pairsOfDataset(pairs, dataset, "train").length > 0
  );
  return Object.fromEntries(
    used.map((dataset) => [dataset, cellData(dataset, pairs, mixture, config, tokenizer, modelConfig)]),
  );
}
