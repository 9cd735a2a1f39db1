import { join, resolve } from "@std/path";
import { paths } from "../config/mod.ts";
import { readArgs } from "./command.ts";
import { runChild } from "./support/child.ts";
import { listNotebooks, notebookIndex, runNotebook } from "./support/notebooks.ts";
import { readConfig, setHelp } from "./support/settings.ts";
import { shownPath } from "./support/shown_path.ts";
import { formatSeconds } from "./support/time.ts";

/** Rows of each split: enough that every stage after the teacher's filters has something to work on. */
const ROWS = "12";
const TOKENIZER = join(paths.data, "nano");
/** Two steps of two parts each say what thousands of sixteen do; more would be waited for. */
const SHORTENED = ["stage2.steps=2", "stage2.accumulation=2"];

export const usage = `usage: ./lab rehearse [--from NN] [--limit N] [--set KEY=VALUE] [--tokenizer FOLDER]

Runs every notebook in the full configuration (bfloat16, 448 px, 1,024 image tokens, accumulation, recomputation), so that what
would end a run of days ends here within minutes. Stand-ins: a narrow model of random weights for PaliGemma-3B, a few phantoms in
the data sets' official layouts for their files, the embedded language model unless TEACHER_URL and JUDGE_URL name servers. Stage 2
takes 2 steps of 2 accumulated parts a cell. The embedded model seldom leaves an open pair, and without one no judge is asked. No
number that it finds means anything, and no closing check is judged. Everything goes to results/local/rehearsal.
  --from        begin with this notebook, such as 05, on what the earlier ones left
  --limit       at most N rows of a split, and steps, of everything; ${ROWS} if not said otherwise
${setHelp}
  --tokenizer   folder of a checkpoint whose tokenizer is taken, such as PaliGemma's; data/nano if not said otherwise`;

export async function run(args: string[]): Promise<void> {
  const { options } = readArgs(args, { values: ["from", "limit", "tokenizer"], lists: ["set"] });
  const folder = join(paths.results, "rehearsal"), model = join(folder, "random-paligemma-448");
  const { env } = readConfig({
    scale: "full",
    limit: options.limit ?? ROWS,
    set: [`model.checkpoint=${model}`, "corpora.source=rehearsal", ...SHORTENED, ...options.set],
  });
  const all = await listNotebooks();
  const notebooks = all.slice(options.from === undefined ? 0 : notebookIndex(options.from, all));
  const started = performance.now();
  const tokenizer = options.tokenizer === undefined ? TOKENIZER : resolve(options.tokenizer);
  if (!await writeRandomModel(model, tokenizer)) {
    throw new Error(`the random model could not be written into ${shownPath(model)}.`);
  }
  for (const [i, notebook] of notebooks.entries()) {
    if (await runNotebook(notebook, { scale: "full", results: folder, env })) continue;
    const left = notebooks.length - i - 1;
    throw new Error(`the rehearsal stopped at notebook ${i + 1} of ${notebooks.length}; ${left} not run.`);
  }
  console.log(
    `${notebooks.length} notebooks rehearsed in ${formatSeconds((performance.now() - started) / 1000)}: see ${
      shownPath(join(folder, "full/notebooks"))
    }.`,
  );
}

/** In a process of its own, so that this one does not hold TensorFlow while the notebooks run. */
async function writeRandomModel(dir: string, tokenizerDir: string): Promise<boolean> {
  const script = join(import.meta.dirname!, "support/random_model.ts");
  const { success } = await runChild(Deno.execPath(), {
    args: ["run", "-A", "--quiet", "--config", join(paths.root, "deno.json"), script, dir, tokenizerDir],
    stdin: "null",
  });
  return success;
}
