import { readArgs, UsageError } from "./command.ts";
import { configOptions, limitHelp, readConfig, scaleHelp, setHelp } from "./support/settings.ts";
import { untilSignal } from "./support/until_signal.ts";
import { runWorkers, workersOf } from "./support/workers.ts";

export const usage =
  `usage: ./lab answer 06|07 [--scale tiny|full] [--limit N] [--set KEY=VALUE] ... [--workers N]

Answers what notebook 06 or 07 asks its models, before the notebook: by the same functions, from the same runs. All is kept, so
that the notebook takes it and does not ask again (06 makes its maps of wrong answers itself). Ctrl-C ends it; the same command goes
on from there, also after a crash.
  06        the answers of its systems, the likelihoods of options, the answers about changed pictures
  07        maps and curves of its questions about lesions that are known
  --workers N processes on this machine, which share the questions: one for each GPU; without GPUs they share the cores, which
            shows how it works and is no faster. More machines: see "Several devices" in CONTRIBUTING.md
${scaleHelp}
${limitHelp}
${setHelp}`;

export async function run(args: string[]): Promise<void> {
  const { values, lists } = configOptions;
  const { options, rest: [notebook] } = readArgs(args, {
    values: [...values, "workers"],
    lists,
    positional: [1, 1],
  });
  if (notebook !== "06" && notebook !== "07") {
    throw new UsageError(`there is nothing to answer for notebook "${notebook}"; expected 06 or 07.`);
  }
  const { config } = readConfig(options);
  if (options.workers !== undefined) return await runWorkers(workersOf(options.workers), ["answer", ...args]);
  const { answerHere } = await import("./support/answer_here.ts"); // with TensorFlow, which the workers' parent does not need
  await untilSignal(
    "stopped; what was answered is kept, the same command goes on.",
    (signal) => answerHere(config, notebook, signal),
  );
}
