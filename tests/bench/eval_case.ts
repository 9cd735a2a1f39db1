/**
 * A process of its own for `./lab bench eval`: writes the prompts (into the folder of its second argument), answers them, or
 * evaluates all systems as notebook 06 does. Reads the finished notebooks 01, 03, 04 and 05; prints one line of JSON.
 */
import { join } from "@std/path";
import { openInput } from "@lib/artifacts/mod.ts";
import { computing, type Config, loadConfig } from "@lib/config/mod.ts";
import { corporaFolder, corpusRecords, truthByImage, truthOf } from "@lib/corpus/mod.ts";
import {
  askCell,
  CHANGED_ITEMS,
  consistency,
  rankingOf,
  rankOptions,
  ROTATED_ITEMS,
  withSystem,
} from "@lib/answers/mod.ts";
import {
  accuracyOf,
  answerSeed,
  askableCells,
  type CellAnswers,
  evaluationRecords,
  gridItems,
  itemScores,
  scoresOf,
  scoreTable,
  TEST_SETS,
} from "@lib/evaluation/mod.ts";
import { answerPrompts, openModel, pixelValuesOf, type Prompt } from "@lib/model/mod.ts";
import {
  cellAccuracies,
  cellOverlaps,
  comparable,
  controlRows,
  differenceRows,
  pairedRows,
  scorerRows,
  table1,
} from "@lib/report/mod.ts";
import { QaPair } from "@lib/synthesis/mod.ts";
import { encodeExample, padBatch, questionPrefix } from "@lib/text/mod.ts";
import { readablePairs } from "@lib/training/mod.ts";
import { readSafetensors } from "@lib/weights/mod.ts";

/** Passes over all prompts after the first, which traces, or loads kernels. */
export const TIMED = 3;

/** What one process measured of answers to all prompts, by us or by transformers. */
export interface AnswersMeasurement {
  /** Prompts, and sampled answers to each. */
  prompts: number;
  runs: number;
  /** Of the first pass. */
  firstSeconds: number;
  /** Of each later pass: prompts in, texts out. */
  seconds: number[];
  /** Greedy answers, in the order of the prompts. */
  greedy: string[];
  /** Resident memory of the process at its peak. */
  peakMiB: number;
  /** Those of transformers, where it is that. */
  versions?: Record<string, string>;
}

/** What the whole evaluation is made of, in its order. */
export const PARTS = [
  "model, tables and items opened",
  "answers generated",
  "options ranked by likelihood",
  "answers under small changes of the image",
  "answers scored by every rule",
  "tables with their intervals",
] as const;

/** What one process measured of the whole evaluation. */
export interface WholeMeasurement {
  systems: number;
  /** Generated, of all kinds. */
  answers: number;
  /** Rows of the table of scores. */
  scores: number;
  seconds: Record<typeof PARTS[number], number>;
  peakMiB: number;
}

const secondsSince = (start: number) => (performance.now() - start) / 1000;
const peakMiB = () => computing.memory()!.peakBytes / 2 ** 20;

/** Everything that notebook 06 reads. */
async function opened(config: Config) {
  const base = await openModel(config);
  using data = await openInput("01_data", config);
  using annealed = await openInput("03_annealing", config);
  const pairs = readablePairs(await annealed.table("pairs", QaPair), base.tokenizer);
  const items = gridItems(pairs, await evaluationRecords(await corpusRecords(data), config), config);
  return { base, pairs, items };
}

/** Short questions of every test set, as many of each, as prompts of the base model; `perSet` at most. */
async function promptsOf(config: Config, perSet: number) {
  const { base, items } = await opened(config), { runs } = config.evaluation;
  const asked = TEST_SETS.flatMap((testSet) => items[testSet].short.slice(0, perSet));
  const prompts = asked.map((item) => ({
    imagePath: item.imagePath,
    prefix: questionPrefix(item),
    seeds: Array.from({ length: runs }, (_, run) => answerSeed(config.seed, item.id, run)),
  }));
  return { base, prompts };
}

/** How 06 asks: prompts of a batch, so that all their answers fill it. */
const batchOf = ({ evaluation: { batchSize, runs } }: Config) => Math.max(1, Math.floor(batchSize / runs));

/** Writes pixels.f32 and prompts.json for eval.py: the batches that `answerPrompts` makes, pixel values and ids included. */
export async function writePrompts(config: Config, folder: string, perSet: number): Promise<void> {
  const { base: { model, tokenizer, store, dir }, prompts } = await promptsOf(config, perSet);
  const { temperature, maxNewTokens, runs } = config.evaluation, size = batchOf(config);
  const sequences = prompts.map(({ prefix }) => encodeExample(tokenizer, model.config, { prefix }));
  const lengthOf = (i: number) => Math.ceil(sequences[i].ids.length / 16) * 16;
  const batches = [...Map.groupBy(prompts.keys(), lengthOf)].flatMap(([length, places]) =>
    places.flatMap((_, at) => {
      if (at % size) return [];
      const own = places.slice(at, at + size);
      const rows = padBatch(own.map((i) => sequences[i]), { side: "left", length });
      return [{ places: own, length, ids: [...rows.ids], mask: [...rows.attentionMask] }];
    })
  );
  const pixels = await pixelValuesOf(prompts.map(({ imagePath }) => imagePath), store);
  await Deno.writeFile(join(folder, "pixels.f32"), new Uint8Array(pixels.buffer));
  const { eosId, padId } = model.config;
  const shared = { checkpoint: dir, side: store.size, prompts: prompts.length, timed: TIMED };
  const asked = { temperature, maxNewTokens, runs, eosId, padId };
  await Deno.writeTextFile(join(folder, "prompts.json"), JSON.stringify({ ...shared, ...asked, batches }));
}

/** Answers all prompts again and again. To be called once in a process. */
export async function measureAnswers(config: Config, perSet: number): Promise<AnswersMeasurement> {
  const { base: { model, tokenizer, store }, prompts } = await promptsOf(config, perSet);
  const { temperature, maxNewTokens, runs } = config.evaluation;
  const settings = { maxNewTokens, batchSize: batchOf(config), compiler: "graph" } as const;
  const pass = async () => {
    const start = performance.now();
    await answerPrompts(model, tokenizer, store, prompts, { ...settings, temperature });
    return secondsSince(start);
  };
  const firstSeconds = await pass(), seconds: number[] = [];
  for (let i = 0; i < TIMED; i++) seconds.push(await pass());
  const peak = peakMiB(), plain = prompts.map(({ seeds: _, ...prompt }): Prompt => prompt);
  const greedy = (await answerPrompts(model, tokenizer, store, plain, settings)).map(([{ text }]) => text);
  return { prompts: prompts.length, runs, firstSeconds, seconds, greedy, peakMiB: peak };
}

/** Notebook 06 without its pages, pictures and judge: items, answers, scores, tables. Nothing kept is used. */
export async function measureWhole(config: Config): Promise<WholeMeasurement> {
  const seconds = Object.fromEntries(PARTS.map((part) => [part, 0])) as WholeMeasurement["seconds"];
  const timed = async <T>(part: typeof PARTS[number], work: () => T | Promise<T>): Promise<T> => {
    const start = performance.now(), made = await work();
    seconds[part] += secondsSince(start);
    return made;
  };
  using trained = await openInput("05_stage2", config);
  using first = await openInput("04_stage1", config);
  const adapters = join(trained.dir, "adapters");
  const { base, pairs, items, stage1, regionOf } = await timed(PARTS[0], async () => {
    const stage1 = await readSafetensors(first.file("projector.safetensors"));
    const truth = await truthByImage(await corporaFolder(config));
    const regionOf = (item: QaPair) => truthOf(truth, item)?.region ?? "";
    return { ...await opened(config), stage1, regionOf };
  });
  const { model, tokenizer, store } = base, { cells } = askableCells(items, trained.manifest.outputs);
  const answers: CellAnswers[] = [];
  for (const cell of cells) {
    answers.push(await timed(PARTS[1], () => askCell(cell, base, items, stage1, adapters, config)));
  }
  for (const cell of cells.filter(({ testSet }) => testSet === "pmc_vqa")) {
    await timed(
      PARTS[2],
      () =>
        withSystem(cell, model, stage1, adapters, false, async (system) =>
          rankingOf(
            await rankOptions(system, tokenizer, store, items.pmc_vqa.short, config, {
              rotated: ROTATED_ITEMS,
            }),
          )),
    );
  }
  for (const cell of cells.filter(({ testSet }) => testSet === "roco_v2" || testSet === "slake")) {
    const some = items[cell.testSet].short.slice(0, CHANGED_ITEMS);
    await timed(
      PARTS[3],
      () =>
        withSystem(
          cell,
          model,
          stage1,
          adapters,
          false,
          (system) => consistency(system, tokenizer, store, some, config),
        ),
    );
  }
  const rows = await timed(PARTS[4], () => itemScores(answers, items, pairs, regionOf));
  await timed(PARTS[5], () => {
    const scores = scoreTable(rows), accuracies = cellAccuracies(cells, scores);
    const comparisons = pairedRows(cells, scores, comparable(cells));
    table1(accuracies, comparisons);
    differenceRows(comparisons);
    controlRows(accuracies);
    scorerRows(scores, ["slake__with", "pmc_vqa__with"]);
    cellOverlaps(answers, items, pairs);
    accuracyOf(scoresOf(scores, "pmc_vqa__with"));
  });
  const generated = answers.flatMap(({ short, blank, shuffled, open }) =>
    [short, blank, shuffled, open].flat()
  );
  return {
    ...{ systems: cells.length, answers: generated.length, scores: rows.length },
    ...{ seconds, peakMiB: peakMiB() },
  };
}

if (import.meta.main) {
  const [task, folder, perSet] = Deno.args, config = loadConfig();
  const tasks: Record<string, () => Promise<unknown>> = {
    prompts: async () => await writePrompts(config, folder, Number(perSet)) ?? null,
    answers: () => measureAnswers(config, Number(perSet)),
    whole: () => measureWhole(config),
  };
  console.log(JSON.stringify(await tasks[task]()));
}
