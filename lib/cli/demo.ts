import { basename, join } from "@std/path";
import { paths } from "../config/mod.ts";
import { readArgs, UsageError } from "./command.ts";
import { listNotebooks, notebookIndex, runNotebook } from "./support/notebooks.ts";
import { recordRuns } from "./support/record.ts";
import { shownPath } from "./support/shown_path.ts";
import { readConfig } from "./support/settings.ts";
import { formatSeconds } from "./support/time.ts";

export const usage = `usage: ./lab demo [--from NN] [--set KEY=VALUE] [--record]

Runs every notebook at tiny scale, in order, each in a fresh kernel. Executed copies and results go to results/local/tiny.
  --from     begin with this notebook, such as 05, on what the earlier ones left
  --set      KEY=VALUE, any key of lib/config/config.ts, such as stage2.rank=4 or seed=7; may be repeated
  --record   then replace the recorded run that is committed (results/tiny): notebooks, figures, tables, manifests`;

export async function run(args: string[]): Promise<void> {
  const { options } = readArgs(args, { values: ["from"], lists: ["set"], switches: ["record"] });
  const { env } = readConfig({ scale: "tiny", set: options.set });
  if (options.record && env.LAB_SET !== "") {
    throw new UsageError("the recorded run has no settings; leave out --set, or --record.");
  }
  const results = paths.results;
  const all = await listNotebooks();
  const first = options.from === undefined ? 0 : notebookIndex(options.from, all);
  const notebooks = all.slice(first);
  const started = performance.now();
  for (const [i, notebook] of notebooks.entries()) {
    if (await runNotebook(notebook, { scale: "tiny", results, env })) continue;
    const left = notebooks.length - i - 1;
    throw new Error(`stopped at notebook ${i + 1} of ${notebooks.length}${left ? `; ${left} not run` : ""}.`);
  }
  let place = join(results, "tiny");
  if (options.record) {
    const stages = all.map((notebook) => basename(notebook, ".ipynb"));
    place = join(paths.root, "results", "tiny");
    await recordRuns(stages, join(results, "tiny", "notebooks"), place);
  }
  const shown = shownPath(join(place, "notebooks"));
  console.log(`${notebooks.length} notebooks in ${formatSeconds((performance.now() - started) / 1000)}.`);
  console.log(
    `Executed notebooks: ${shown}; tables and figures beside them in ${shownPath(place)}.`,
  );
  console.log("Look at them with ./lab open, or as pages for any browser: ./lab site");
  console.log("Ask a question: ./lab ask IMAGE QUESTION");
}
