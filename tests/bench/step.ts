import { fromFileUrl } from "@std/path";
import { paths } from "@lib/config/mod.ts";
import { median } from "@lib/stats/mod.ts";
import {
  type BenchModel,
  MODELS,
  MODES,
  PREFIX,
  RANK,
  STAGES,
  type StepCase,
  type StepMeasurement,
} from "./cases.ts";
import { writeBench } from "./files.ts";
import { describeMachine, load, type Machine, machine } from "./machine.ts";
import { formatSeconds } from "@lib/cli/support/time.ts";

/** A case with what each of its processes measured, one per round. */
export interface StepResult extends StepCase {
  rounds: StepMeasurement[];
}

/** What results/local/bench/step.json holds. */
export interface StepReport {
  machine: Machine;
  startedAt: string;
  /** Load of the machine (1 minute) before the first case and after the last. */
  load: { before: number; after: number };
  results: StepResult[];
}

/** Runs a case in a fresh process: peak memory and compiled functions of one case never touch another. */
async function measure(stepCase: StepCase): Promise<StepMeasurement> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-A",
      "--quiet",
      fromFileUrl(new URL("./step_case.ts", import.meta.url)),
      JSON.stringify(stepCase),
    ],
    cwd: paths.root,
    stdin: "null",
  }).output();
  if (!success) {
    const { model, stage, mode } = stepCase;
    throw new Error(
      `${model}, ${stage}, ${mode} failed: ${new TextDecoder().decode(stderr).trim().slice(-600)}`,
    );
  }
  return JSON.parse(new TextDecoder().decode(stdout));
}

const milliseconds = (seconds: number) => `${(1000 * seconds).toFixed(seconds < 0.1 ? 1 : 0)}`;

/** The largest relative difference between the modes of one model and stage in the losses of the first steps. */
export function lossSpread(results: readonly StepResult[]): number {
  let largest = 0;
  for (const { model, stage } of results) {
    const first = results.filter((r) => r.model === model && r.stage === stage).map((r) =>
      r.rounds[0].losses
    );
    for (const i of first[0].keys()) {
      const losses = first.map((l) => l[i]);
      largest = Math.max(largest, (Math.max(...losses) - Math.min(...losses)) / Math.abs(losses[0]));
    }
  }
  return largest;
}

/** The report as a Markdown table. */
export function stepText({ machine, load, results }: StepReport): string {
  const rows = results.map(({ model, stage, mode, rounds }) => {
    const all = rounds.flatMap((round) => round.seconds);
    const range = (x: number[]) => `${milliseconds(Math.min(...x))} - ${milliseconds(Math.max(...x))}`;
    return `| ${model} | ${stage} | ${mode} | ${milliseconds(median(all))} | ${range(all)} | ${
      range(rounds.map((round) => median(round.seconds)))
    } | ${(rounds[0].flops / median(all) / 1e9).toFixed(0)} | ${
      median(rounds.map((round) => round.firstSeconds)).toFixed(1)
    } | ${Math.max(...rounds.map((round) => round.peakMiB)).toFixed(0)} |`;
  });
  const rounds = results[0].rounds.length, models = [...new Set(results.map((r) => r.model))];
  return `# One training step, eager, traced and compiled

| model | trained | mode | median ms | all steps | medians of the rounds | GFLOP/s | first step, s | peak MiB |
|---|---|---|---|---|---|---|---|---|
${rows.join("\n")}

${describeMachine(machine)}. Load of the machine ${load.before.toFixed(1)} before, ${
    load.after.toFixed(1)
  } after.

A step is forward, backward, clipping and AdamW with random weights and data; per row the image and ${PREFIX} tokens of prefix;
${
    models.map((model) => {
      const { batch, suffix, dtype } = MODELS[model];
      return `${model}: batch ${batch}, ${suffix} tokens of answer, ${dtype}`;
    }).join("; ")
  }. *nano*: 112 px, 64 image tokens; *50m*: 50.4 M parameters, 224 px, 256 image tokens; *3b*: PaliGemma-3B, 448 px, 1,024. Stage 1 trains the projector, where the vision tower is
computed in each step or its features are kept; stage 2 LoRA (r = ${RANK}) on the attention of both towers. ${rounds} rounds over all cases
in turn, each case in a process of its own; timed are
all steps of each process but two: ${
    models.map((model) => `${MODELS[model].steps} (${model})`).join(", ")
  }. *GFLOP/s*: the matrix
products of the step, repeated ones included, over its median. *First step*: with tracing and compiling.
*Peak*: resident memory of the process, libraries included; on a GPU what it holds of its memory. The losses of the modes differ by at most
${lossSpread(results).toExponential(1)} (relative) over the measured steps.
`;
}

/** `./lab bench step`: measures all cases of `models` in `rounds` alternating rounds; prints and writes the table. */
export async function benchStep(models: readonly BenchModel[], rounds: number): Promise<void> {
  const results: StepResult[] = models.flatMap((model) =>
    STAGES.flatMap((stage) =>
      MODES.filter((mode) => model !== "3b" || mode !== "eager")
        .map((mode) => ({ model, stage, mode, rounds: [] }))
    )
  );
  const about = await machine(),
    startedAt = new Date().toISOString(),
    before = load(),
    start = performance.now();
  for (let round = 0; round < rounds; round++) {
    // Every other round backwards, so that a machine that warms up or slows down favours no case.
    for (const result of round % 2 ? results.toReversed() : results) {
      const { rounds: done, ...stepCase } = result, found = await measure(stepCase);
      done.push(found);
      const { model, stage, mode } = stepCase;
      console.error(
        `round ${round + 1}/${rounds}  ${`${model}, ${stage}, ${mode}`.padEnd(34)}${
          milliseconds(median(found.seconds)).padStart(7)
        } ms  ${found.peakMiB.toFixed(0).padStart(6)} MiB  (${
          formatSeconds((performance.now() - start) / 1000)
        })`,
      );
    }
  }
  const report: StepReport = { machine: about, startedAt, load: { before, after: load() }, results };
  const text = stepText(report);
  console.log(text);
  console.log(
    `Written to ${await writeBench("step", report, text)}, with every step's time in step.json beside it.`,
  );
}
