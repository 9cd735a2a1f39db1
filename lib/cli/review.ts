import { join, relative } from "@std/path";
import { openInput } from "../artifacts/mod.ts";
import { importReview, REVIEW_PAGE, reviewPath } from "../synthesis/mod.ts";
import { readArgs } from "./command.ts";
import { configOptions, limitHelp, readConfig, scaleHelp, setHelp } from "./support/settings.ts";

export const usage = `usage: ./lab review [FILE] [--scale tiny|full] [--limit N] [--set KEY=VALUE]

Stores the decisions of a review.json about the question-answer pairs of notebook 02; its next run honours them.
Without FILE it says where the page is on which pairs are reviewed.
${scaleHelp}
${limitHelp}
${setHelp}`;

export async function run(args: string[]): Promise<void> {
  const { options, rest: [file] } = readArgs(args, { ...configOptions, positional: [0, 1] });
  const { config } = readConfig(options);
  const here = (path: string) => relative(Deno.cwd(), path);
  if (file === undefined) {
    const { dir } = await openInput("02_synthesis", config);
    console.log(`Open ${here(join(dir, REVIEW_PAGE))} in a browser, decide, download review.json,`);
    console.log("and store it with: ./lab review review.json");
    return;
  }
  const { accept, reject, edit, undecided } = await importReview(file, config);
  console.log(`${accept} accepted, ${reject} rejected, ${edit} edited, ${undecided} taken back.`);
  console.log(`Stored in ${here(reviewPath(config.scale))}; the next run of notebook 02 honours them.`);
}
