import { dirname, join } from "@std/path";
import { z } from "zod";
import { openInput } from "../artifacts/mod.ts";
import {
  canonicalJson,
  cellsToJudge,
  type Config,
  makeFolder,
  paths,
  type Scale,
  sha256,
  writeFileAtomic,
} from "../config/mod.ts";
import { type Download, fillPage, listed, parseDownload } from "../jupyter/mod.ts";
import type { PredictionRow } from "./cells.ts";
import { GRADING_RULE } from "./judge.ts";

/** Version of grading.json. */
export const GRADING_VERSION = 1;
/** Name of the grading page in the run folder of notebook 06. */
export const GRADING_PAGE = "grading.html";
/** Answers on a page: the same ones every time, where there are more. */
const MAX_GRADED = 120;

/** What a person says of an answer. */
const Grade = z.strictObject({
  /** Id of the question. */
  id: z.string(),
  /** `sha256` of the answer that the person saw, with its question and reference. */
  answer: z.string().regex(/^[0-9a-f]{64}$/),
  /** "unsure": the person cannot tell. "undecided" takes an earlier grade back. */
  verdict: z.enum(["correct", "incorrect", "unsure", "undecided"]),
  /** ISO 8601. */
  time: z.string(),
});
/** What a person says of an answer. */
export type Grade = z.infer<typeof Grade>;

const GradingFile = z.strictObject({
  version: z.literal(GRADING_VERSION),
  scale: z.enum(["tiny", "full"]),
  grades: z.array(Grade),
});
/** What the grading page downloads, and what is stored. */
export type GradingFile = z.infer<typeof GradingFile>;

const GRADING: Download<GradingFile> = { what: "grading", version: GRADING_VERSION, schema: GradingFile };

/** What grading reads of a row of notebook 06's table `predictions`. */
const AnswerRow = z.object({
  /** The system. */
  cell: z.string(),
  kind: z.string(),
  id: z.string(),
  run: z.number(),
  question: z.string(),
  answer: z.string(),
  /** The reference. */
  gold: z.string(),
});
type AnswerRow = z.infer<typeof AnswerRow>;

/** One answer to a question, whoever gave it. */
export interface GradedAnswer {
  /** Of the question. */
  id: string;
  /** Of all that is shown. */
  sha256: string;
  /** What was asked. */
  question: string;
  /** What an expert says. */
  reference: string;
  /** What is graded. */
  answer: string;
}

const shown = ({ id, question, gold: reference, answer }: AnswerRow): GradedAnswer => {
  const text = { id, question, reference, answer };
  return { ...text, sha256: sha256(canonicalJson(text)) };
};

const judged = (rows: readonly AnswerRow[], config: Config): AnswerRow[] => {
  const cells = new Set(cellsToJudge(config));
  return rows.filter(({ cell, kind }) => kind === "open" && cells.has(cell));
};

/**
 * The answers that a person grades: those that the judge judges, an answer that several systems gave once, in an order that
 * tells nothing of who gave it.
 */
export function answersToGrade(rows: readonly PredictionRow[], config: Config): GradedAnswer[] {
  const answers = new Map(judged(rows, config).map(shown).map((answer) => [answer.sha256, answer]));
  return [...answers.values()].sort((a, b) => a.sha256 < b.sha256 ? -1 : 1).slice(0, MAX_GRADED);
}

/**
 * What a person said of systems' answers: whether they are correct, by system, question and run (`answerKey`). Answers that
 * read differently now, and those that the person could not tell, are not among them.
 */
export function personVerdicts(
  grades: ReadonlyMap<string, Grade>,
  rows: readonly PredictionRow[],
  config: Config,
): Map<string, boolean> {
  return new Map(
    judged(rows, config).flatMap((row): [string, boolean][] => {
      const verdict = grades.get(shown(row).sha256)?.verdict;
      return verdict === "correct" || verdict === "incorrect"
        ? [[answerKey(row), verdict === "correct"]]
        : [];
    }),
  );
}

/** Names one answer of one system. */
export const answerKey = ({ cell, id, run }: { cell: string; id: string; run: number }): string =>
  `${cell}\n${id}#${run}`;

/** Where the grades of a scale's answers are stored. */
export const gradingPath = (scale: Scale): string => join(paths.local, "reviews", `${scale}_grading.json`);

/** The stored grades, by the answer's hash; none without file. @throws if the file is damaged */
export async function readGrades(scale: Scale): Promise<Map<string, Grade>> {
  const path = gradingPath(scale);
  const text = await Deno.readTextFile(path).catch((error) => {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  });
  if (text === null) return new Map();
  return new Map(parseDownload(text, path, GRADING).grades.map((grade) => [grade.answer, grade]));
}

/**
 * Stores the grades of a grading.json: they replace earlier ones of the same answers. The next run of notebook 06 shows how the
 * judge and exact match agree with them.
 *
 * @returns grades in the file, by verdict
 * @throws if the file is not a grading, is about another scale, or grades answers that the current run of 06 does not have, or one
 * twice; nothing is stored then
 */
export async function importGrading(
  file: string,
  config: Config,
): Promise<Record<Grade["verdict"], number>> {
  const { scale, grades } = parseDownload(await Deno.readTextFile(file), file, GRADING);
  if (scale !== config.scale) {
    throw new Error(`${file}: expected a grading at scale ${config.scale}, found one at scale ${scale}.`);
  }
  using input = await openInput("06_evaluation", config);
  const rows = await input.table("predictions", AnswerRow);
  const known = new Set(judged(rows, config).map((row) => shown(row).sha256));
  const unknown = grades.filter(({ answer }) => !known.has(answer)).map(({ id }) => id);
  const twice = [...Map.groupBy(grades, ({ answer }) => answer).values()]
    .filter((own) => own.length > 1).map(([{ id }]) => id);
  const faults =
    ([["answers that it does not have", unknown], ["answers graded more than once", twice]] as const)
      .filter(([, ids]) => ids.length > 0).map(([what, ids]) => `${what}: ${listed(ids)}`);
  if (faults.length > 0) {
    throw new Error(
      `${file}: expected grades of answers of the current run of notebook 06, each once; found ${
        faults.join("; ")
      }. Nothing was stored; open the current run's ${GRADING_PAGE} and grade there.`,
    );
  }
  const all = await readGrades(scale), counts = { correct: 0, incorrect: 0, unsure: 0, undecided: 0 };
  for (const grade of grades) {
    counts[grade.verdict]++;
    if (grade.verdict === "undecided") all.delete(grade.answer);
    else all.set(grade.answer, grade);
  }
  const path = gradingPath(scale),
    stored: GradingFile = { version: GRADING_VERSION, scale, grades: [...all.values()] };
  await makeFolder(dirname(path));
  await writeFileAtomic(path, JSON.stringify(stored, null, 1) + "\n", { mode: 0o600 });
  return counts;
}

/**
 * A page on which a person grades open answers by the judge's own rule: question, reference and answer, without who gave it,
 * without picture and without the judge's verdict. One HTML file that asks no server for anything; its texts reach it as JSON
 * and are shown as text, never as markup.
 *
 * @param rows the table `predictions` of notebook 06
 * @param grades what was stored before, by the answer's hash
 */
export async function gradingPage(
  rows: readonly PredictionRow[],
  grades: ReadonlyMap<string, Grade>,
  config: Config,
): Promise<string> {
  const answers = answersToGrade(rows, config), { scale } = config;
  const key = sha256(answers.map((answer) => answer.sha256).join("\n")).slice(0, 16);
  const stored = answers.flatMap((answer) => grades.get(answer.sha256) ?? []);
  const data = { version: GRADING_VERSION, scale, key, rule: GRADING_RULE, answers, stored };
  return await fillPage(import.meta.dirname!, "grading_page", data);
}
