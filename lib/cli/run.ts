import { paths, Scale } from "../config/mod.ts";
import { readArgs, UsageError } from "./command.ts";
import { listNotebooks, notebookIndex, runNotebook } from "./support/notebooks.ts";

export const usage = `usage: ./lab run NN [--scale tiny|full] [--limit N]

Runs one notebook, such as ./lab run 05. The executed copy and the results go to results/local/SCALE.
  --scale   tiny (phantoms, nano model; the default) or full (the paper's data and model)
  --limit   at most N rows and steps of everything; the run is marked as limited`;

export async function run(args: string[]): Promise<void> {
  const { options, rest: [number] } = readArgs(args, { values: ["scale", "limit"], positional: [1, 1] });
  const scale = Scale.safeParse(options.scale ?? "tiny");
  if (!scale.success) throw new UsageError(`--scale is "${options.scale}"; expected tiny or full.`);
  if (options.limit !== undefined && !/^[1-9]\d*$/.test(options.limit)) {
    throw new UsageError(`--limit is "${options.limit}"; expected a positive whole number.`);
  }
  const notebooks = await listNotebooks();
  const notebook = notebooks[notebookIndex(number, notebooks)];
  const env: Record<string, string> = options.limit === undefined ? {} : { LIMIT: options.limit };
  if (!await runNotebook(notebook, { scale: scale.data, results: paths.results, env })) {
    throw new Error(`notebook ${number} failed.`);
  }
}
