import {
  type Config,
  GRID,
  isOwn,
  limited,
  type OwnDataset,
  ownDatasets,
  rng,
  shuffle,
  STAGE2_DATASETS,
} from "../config/mod.ts";
import { type CorpusRecord, evaluationSetIds } from "../corpus/mod.ts";
import { hanCount, mean } from "../stats/mod.ts";
import type { QaPair } from "../synthesis/mod.ts";
import { squadTokens } from "./normalise.ts";
import type { Prediction } from "./records.ts";

/** The paper's datasets whose test split is asked about. */
export const TEST_SETS = ["slake", "pmc_vqa", "roco_v2", "medpix2"] as const;
/** One of them, or a set of the user's own. */
export type TestSet = typeof TEST_SETS[number] | OwnDataset;

/** One system on one test set. */
export interface EvaluatedCell {
  /** "roco_v2__with"; the base model's is "roco_v2__base". */
  name: string;
  /** What it is asked. */
  testSet: TestSet;
  /** Which stages trained it. */
  system: "base" | "stage 1" | "without stage 1" | "with stage 1";
  /** Name of its adapter; null: none. A set of the user's own without training pairs has that of ROCO + MedPix. */
  adapter: string | null;
  /** Whether it had stage 1. */
  stage1: boolean;
}

/**
 * The paper's systems: the base model on every test set, stage 1 on SLAKE, and the eight cells of the grid. ROCO with MedPix
 * annealed in is asked about the ROCO test images, as the paper does (its table 1 gives both the same LLaVA-Med score).
 */
export const EVALUATED_CELLS: readonly EvaluatedCell[] = [
  ...TEST_SETS.map((testSet): EvaluatedCell => ({
    name: `${testSet}__base`,
    testSet,
    system: "base",
    adapter: null,
    stage1: false,
  })),
  { name: "slake__with", testSet: "slake", system: "stage 1", adapter: null, stage1: true },
  ...GRID.map(({ name, dataset, stage1 }): EvaluatedCell => ({
    name,
    testSet: dataset === "roco_medpix" ? "roco_v2" : dataset,
    system: stage1 ? "with stage 1" : "without stage 1",
    adapter: name,
    stage1,
  })),
];

/**
 * Systems about a set of the user's own: the base model, and without and with stage 1 what was trained on its training
 * pairs; where nothing was, what was trained on ROCO with MedPix annealed in.
 */
function ownCells(testSet: OwnDataset, isTrained: (adapter: string) => boolean): EvaluatedCell[] {
  const stages = ["without", "with"] as const;
  const dataset = stages.some((stage) => isTrained(`${testSet}__${stage}`)) ? testSet : "roco_medpix";
  return [
    { name: `${testSet}__base`, testSet, system: "base", adapter: null, stage1: false },
    ...stages.map((stage): EvaluatedCell => ({
      name: `${testSet}__${stage}`,
      testSet,
      system: `${stage} stage 1`,
      adapter: `${dataset}__${stage}`,
      stage1: stage === "with",
    })),
  ];
}

/**
 * The paper's systems that are compared item by item, first and second: stage 1 of every dataset, and ROCO without and with MedPix
 * annealed in.
 */
export const GRID_COMPARISONS: readonly (readonly [first: string, second: string])[] = [
  ["slake__base", "slake__with"],
  ...STAGE2_DATASETS.map((dataset) => [`${dataset}__without`, `${dataset}__with`] as const),
  ["roco_v2__with", "roco_medpix__with"],
];

/** The questions of one test set. */
export interface TestItems {
  /** Yes/no, options, or a reference of at most three words (isShort): a rule can score them. */
  short: QaPair[];
  /** Longer references: word overlap and the judge. */
  open: QaPair[];
}

/**
 * Whether a rule can score the answers to a pair. Two Chinese characters count as one word, as most Chinese words have
 * two: of SLAKE's open answers 93 % are then short in either language.
 */
export const isShort = (pair: Pick<QaPair, "choices" | "answerType" | "answer">): boolean =>
  pair.choices !== null || pair.answerType === "closed" ||
  squadTokens(pair.answer).length - hanCount(pair.answer) / 2 <= 3;

/** The set of data/evaluation that a dataset's questions are taken from. */
export const SET_OF = {
  slake: "slake_closed",
  pmc_vqa: "pmc_vqa_clean",
  roco_v2: "roco_open",
  medpix2: "medpix_test",
} as const satisfies Record<typeof TEST_SETS[number], string>;

/** Ids of the records that are asked about, by the paper's datasets. */
export type TestRecords = Readonly<Record<typeof TEST_SETS[number], ReadonlySet<string>>>;

/**
 * The records of data/evaluation, by dataset: committed or frozen ones of whole real data, else those that the set's recipe
 * finds among what there is.
 *
 * @throws as `evaluationSetIds`
 */
export async function evaluationRecords(
  records: readonly CorpusRecord[],
  config: Config,
): Promise<TestRecords> {
  const idsOf = (testSet: keyof TestRecords) => evaluationSetIds(SET_OF[testSet], records, config);
  return {
    slake: await idsOf("slake"),
    pmc_vqa: await idsOf("pmc_vqa"),
    roco_v2: await idsOf("roco_v2"),
    medpix2: await idsOf("medpix2"),
  };
}

/**
 * The questions of one dataset: pairs about the given records (of the user's own sets all of the test split), as many as the
 * configuration asks for, drawn by seed, the same for every system. Open ones are about one image each.
 */
export function testItems(
  pairs: readonly QaPair[],
  testSet: TestSet,
  records: ReadonlySet<string> | null,
  config: Config,
): TestItems {
  const { closedItems, openItems } = config.evaluation;
  const own = shuffle(
    pairs.filter(({ id, dataset, split }) =>
      dataset === testSet && split === "test" && (records?.has(id.split("#")[0]) ?? true)
    ),
    rng(`evaluation/${config.seed}/${testSet}`),
  );
  const some = (list: QaPair[], n: number) => list.slice(0, limited(n, config));
  const open = own.filter((pair) => !isShort(pair));
  return {
    short: some(own.filter(isShort), closedItems),
    open: some([...new Map(open.map((pair) => [pair.imageId, pair])).values()], openItems),
  };
}

/** The questions of all test sets, the user's own after the paper's. */
export type GridItems = Record<TestSet, TestItems>;

/** The questions of the test sets that a configuration has. */
export function gridItems(
  pairs: readonly QaPair[],
  records: TestRecords,
  config: Config,
): GridItems {
  return Object.fromEntries([
    ...TEST_SETS.map((testSet) => [testSet, testItems(pairs, testSet, records[testSet], config)]),
    ...ownDatasets(config).map((testSet) => [testSet, testItems(pairs, testSet, null, config)]),
  ]) as GridItems;
}

/**
 * The systems that can be asked, and why the others cannot: of a limited run, or of one that trained some cells, there may be
 * no questions or no adapter.
 *
 * @param outputs files of notebook 05's run, by name
 */
export function askableCells(
  items: GridItems,
  outputs: Readonly<Record<string, unknown>>,
): { cells: EvaluatedCell[]; leftOut: { cell: string; why: string }[] } {
  const leftOut: { cell: string; why: string }[] = [];
  const isTrained = (adapter: string) => `adapters/${adapter}/adapter_model.safetensors` in outputs;
  const own = Object.keys(items).filter(isOwn).flatMap((testSet) => ownCells(testSet, isTrained));
  const cells = [...EVALUATED_CELLS, ...own].filter(({ name, testSet, adapter }) => {
    const why = items[testSet].short.length === 0
      ? `${testSet} has no short test question`
      : adapter !== null && !isTrained(adapter)
      ? `notebook 05 trained no adapter ${adapter}`
      : null;
    if (why !== null) leftOut.push({ cell: name, why });
    return why === null;
  });
  return { cells, leftOut };
}

/** A system's answers: to the short questions also with other images. */
export interface CellAnswers {
  /** Who was asked. */
  cell: EvaluatedCell;
  /** `config.evaluation.runs` stochastic answers per item. */
  short: Prediction[];
  /** Answers to the same questions with a grey image. */
  blank: Prediction[];
  /** None where the questions are about too few images to exchange them. */
  shuffled: Prediction[];
  /** One greedy answer per item. */
  open: Prediction[];
}

/** A row of the table `predictions`. */
export type PredictionRow = {
  cell: string;
  kind: "short" | "open" | "blank" | "shuffled";
  id: string;
  dataset: string;
  imageId: string;
  questionType: string | null;
  run: number;
  question: string;
  answer: string;
  gold: string;
  seed: number | null;
  cut: boolean;
};

/** Every answer as a row of the table `predictions`. */
export function predictionRows(
  answers: readonly CellAnswers[],
  items: GridItems,
): PredictionRow[] {
  return answers.flatMap(({ cell, ...kinds }) => {
    const { short, open } = items[cell.testSet];
    const byId = new Map([...short, ...open].map((item) => [item.id, item]));
    return (["short", "open", "blank", "shuffled"] as const).flatMap((kind) =>
      kinds[kind].map(({ id, run, answer, seed, cut }) => {
        const { dataset, imageId, questionType, question, answer: gold } = byId.get(id)!;
        return {
          cell: cell.name,
          kind,
          id,
          dataset,
          imageId,
          questionType,
          run,
          question,
          answer,
          gold,
          seed,
          cut,
        };
      })
    );
  });
}

/**
 * The least share of short answers, of all trained systems of the paper's test sets, that are not the base model's to the same
 * question in the same run; null where none was asked. Answers are seeded by question and run, so that an adapter that
 * learnt nothing gives 0.
 */
export function leastChanged(answers: readonly CellAnswers[]): number | null {
  const base = new Map(
    answers.filter(({ cell }) => cell.system === "base").map((own) => [own.cell.testSet, own.short]),
  );
  const changed = answers.flatMap(({ cell: { system, testSet }, short }) => {
    const said = base.get(testSet);
    if (system === "base" || isOwn(testSet) || !said || short.length === 0) return [];
    const before = new Map(said.map(({ id, run, answer }) => [`${id}#${run}`, answer]));
    return [mean(short.map(({ id, run, answer }) => Number(before.get(`${id}#${run}`) !== answer)))];
  });
  return changed.length > 0 ? Math.min(...changed) : null;
}
