import { type Config, type GridCell, selectedCells } from "../config/mod.ts";
import { readArgs, UsageError } from "./command.ts";
import { configOptions, limitHelp, readConfig, scaleHelp, setHelp } from "./support/settings.ts";
import { untilSignal } from "./support/until_signal.ts";
import { runWorkers, workersOf } from "./support/workers.ts";

export const usage =
  `usage: ./lab train --stage 1|2 [--cell NAME] [--scale tiny|full] [--limit N] [--set KEY=VALUE]
       ... [--workers N]

Trains what notebook 04 (stage 1) or 05 (stage 2) trains, in a process of its own: by the same functions, from the same runs.
What is trained is kept, so that the notebook takes it and does not train it again. Ctrl-C ends it after the step at which it
is; the same command goes on from there, also after a crash (a checkpoint a minute). TensorBoard shows the curves:
tensorboard --logdir results/local/tensorboard
  --stage   1: the projector; 2: the cells of the grid
  --cell    one cell of stage 2, such as roco_v2__with (default: those of stage2.cells)
  --workers N processes on this machine, which share each batch: one for each GPU; without GPUs they share the cores, which
            shows how it works and is no faster. More machines: see "Several devices" in CONTRIBUTING.md
${scaleHelp}
${limitHelp}
${setHelp}`;

/** The cells that are asked for. */
function cellsOf(config: Config, name: string | undefined): readonly GridCell[] {
  const { stage2 } = config;
  return selectedCells(name === undefined ? config : { ...config, stage2: { ...stage2, cells: [name] } });
}

export async function run(args: string[]): Promise<void> {
  const { values, lists } = configOptions;
  const { options } = readArgs(args, { values: [...values, "stage", "cell", "workers"], lists });
  if (options.stage !== "1" && options.stage !== "2") {
    throw new UsageError(`--stage is "${options.stage ?? ""}"; expected 1 or 2.`);
  }
  if (options.stage === "1" && options.cell !== undefined) {
    throw new UsageError("--cell names a cell of stage 2; stage 1 has none.");
  }
  const { config } = readConfig(options), cells = cellsOf(config, options.cell);
  if (options.workers !== undefined) return await runWorkers(workersOf(options.workers), ["train", ...args]);
  const { trainHere } = await import("./support/train_here.ts"); // with TensorFlow, which the workers' parent does not need
  await untilSignal(
    "stopped after the last whole step: the same command goes on from there.",
    (signal) => trainHere(config, options.stage === "1" ? "projector" : cells, signal),
  );
}
