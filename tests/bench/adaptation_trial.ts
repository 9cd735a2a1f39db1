import type { Config } from "@lib/config/mod.ts";
import type { Model } from "@lib/model/mod.ts";
import { ANATOMY_TYPES, type QuestionType } from "@lib/phantom/mod.ts";
import { comparePaired, type PairedComparison, percent } from "@lib/stats/mod.ts";
import { tf } from "@lib/tensor/mod.ts";
import type { Tokenizer } from "@lib/text/mod.ts";
import { epochBatches, type Example, toExamples, trainStage2 } from "@lib/training/mod.ts";
import { trainStage1 } from "@lib/training/stages.ts";
import { type Accuracy, accuracyByType, greedyRight, phantomItems, phantomStore } from "@lib/nano/measure.ts";
import { LESION_GROUP, toPairs } from "@lib/nano/scaling.ts";
import { type CombinationAccuracy, combinationAccuracy, combinationItems } from "./combinations.ts";

/** Phantom seeds of trial t: far from those of the base model and of the corpora. */
const trainSeed = (trial: number, part: number) => 100_000_000 + trial * 1_000_000 + part * 100_000;

/** What one trial found. Accuracies are of free greedy generation on phantoms that nothing was trained on. */
export interface AdaptationTrial {
  /** Number of the trial, from 1. */
  trial: number;
  /** Accuracy by model and group of questions. */
  accuracy: Record<string, { anatomy: Accuracy; lesion: Accuracy }>;
  /** By model: held-out combinations of lesion and organ beside trained ones with the same answers. */
  combinations: Record<string, CombinationAccuracy>;
  // Differences are the later model minus the earlier one.
  /** Stage 1 against the base model on anatomy questions. */
  stage1OnAnatomy: PairedComparison;
  /** Stage 2 against stage 1 on lesion questions. */
  stage2OnLesions: PairedComparison;
  /** Stage 2 with against without stage 1, on lesion questions. */
  withAgainstWithoutStage1: PairedComparison;
  /** Stage 2 against stage 1 on anatomy questions: what is forgotten without replay. */
  forgetting: PairedComparison;
  /** Time of both trainings. */
  seconds: { stage1: number; stage2: number };
}

/**
 * Both stages from the base model on shifted phantoms, with the ablation without stage 1 and the variant that replays
 * anatomy questions in stage 2; everything measured on the same held-out questions.
 *
 * @param options.perType training questions of each type
 * @param options.testPerGroup test questions about anatomy and about lesions
 * @param options.combinations questions of either type about held-out combinations, and as many about trained ones
 */
export async function adaptationTrial(
  model: Model,
  tokenizer: Tokenizer,
  config: Config,
  trial: number,
  options: { perType: number; testPerGroup: number; combinations: number; log: (line: string) => void },
): Promise<AdaptationTrial> {
  const seeded = { ...config, seed: config.seed + trial };
  const store = phantomStore();
  const examplesOf = (types: readonly QuestionType[], part: number) =>
    toExamples(
      toPairs(phantomItems(options.perType, trainSeed(trial, part), "shifted", types)),
      tokenizer,
      model.config,
    );
  const test = {
    anatomy: phantomItems(
      options.testPerGroup / ANATOMY_TYPES.length,
      trainSeed(trial, 5),
      "shifted",
      ANATOMY_TYPES,
    ),
    lesion: phantomItems(
      options.testPerGroup / LESION_GROUP.length,
      trainSeed(trial, 6),
      "shifted",
      LESION_GROUP,
    ),
  };
  const unseen = combinationItems(options.combinations, trainSeed(trial, 7), "shifted");
  const measure = async (name: string, of: Model) => {
    const right = {
      anatomy: await greedyRight(of, tokenizer, test.anatomy),
      lesion: await greedyRight(of, tokenizer, test.lesion),
    };
    const accuracy = {
      anatomy: accuracyByType(test.anatomy, right.anatomy).all,
      lesion: accuracyByType(test.lesion, right.lesion).all,
    };
    options.log(
      `trial ${trial}  ${name}: anatomy ${percent(accuracy.anatomy.accuracy)} %, lesion ${
        percent(accuracy.lesion.accuracy)
      } %`,
    );
    return { right, accuracy, combinations: await combinationAccuracy(of, tokenizer, unseen) };
  };
  const anatomy = examplesOf(ANATOMY_TYPES, 1), lesion = examplesOf(LESION_GROUP, 2);
  const batchesOf = (examples: readonly Example[]): Example[][] => {
    const batches: Example[][] = [];
    for (let epoch = 0; batches.length < config.stage2.steps; epoch++) {
      batches.push(...epochBatches(examples, config.stage2.batchSize, `adaptation/${seeded.seed}/${epoch}`));
    }
    return batches.slice(0, config.stage2.steps);
  };
  const stage2 = async (projector: Parameters<typeof trainStage2>[1], examples: readonly Example[]) => {
    const { adapter } = await trainStage2(model, projector, batchesOf(examples), seeded, {
      store,
      validation: [],
      stepsPerEpoch: examples.length / config.stage2.batchSize,
    });
    return adapter;
  };

  const base = await measure("base", model);
  const started = performance.now();
  const { projector } = await trainStage1(model, anatomy, seeded, { store, validation: [] });
  const seconds1 = (performance.now() - started) / 1000;
  const first = await measure("stage 1", { ...model, params: { ...model.params, ...projector } });
  const before = performance.now();
  const adapters = { "stage 2": await stage2(projector, lesion) };
  const seconds2 = (performance.now() - before) / 1000;
  const second = await measure("stage 2", { ...model, adapter: adapters["stage 2"] });
  const without = await measure("stage 2 without stage 1", { ...model, adapter: await stage2(null, lesion) });
  const replay = await measure("stage 2 with replay", {
    ...model,
    adapter: await stage2(projector, [...lesion, ...anatomy]),
  });
  tf.dispose(projector);
  const compare = (before: typeof base, after: typeof base, group: "anatomy" | "lesion") =>
    comparePaired(after.right[group].map(Number), before.right[group].map(Number));
  const models = {
    base,
    stage1: first,
    stage2: second,
    stage2WithoutStage1: without,
    stage2WithReplay: replay,
  };
  const ofEach = <K extends "accuracy" | "combinations">(key: K) =>
    Object.fromEntries(Object.entries(models).map(([name, found]) => [name, found[key]] as const));
  return {
    trial,
    accuracy: ofEach("accuracy"),
    combinations: ofEach("combinations"),
    stage1OnAnatomy: compare(base, first, "anatomy"),
    stage2OnLesions: compare(first, second, "lesion"),
    withAgainstWithoutStage1: compare(without, second, "lesion"),
    forgetting: compare(first, second, "anatomy"),
    seconds: { stage1: seconds1, stage2: seconds2 },
  };
}
