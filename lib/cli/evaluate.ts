import { exists } from "@std/fs";
import { join, resolve } from "@std/path";
import { findRun, openInput, writeArrow } from "../artifacts/mod.ts";
import { type Config, makeFolder, paths, sha256, writeFileAtomic } from "../config/mod.ts";
import { corpusRecords } from "../corpus/mod.ts";
import {
  askServer,
  evaluationRecords,
  type GivenAnswers,
  type GridItems,
  gridItems,
  ItemScore,
  judgedCells,
  judgeOpen,
  openJudge,
  type Prediction,
  questionLines,
  type Questions,
  readPredictions,
  scoreTable,
  sortPredictions,
  systemScores,
  type TestItems,
  type TestSet,
  verdictScores,
  VISION_PROMPT_VERSION,
  withOtherImages,
} from "../evaluation/mod.ts";
import { escapeMarkdown } from "../jupyter/mod.ts";
import { type Endpoint, endpoint, type JobProgress, LlmError, progressNote } from "../llm/mod.ts";
import { cellOverlaps, externalAccuracies, externalReport } from "../report/mod.ts";
import { QaPair } from "../synthesis/mod.ts";
import { loadTokenizer } from "../text/mod.ts";
import { readablePairs } from "../training/mod.ts";
import { resolveModel } from "../weights/mod.ts";
import { readArgs, UsageError } from "./command.ts";
import { liveLine } from "./support/live_line.ts";
import { configOptions, limitHelp, readConfig, scaleHelp, setHelp } from "./support/settings.ts";
import { shownPath } from "./support/shown_path.ts";
import { untilSignal } from "./support/until_signal.ts";

export const usage = `usage: ./lab evaluate --questions FILE [OPTIONS]
       ./lab evaluate --predictions FILE --name NAME [--judge] [OPTIONS]
       ./lab evaluate --server URL --model MODEL [--name NAME] [--runs N] [--controls] [--judge] [OPTIONS]

Asks any system the questions of notebook 06 and scores it as 06 scores its own: every rule of the field, intervals of the images,
differences from the systems of 06 on the same questions. Writes predictions, scores and report.md into
results/local/SCALE/external/NAME. Reads notebooks 01 and 03, and 06 where it has run.
  --questions    writes the questions as JSON lines, without their answers: id, test_set, kind, image, question, choices, prompt
  --predictions  JSON lines {"id", "answer"[, "run"]}: every question of a test set's kind, in every run
  --server       an OpenAI-compatible server of a vision model, such as http://127.0.0.1:8000/v1; VISION_API_KEY holds its key.
                 Ended by Ctrl-C or a fault, the same command goes on
  --model        the model's name on that server
  --name         what the system is called here; the model's name if not said otherwise
  --sets         only these test sets, such as slake,pmc_vqa
  --runs         answers to a short question: 1 is greedy; evaluation.runs if not said otherwise
  --controls     short questions again with a grey image and with another's
  --judge        open answers to the judge (JUDGE_URL, else the embedded stand-in)
${scaleHelp}
${limitHelp}
${setHelp}`;

/** The questions of notebook 06, by test set, and the pairs that controls without a model count answers in. */
async function questionsOf(config: Config, sets: string | undefined) {
  using annealed = await openInput("03_annealing", config);
  using data = await openInput("01_data", config);
  const tokenizer = await loadTokenizer(await resolveModel(config.model.checkpoint));
  const pairs = readablePairs(await annealed.table("pairs", QaPair), tokenizer);
  const all = gridItems(pairs, await evaluationRecords(await corpusRecords(data), config), config);
  const names = [...new Set(sets?.split(",") ?? Object.keys(all))],
    unknown = names.find((name) => !(name in all));
  if (unknown !== undefined) {
    throw new UsageError(`--sets names "${unknown}"; expected ${Object.keys(all).join(", ")}.`);
  }
  const items = names.map((name): [TestSet, TestItems] => [name as TestSet, all[name as TestSet]]);
  return { items, pairs };
}

interface Asking {
  runs: number;
  controls: boolean;
  signal: AbortSignal;
}

/** Asks a server everything; what it has answered lies in the journal. */
async function ask(
  server: Endpoint,
  questions: Questions,
  folder: string,
  config: Config,
  { runs, controls, signal }: Asking,
): Promise<[TestSet, GivenAnswers][]> {
  const { temperature } = config.evaluation, { concurrency } = config.synthesis;
  const found: [TestSet, GivenAnswers][] = [];
  for (const [testSet, { short, open }] of questions) {
    using line = liveLine();
    const options = (kind: string) => ({
      ...{ temperature, seed: config.seed, concurrency, signal },
      journalPath: join(folder, `${testSet}-${kind}.jsonl`),
      onProgress: (now: JobProgress) =>
        line.show(() => `${testSet}, ${kind}: ${now.done} of ${now.total}, ${progressNote(now)}`),
    });
    const others = controls ? withOtherImages(short, config.seed) : [];
    found.push([testSet, {
      short: await askServer(server, short, { runs, ...options("short") }),
      open: await askServer(server, open, { runs: 1, open: true, ...options("open") }),
      blank: controls ? await askServer(server, short, { runs, blankImages: true, ...options("grey") }) : [],
      shuffled: await askServer(server, others, { runs, ...options("other") }),
    }]);
  }
  return found;
}

/** The scores of a system's answers by rules, and the overlap of its open ones; its cells are named as those of the grid are. */
function scored(
  given: readonly [TestSet, GivenAnswers][],
  questions: Questions,
  pairs: readonly QaPair[],
  name: string,
) {
  const items: Partial<GridItems> = Object.fromEntries(questions);
  const answers = given.map(([testSet, own]) => ({ cell: { name: `${testSet}__${name}`, testSet }, ...own }));
  const scores = answers.flatMap(({ cell: { name, testSet }, ...own }) => {
    const seen = pairs.filter((pair) => pair.dataset === testSet && pair.split === "train");
    return systemScores(name, items[testSet]!, own, seen);
  });
  return { cells: answers.map(({ cell }) => cell), scores, overlaps: cellOverlaps(answers, items, pairs) };
}

/** Scores of the judge of all open answers, and who that is. */
async function judged(
  given: readonly [TestSet, GivenAnswers][],
  questions: Questions,
  name: string,
  folder: string,
  config: Config,
  signal: AbortSignal,
): Promise<{ model: string; scores: ItemScore[] }> {
  const items = Object.fromEntries(questions) as GridItems;
  const judge = await openJudge(config, { signal });
  try {
    const scores: ItemScore[] = [], { concurrency, model, standIn } = judge;
    for (const [testSet, { open }] of given) {
      const options = { journalPath: join(folder, "judge.jsonl"), concurrency, seed: config.seed, signal };
      const verdicts = await judgeOpen(open.length > 0 ? items[testSet].open : [], open, judge, options);
      scores.push(
        ...verdictScores(verdicts, { cell: { name: `${testSet}__${name}`, testSet }, open }, items),
      );
    }
    return { model: standIn ? `${model} (a stand-in)` : model, scores };
  } finally {
    await judge.stop();
  }
}

/** Scores of notebook 06's systems, where it has run. */
async function gridScores(config: Config): Promise<ItemScore[]> {
  if (!await findRun("06_evaluation", config)) return [];
  using run = await openInput("06_evaluation", config);
  return await run.table("scores", ItemScore);
}

export async function run(args: string[]): Promise<void> {
  const { options } = readArgs(args, {
    values: [...configOptions.values, "questions", "predictions", "server", "model", "name", "sets", "runs"],
    lists: configOptions.lists,
    switches: ["controls", "judge"],
  });
  const tasks = [options.questions, options.predictions, options.server].filter((task) => task !== undefined);
  if (tasks.length !== 1) throw new UsageError("expected one of --questions, --predictions and --server.");
  if (options.runs !== undefined && !/^[1-9]\d?$/.test(options.runs)) {
    throw new UsageError(`--runs is "${options.runs}"; expected a whole number from 1 to 99.`);
  }
  const serverOnly = options.server === undefined &&
    (options.model ?? options.runs ?? (options.controls || undefined)) !== undefined;
  if (serverOnly) throw new UsageError("--model, --runs and --controls belong to --server.");
  const name = options.name ?? options.model;
  if (options.server !== undefined && options.model === undefined) {
    throw new UsageError("--model is missing.");
  }
  if (options.predictions !== undefined && name === undefined) throw new UsageError("--name is missing.");
  if (name?.trim() === "") throw new UsageError("--name is empty.");
  const { config } = readConfig(options);
  const server = options.server === undefined ? null : serverAt(options.server, options.model!);
  const read = options.predictions === undefined ? null : await predictionsIn(options.predictions);
  const { items: questions, pairs } = await questionsOf(config, options.sets);
  if (options.questions !== undefined) {
    const out = resolve(options.questions), text = questionLines(questions);
    if (await exists(out)) throw new Error(`${out} is there already and stays; name another file.`);
    await writeFileAtomic(out, text);
    console.log(`${text.split("\n").length - 1} questions: ${shownPath(out)}`);
    return;
  }
  const grid = scoreTable(await gridScores(config)); // what is stale is told before a server is asked for hours
  await untilSignal("stopped; what was answered is kept, the same command goes on.", async (signal) => {
    const folder = join(paths.results, config.scale, "external", folderName(name!));
    if (server) await makeFolder(folder); // for the journals
    const runs = Number(options.runs ?? config.evaluation.runs), { controls } = options;
    const given = server
      ? await ask(server, questions, folder, config, { runs, controls, signal }).catch((error) => {
        throw error instanceof LlmError ? new Error(error.message) : error;
      })
      : sortPredictions(read!, questions);
    const { cells, scores, overlaps } = scored(given, questions, pairs, name!);
    await makeFolder(folder);
    const opinion = options.judge ? await judged(given, questions, name!, folder, config, signal) : null;
    const all = [...scores, ...opinion?.scores ?? []], table = scoreTable(all);
    const system = { name: name!, cells, judge: opinion?.model ?? null };
    const report = externalReport(system, table, { grid, overlaps, judged: judgedCells(table) });
    const asked = server ? `prompt ${VISION_PROMPT_VERSION}` : "predictions from a file";
    const about = `${config.scale} scale, ${config.corpora.source} corpora, seed ${config.seed}, ${asked}`;
    const lines = given.flatMap(([, { short, open }]) => [...short, ...open]).map((p) =>
      `${JSON.stringify(p)}\n`
    );
    await writeFileAtomic(join(folder, "predictions.jsonl"), lines.join(""));
    await writeArrow(join(folder, "scores.arrow"), all.map((row) => ({ ...row })));
    await writeFileAtomic(join(folder, "report.md"), `# ${escapeMarkdown(name!)}\n\n${about}\n\n${report}`);
    for (const row of externalAccuracies(system, table)) {
      const parts = Object.entries(row).filter(([, value]) => value !== null);
      console.log(
        parts.map(([title, value]) => title === "test set" ? `${value}` : `${title} ${value}`).join(", "),
      );
    }
    console.log(`${shownPath(folder)}: report.md (all of it), scores.arrow, predictions.jsonl`);
  });
}

/** @throws when the address or a variable of the environment is not understood */
function serverAt(url: string, model: string): Endpoint {
  try {
    const own: Record<string, string> = { VISION_URL: url, VISION_MODEL: model };
    return endpoint("VISION", (key) => own[key] ?? Deno.env.get(key))!;
  } catch (error) {
    throw new UsageError((error as Error).message.replace(/^VISION_URL/, "--server"));
  }
}

/** A name as a folder is called: letters, digits, dots and dashes, and where others were taken out a part of its hash. */
const folderName = (name: string) => {
  const plain = name.replaceAll(/[^\w.-]/g, "_").replace(/^\.+/, "_");
  return plain === name ? name : `${plain}-${sha256(name).slice(0, 6)}`; // "a/b" is not "a_b"
};

async function predictionsIn(path: string): Promise<Prediction[]> {
  const text = await Deno.readTextFile(path).catch((error) => {
    throw error instanceof Deno.errors.NotFound ? new Error(`there is no file ${path}.`) : error;
  });
  try {
    return readPredictions(text);
  } catch (error) {
    throw new Error(`${path}: ${(error as Error).message}`);
  }
}
