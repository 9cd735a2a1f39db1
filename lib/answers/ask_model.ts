import { computing, type Config, limited } from "../config/mod.ts";
import { answerSeed, type AskedItem, exact, type Prediction } from "../evaluation/mod.ts";
import { answerPrompts, type ImageStore, type Model } from "../model/mod.ts";
import { clusteredDifference, clusteredShare, type Interval } from "../stats/mod.ts";
import type { Group } from "../tensor/mod.ts";
import { questionPrefix, type Tokenizer } from "../text/mod.ts";
import { answerOrFind } from "./kept_answers.ts";

/** How the answers of a model are drawn. */
export interface AskOptions {
  /** Stochastic answers per item; 1 is greedy. */
  runs: number;
  /** Give the model grey images (a control). */
  blankImages?: boolean;
  /** Keep the answers, and use those that are kept, under this name of the model's weights. */
  weights?: string;
  /** Processes that share the items; all get all answers. */
  group?: Group;
  /** Told how many items have their answers. */
  onProgress?: (done: number, total: number) => void | Promise<void>;
  /** Looked at between batches. */
  signal?: AbortSignal;
}

/**
 * A model's answers to items, free generation: greedy, or `runs` samples per item over one prefill (paper section 5.3:
 * five), as predictions with the seeds they were drawn with. An item's answers depend on it and `config.seed` alone, not
 * on the other items; all models draw with the same seeds, so that paired comparisons gain.
 */
export async function askModel(
  model: Model,
  tokenizer: Tokenizer,
  store: ImageStore,
  items: readonly AskedItem[],
  config: Config,
  options: AskOptions,
): Promise<Prediction[]> {
  const { maxNewTokens, batchSize, temperature } = config.evaluation;
  const { runs, blankImages, weights, group, onProgress, signal } = options;
  const used = items.slice(0, limited(items.length, config));
  const seedsOf = ({ id }: AskedItem) =>
    Array.from({ length: runs }, (_, run) => answerSeed(config.seed, id, run));
  const prompts = used.map((item) => ({
    imagePath: item.imagePath,
    prefix: questionPrefix(item),
    ...(runs > 1 ? { seeds: seedsOf(item) } : {}),
  }));
  const settings = {
    maxNewTokens,
    batchSize: Math.max(1, Math.floor(batchSize / runs)),
    ...(runs > 1 ? { temperature } : {}),
    blankImages,
    // On a CPU XLA is no faster here, and compiles for ten seconds what a new length of prompts or kind of model needs.
    compiler: computing.device === "CPU" ? "graph" as const : "xla" as const,
    group,
    onProgress,
    signal,
  };
  const answers = weights === undefined
    ? await answerPrompts(model, tokenizer, store, prompts, settings)
    : await answerOrFind({ model, tokenizer, store, weights }, prompts, settings);
  return used.flatMap(({ id }, i) =>
    answers[i].map(({ text, ended }, run) => ({
      id,
      run,
      answer: text,
      seed: prompts[i].seeds?.[run] ?? null,
      cut: !ended,
    }))
  );
}

/** Exact match of two models on the same items, and the paired difference. */
export interface AccuracyComparison {
  /** Accuracy of both systems, with 95 % intervals. */
  rows: { model: string; items: number; accuracy: number; low: number; high: number }[];
  /** Second minus first, 95 % interval of the images. */
  difference: Interval;
  /** Every item with what both said. */
  items: { id: string; questionType: string | null; first: string; second: string; answer: string }[];
}

/**
 * Greedy answers of two models to the same items, scored by exact match after normalisation; null of no items.
 */
export async function compareAccuracy(
  models: readonly [{ name: string; model: Model }, { name: string; model: Model }],
  tokenizer: Tokenizer,
  store: ImageStore,
  items: readonly (AskedItem & { questionType: string | null })[],
  config: Config,
  { signal }: { signal?: AbortSignal } = {},
): Promise<AccuracyComparison | null> {
  const used = items.slice(0, limited(items.length, config));
  if (used.length === 0) return null;
  const said: string[][] = [];
  for (const { model } of models) {
    const greedy = await askModel(model, tokenizer, store, used, config, { runs: 1, signal });
    said.push(greedy.map((prediction) => prediction.answer));
  }
  const right = said.map((answers) => used.map((item, i) => exact({ ...item, prediction: answers[i] })!));
  const images = used.map((item) => item.imageId);
  return {
    rows: models.map(({ name }, m) => {
      const { estimate, low, high } = clusteredShare(right[m], images);
      return { model: name, items: used.length, accuracy: estimate, low, high };
    }),
    difference: clusteredDifference(right[1].map((score, i) => score - right[0][i]), images),
    items: used.map((item, i) => ({
      id: item.id,
      questionType: item.questionType,
      first: said[0][i],
      second: said[1][i],
      answer: item.answer,
    })),
  };
}
