/** What `./lab train` does in the process that trains. */
import { ScheduleRow } from "../../annealing/mod.ts";
import { openInput } from "../../artifacts/mod.ts";
import { computing, type Config, type GridCell } from "../../config/mod.ts";
import type { OpenModel } from "../../model/mod.ts";
import { QaPair } from "../../synthesis/mod.ts";
import { dispose, type Group, leaveGroup } from "../../tensor/mod.ts";
import {
  featuresText,
  gridData,
  lossFall,
  readablePairs,
  stage1Data,
  trainCell,
  type TrainingRecord,
  trainProjector,
} from "../../training/mod.ts";
import { type Params, readSafetensors } from "../../weights/mod.ts";
import { formatBytes } from "./bytes.ts";
import { joinedGroup, openAlike, tells } from "./joined_group.ts";
import { type LiveLine, liveLine } from "./live_line.ts";
import { formatSeconds } from "./time.ts";

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
function stepShown(name: string, line: LiveLine, group: Group | undefined) {
  if (!tells(group)) return undefined;
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

/** What a training is given. */
interface Given extends OpenModel {
  signal: AbortSignal;
  group: Group | undefined;
}

async function stage1(config: Config, { model, tokenizer, store, signal, group }: Given) {
  using input = await openInput("03_annealing", config);
  const pairs = await input.table("pairs", QaPair);
  using line = liveLine();
  const onStep = stepShown("stage 1", line, group);
  const onFeatures = (done: number, total: number) => {
    if (tells(group)) line.show(() => `stage 1: features of image ${done} of ${total}`);
  };
  const options = { store, signal, group, onStep, onFeatures, keep: true };
  const { records, features } = await trainProjector(
    model,
    stage1Data(pairs, tokenizer, model),
    config,
    options,
  );
  line.close();
  if (!tells(group)) return;
  if (features) console.log(featuresText(features));
  console.log(`${trainedText("stage 1", records)}. ./lab run 04 takes it.`);
}

async function stage2(
  cells: readonly GridCell[],
  config: Config,
  { model, tokenizer, store, signal, group }: Given,
) {
  using input = await openInput("03_annealing", config);
  const all = await input.table("pairs", QaPair);
  const mixture = await input.table("schedule", ScheduleRow);
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
    const options = { store, signal, group, onStep: stepShown(cell.name, line, group), keep: true };
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
    if (tells(group)) console.log(`${trainedText(cell.name, curve)}. ./lab run 05 takes it.`);
  }
}

/** Trains the projector, or some cells; as a worker, with the others that the environment names. */
export async function trainHere(
  config: Config,
  what: "projector" | readonly GridCell[],
  signal: AbortSignal,
): Promise<void> {
  const fromStage1 = what !== "projector" && what.some((cell) => cell.stage1);
  const group = await joinedGroup(config, ["03_annealing", ...(fromStage1 ? ["04_stage1"] : [])], { what });
  const given = { ...await openAlike(config, group, signal), signal, group };
  await (what === "projector" ? stage1(config, given) : stage2(what, config, given));
  if (group) await leaveGroup(group);
}
