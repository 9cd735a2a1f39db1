import { join, relative } from "@std/path";
import { openInput } from "../artifacts/mod.ts";
import { loadConfig, Scale } from "../config/mod.ts";
import { importReview, REVIEW_PAGE, reviewPath } from "../synthesis/mod.ts";
import { readArgs, UsageError } from "./command.ts";

export const usage = `usage: ./lab review [FILE] [--scale tiny|full]

Stores the decisions of a review.json about the question-answer pairs of notebook 02; its next run honours them.
Without FILE it says where the page is on which pairs are reviewed.
  --scale   tiny (default) or full`;

export async function run(args: string[]): Promise<void> {
  const { options, rest: [file] } = readArgs(args, { values: ["scale"], positional: [0, 1] });
  const scale = Scale.safeParse(options.scale ?? Deno.env.get("SCALE") ?? "tiny");
  if (!scale.success) throw new UsageError(`--scale is "${options.scale}"; expected tiny or full.`);
  const config = loadConfig({ ...Deno.env.toObject(), SCALE: scale.data });
  const here = (path: string) => relative(Deno.cwd(), path);
  if (file === undefined) {
    const { dir } = await openInput("02_synthesis", config);
    console.log(`Open ${here(join(dir, REVIEW_PAGE))} in a browser, decide, download review.json,`);
    console.log("and store it with: ./lab review review.json");
    return;
  }
  const { accept, reject, edit, undecided } = await importReview(file, config);
  console.log(`${accept} accepted, ${reject} rejected, ${edit} edited, ${undecided} taken back.`);
  console.log(`Stored in ${here(reviewPath(scale.data))}; the next run of notebook 02 honours them.`);
}
