import { type Config, sha256 } from "../config/mod.ts";
import { fillPage } from "../jupyter/mod.ts";
import type { PredictionRow } from "./cells.ts";
import { answersToGrade, type Grade, GRADING_VERSION } from "./grading.ts";
import { GRADING_RULE } from "./judge.ts";

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
