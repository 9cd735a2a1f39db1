import { exists } from "@std/fs";
import { join, relative } from "@std/path";
import { findRun, openInput } from "../artifacts/mod.ts";
import type { Config } from "../config/mod.ts";
import { importReview, REVIEW_PAGE, reviewPath } from "../synthesis/mod.ts";
import { GRADING_PAGE, gradingPath, importGrading } from "../evaluation/mod.ts";
import { readArgs } from "./command.ts";
import { configOptions, limitHelp, readConfig, scaleHelp, setHelp } from "./support/settings.ts";

export const usage = `usage: ./lab review [FILE] [--scale tiny|full] [--limit N] [--set KEY=VALUE]

Stores the decisions of a review.json about the question-answer pairs of notebook 02, which its next run honours; or a grading.json
of answers of notebook 06, whose next run shows how far the judge agrees with it.
Without FILE it says where the pages are on which pairs are reviewed and answers are graded.
${scaleHelp}
${limitHelp}
${setHelp}`;

const here = (path: string) => relative(Deno.cwd(), path);

export async function run(args: string[]): Promise<void> {
  const { options, rest: [file] } = readArgs(args, { ...configOptions, positional: [0, 1] });
  const { config } = readConfig(options);
  if (file === undefined) return await sayWhere(config);
  if (await hasGrades(file)) return await storeGrades(file, config);
  const { accept, reject, edit, undecided } = await importReview(file, config);
  console.log(`${accept} accepted, ${reject} rejected, ${edit} edited, ${undecided} taken back.`);
  console.log(`Stored in ${here(reviewPath(config.scale))}; the next run of notebook 02 honours them.`);
}

async function sayWhere(config: Config): Promise<void> {
  const { dir } = await openInput("02_synthesis", config);
  console.log(`Open ${here(join(dir, REVIEW_PAGE))} in a browser, decide, download review.json,`);
  console.log("and store it with: ./lab review review.json");
  const evaluation = await findRun("06_evaluation", config);
  if (!evaluation) return;
  const page = join(evaluation.dir, GRADING_PAGE);
  if (!await exists(page)) return;
  console.log(`Open ${here(page)} to grade answers, download grading.json,`);
  console.log("and store it with: ./lab review grading.json");
}

/** Whether a file is of the grading page; what is not JSON is not. */
async function hasGrades(file: string): Promise<boolean> {
  try {
    return "grades" in Object(JSON.parse(await Deno.readTextFile(file)));
  } catch (error) {
    if (error instanceof SyntaxError) return false;
    throw error;
  }
}

async function storeGrades(file: string, config: Config): Promise<void> {
  const { correct, incorrect, unsure, undecided } = await importGrading(file, config);
  console.log(
    `${correct} correct, ${incorrect} incorrect, ${unsure} that you cannot tell, ${undecided} taken back.`,
  );
  console.log(
    `Stored in ${
      here(gradingPath(config.scale))
    }; the next run of notebook 06 shows how far the judge agrees.`,
  );
}
