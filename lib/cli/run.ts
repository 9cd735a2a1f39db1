import { paths } from "../config/mod.ts";
import { readArgs } from "./command.ts";
import { listNotebooks, notebookIndex, runNotebook } from "./support/notebooks.ts";
import { configOptions, limitHelp, readConfig, scaleHelp, setHelp } from "./support/settings.ts";

export const usage = `usage: ./lab run NN [--scale tiny|full] [--limit N] [--set KEY=VALUE]

Runs one notebook, such as ./lab run 05. The executed copy and the results go to results/local/SCALE.
${scaleHelp}
${limitHelp}
${setHelp}`;

export async function run(args: string[]): Promise<void> {
  const { options, rest: [number] } = readArgs(args, { ...configOptions, positional: [1, 1] });
  const { env } = readConfig(options);
  const notebooks = await listNotebooks();
  const notebook = notebooks[notebookIndex(number, notebooks)];
  if (!await runNotebook(notebook, { scale: env.SCALE, results: paths.results, env })) {
    throw new Error(`notebook ${number} failed.`);
  }
}
