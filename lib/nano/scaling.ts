import { kept } from "../artifacts/mod.ts";
import { type Config, writeFileAtomic } from "../config/mod.ts";
import { attentionModules, type Model } from "../model/mod.ts";
import { LESION_TYPES, type QuestionType } from "../phantom/mod.ts";
import type { ScalingPoint } from "../stats/mod.ts";
import { tf } from "../tensor/mod.ts";
import type { Tokenizer } from "../text/mod.ts";
import { paramsSha256 } from "../weights/mod.ts";
import {
  epochBatches,
  type Example,
  labelCount,
  type Pair,
  toExamples,
  trainStage2,
} from "../training/mod.ts";
import { type PhantomItem, phantomItems, phantomPath, phantomStore } from "./measure.ts";

/** What stage 2 is trained on. */
export const LESION_GROUP: readonly QuestionType[] = [...LESION_TYPES, "open"];

/** Phantom questions as pairs to train on. */
export const toPairs = (items: readonly PhantomItem[]): Pair[] =>
  items.map((item, i) => ({
    id: `${item.style}/${item.seed}/${i}`,
    imagePath: phantomPath(item),
    imageId: `${item.seed}`,
    question: item.question,
    answer: item.answer,
    choices: null,
  }));

/** One training of equation 1's grid. */
export interface ScalingRun {
  /** Of the adapter: its size. */
  rank: number;
  /** Batches: its tokens. */
  steps: number;
  /** Of the initial adapter, the phantoms and their order. */
  seed: number;
}

/** Trained parameters of an adapter of both towers' attention. */
const parametersOf = ({ config }: Model, rank: number): number =>
  attentionModules(config, "both").reduce((sum, { inputs, outputs }) => sum + rank * (inputs + outputs), 0);

/** Phantom seeds far from those of the base model, the corpora and the trials of adaptation. */
const phantomSeed = (part: number) => 300_000_000 + part * 1_000_000;

/**
 * A point of equation 1: an adapter of its own, trained from the base model on lesion questions about shifted phantoms for so
 * many steps, and its loss on held-out questions that are the same for all runs. alpha / rank is the same for all ranks. What
 * was trained before is found again.
 *
 * @param options.perType training questions of each type, and a tenth of it for the loss
 * @throws the signal's reason, once it is aborted
 */
export async function scalingPoint(
  model: Model,
  tokenizer: Tokenizer,
  config: Config,
  { rank, steps, seed }: ScalingRun,
  options: { perType: number; signal?: AbortSignal },
): Promise<ScalingPoint> {
  const stage2 = { ...config.stage2, rank, alpha: rank * config.stage2.alpha / config.stage2.rank };
  const settings = { ...config, seed, stage2, limit: null };
  const { compiler, matmulPrecision } = config.model;
  const key = { model: paramsSha256(model.params), compiler, matmulPrecision, stage2, seed, steps };
  const path = await kept("nano", "scaling", { ...key, perType: options.perType }, async (path) => {
    const examplesOf = (perType: number, part: number): Example[] =>
      toExamples(
        toPairs(phantomItems(perType, phantomSeed(part), "shifted", LESION_GROUP)),
        tokenizer,
        model.config,
      );
    const examples = examplesOf(options.perType, 1 + seed);
    const batches: Example[][] = [];
    for (let epoch = 0; batches.length < steps; epoch++) {
      batches.push(...epochBatches(examples, stage2.batchSize, `scaling/${seed}/${epoch}`));
    }
    const used = batches.slice(0, steps);
    const { adapter, records } = await trainStage2(model, null, used, settings, {
      store: phantomStore(model.config.vision.imageSize),
      validation: examplesOf(Math.max(1, Math.floor(options.perType / 10)), 0),
      validations: 1,
      stepsPerEpoch: Math.ceil(examples.length / stage2.batchSize),
      signal: options.signal,
    });
    tf.dispose(adapter.params);
    const tokens = used.reduce((sum, batch) => sum + labelCount(batch), 0);
    const point = { parameters: parametersOf(model, rank), tokens, loss: records.at(-1)!.validationLoss };
    await writeFileAtomic(path, JSON.stringify(point));
  });
  return JSON.parse(await Deno.readTextFile(path)) as ScalingPoint;
}
