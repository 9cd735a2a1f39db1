import { learningRateScale, scheduleOf } from "../annealing/mod.ts";
import { type Config, isOwn, ownDatasets, STAGE2_DATASETS, type Stage2Dataset } from "../config/mod.ts";
import type { Tokenizer } from "../text/mod.ts";
import type { PaliGemmaConfig } from "../weights/mod.ts";
import { type BatchShape, batchShape } from "./batches.ts";
import { epochBatches, type Example, type Pair, toExamples } from "./examples.ts";

/** A pair with the dataset and the split it belongs to. */
export interface SplitPair extends Pair {
  readonly dataset: string;
  readonly split: string;
}

/** One place of the annealed mixture, as notebook 03 writes it. */
export interface MixtureRow {
  readonly step: number;
  readonly position: number;
  readonly pairId: string;
}

/** What a cell is trained and validated on. */
export interface CellData {
  batches: Example[][];
  validation: Example[];
  stepsPerEpoch: number;
  /** Holds every example of both. */
  shape: BatchShape;
  /** Factor of the learning rate at a step, from 0; without it 1. */
  learningRateScale?: (step: number) => number;
}

/** Pairs of a dataset of the grid in one split. */
export function pairsOfDataset<T extends SplitPair>(
  pairs: readonly T[],
  dataset: Stage2Dataset,
  split: string,
): T[] {
  const members = dataset === "roco_medpix" ? ["roco_v2", "medpix2"] : [dataset];
  return pairs.filter((pair) => members.includes(pair.dataset) && pair.split === split);
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
  mixture: readonly MixtureRow[],
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
  // PMC-VQA has no validation split: a fixed part of its training pairs is kept out of training, with all of their images.
  const published = encode(pairsOfDataset(pairs, dataset, "validation"));
  const held = published.length ? [] : train.slice(0, Math.min(200, Math.floor(train.length / 10)));
  const images = new Set(held.map(({ imageId }) => imageId));
  const rest = train.filter(({ imageId }) => !images.has(imageId)), oneImage = rest.length === 0;
  const validation = (published.length ? published : oneImage ? [] : held).slice(0, 192);
  const used = oneImage ? train : rest, stepsPerEpoch = used.length / perStep;
  const shape = batchShape([...used, ...validation]);
  if (dataset === "roco_medpix") {
    const byId = new Map(used.map((example) => [example.id, example]));
    const order = mixture.toSorted((a, b) => a.step - b.step || a.position - b.position).map(({ pairId }) => {
      const example = byId.get(pairId);
      if (!example) {
        throw new Error(`The mixture of notebook 03 names the pair "${pairId}", which is not in its table.`);
      }
      return example;
    });
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
  mixture: readonly MixtureRow[],
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
