import { openInput } from "../artifacts/mod.ts";
import { computing, type Config, type GridCell, selectedCells } from "../config/mod.ts";
import { type OpenModel, openModel } from "../model/mod.ts";
import { dispose } from "../tensor/mod.ts";
import {
  featuresText,
  gridData,
  lossFall,
  type MixtureRow,
  readablePairs,
  type SplitPair,
  stage1Data,
  trainCell,
  type TrainingRecord,
  trainProjector,
} from "../training/mod.ts";
import { type Params, readSafetensors } from "../weights/mod.ts";
import { readArgs, UsageError } from "./command.ts";
import { formatBytes } from "./support/bytes.ts";
import { type LiveLine, liveLine } from "./support/live_line.ts";
import { configOptions, limitHelp, readConfig, scaleHelp, setHelp } from "./support/settings.ts";
import { formatSeconds } from "./support/time.ts";
import { untilSignal } from "./support/until_signal.ts";

export const usage =
  `usage: ./lab train --stage 1|2 [--cell NAME] [--scale tiny|full] [--limit N] [--set KEY=VALUE]

Trains what notebook 04 (stage 1) or 05 (stage 2) trains, in a process of its own: by the same functions, from the same runs.
What is trained is kept, so that the notebook takes it and does not train it again. Ctrl-C ends it after the step at which it
is; the same command goes on from there, also after a crash (a checkpoint a minute). TensorBoard shows the curves:
tensorboard --logdir results/local/tensorboard
  --stage   1: the projector; 2: the cells of the grid
  --cell    one cell of stage 2, such as roco_v2__with (default: those of stage2.cells)
${scaleHelp}
${limitHelp}
${setHelp}`;

/** A training under way: "roco_v2__with: step 37 of 160, loss 1.23, ..., 12.3 s left". */
export function trainingText(
  name: string,
  { step, loss, learningRate, gradientNorm, examplesPerSecond }: TrainingRecord,
  total: number,
  { memory, secondsLeft }: { memory: number | null; secondsLeft: number | null },
): string {
  return [
    `${name}: step ${step} of ${total}`,
    `loss ${loss.toFixed(3)}`,
    `rate ${learningRate.toPrecision(2)}`,
    `gradient ${gradientNorm.toPrecision(3)}`,
    `${examplesPerSecond.toPrecision(3)} examples/s`,
    ...(memory === null ? [] : [`peak ${formatBytes(memory)}`]),
    ...(secondsLeft === null ? [] : [`${formatSeconds(secondsLeft)} left`]),
  ].join(", ");
}

/** What was trained: "roco_v2__with: 160 steps, loss 0.412; on held-out pairs 1.800, at its lowest 1.100 below the first". */
export function trainedText(name: string, records: readonly TrainingRecord[]): string {
  const { step, loss } = records.at(-1)!, fall = lossFall(records);
  const held = records.findLast(({ validationLoss }) => validationLoss !== null)?.validationLoss;
  const heldOut = typeof held === "number" && fall !== null
    ? `; on held-out pairs ${held.toFixed(3)}, at its lowest ${fall.toFixed(3)} below the first`
    : "";
  return `${name}: ${step} ${step === 1 ? "step" : "steps"}, loss ${loss.toFixed(3)}${heldOut}`;
}

/** Shows each step of a training on a line; says where it goes on, or that it was there. */
function stepShown(name: string, line: LiveLine) {
  let first: { step: number; at: number } | undefined;
  return (record: TrainingRecord, total: number) => {
    const { step } = record, now = performance.now();
    if (!first && step > 1) {
      line.close();
      console.error(step === total ? `${name} was trained before` : `${name} goes on after step ${step - 1}`);
    }
    first ??= { step, at: now };
    const perStep = step > first.step ? (now - first.at) / 1000 / (step - first.step) : null;
    line.show(() =>
      trainingText(name, record, total, {
        memory: computing.memory()?.peakBytes ?? null,
        secondsLeft: perStep === null ? null : perStep * (total - step),
      })
    );
  };
}

/** The cells that are asked for. */
function cellsOf(config: Config, name: string | undefined): readonly GridCell[] {
  const { stage2 } = config;
  return selectedCells(name === undefined ? config : { ...config, stage2: { ...stage2, cells: [name] } });
}

async function stage1(config: Config, { model, tokenizer, store }: OpenModel, signal: AbortSignal) {
  using input = await openInput("03_annealing", config);
  const pairs = await input.table("pairs") as unknown as SplitPair[];
  using line = liveLine();
  const onStep = stepShown("stage 1", line);
  const onFeatures = (done: number, total: number) =>
    line.show(() => `stage 1: features of image ${done} of ${total}`);
  const options = { store, signal, onStep, onFeatures, keep: true };
  const { records, features } = await trainProjector(
    model,
    stage1Data(pairs, tokenizer, model),
    config,
    options,
  );
  line.close();
  if (features) console.log(featuresText(features));
  console.log(`${trainedText("stage 1", records)}. ./lab run 04 takes it.`);
}

async function stage2(
  cells: readonly GridCell[],
  config: Config,
  { model, tokenizer, store }: OpenModel,
  signal: AbortSignal,
) {
  using input = await openInput("03_annealing", config);
  const all = await input.table("pairs") as unknown as SplitPair[];
  const mixture = await input.table("schedule") as unknown as MixtureRow[];
  const data = gridData(readablePairs(all, tokenizer), mixture, config, tokenizer, model.config);
  const absent = cells.filter(({ dataset }) => !data[dataset]).map(({ name }) => name);
  if (absent.length > 0) throw new Error(`there are no training pairs for ${absent.join(", ")}.`);
  let projector: Params = {};
  if (cells.some((cell) => cell.stage1)) {
    using earlier = await openInput("04_stage1", config);
    projector = await readSafetensors(earlier.file("projector.safetensors"), { signal });
  }
  for (const cell of cells) {
    using line = liveLine();
    const options = { store, signal, onStep: stepShown(cell.name, line), keep: true };
    const { adapter, curve } = await trainCell(
      model,
      cell,
      data[cell.dataset]!,
      projector,
      config,
      options,
    );
    dispose(adapter.params); // kept on disk
    line.close();
    console.log(`${trainedText(cell.name, curve)}. ./lab run 05 takes it.`);
  }
}

export async function run(args: string[]): Promise<void> {
  const { values, lists } = configOptions;
  const { options } = readArgs(args, { values: [...values, "stage", "cell"], lists });
  if (options.stage !== "1" && options.stage !== "2") {
    throw new UsageError(`--stage is "${options.stage ?? ""}"; expected 1 or 2.`);
  }
  if (options.stage === "1" && options.cell !== undefined) {
    throw new UsageError("--cell names a cell of stage 2; stage 1 has none.");
  }
  const { config } = readConfig(options), cells = cellsOf(config, options.cell);
  await untilSignal(
    "stopped after the last whole step: the same command goes on from there.",
    async (signal) => {
      const opened = await openModel(config, { signal });
      await (options.stage === "1" ? stage1(config, opened, signal) : stage2(cells, config, opened, signal));
    },
  );
}
