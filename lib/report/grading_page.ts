import { type Scale, sha256 } from "../config/mod.ts";
import { GRADING_RULE } from "../evaluation/mod.ts";
import { fillPage } from "../jupyter/mod.ts";
import { type Grade, type GradedAnswer, GRADING_VERSION } from "../synthesis/mod.ts";

/**
 * A page on which a person grades open answers by the judge's own rule: question, reference and answer, without who gave it,
 * without picture and without the judge's verdict. One HTML file that asks no server for anything; its texts reach it as JSON
 * and are shown as text, never as markup.
 *
 * @param answers as `answersToGrade` gives them
 * @param grades what was stored before, by the answer's hash
 */
export async function gradingPage(
  answers: readonly GradedAnswer[],
  grades: ReadonlyMap<string, Grade>,
  scale: Scale,
): Promise<string> {
  const key = sha256(answers.map((answer) => answer.sha256).join("\n")).slice(0, 16);
  const stored = answers.flatMap((answer) => grades.get(answer.sha256) ?? []);
  const data = { version: GRADING_VERSION, scale, key, rule: GRADING_RULE, answers, stored };
  return await fillPage(import.meta.dirname!, "grading_page", data);
}
