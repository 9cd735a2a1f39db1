import { median } from "@lib/stats/mod.ts";
import { measureInProcess } from "./case_process.ts";
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

/** What a process of transformers and PEFT measured. */
export interface PeerStep extends Pick<StepMeasurement, "firstSeconds" | "seconds" | "peakMiB" | "losses"> {
  versions: Record<string, string>;
}

/** A case with what each of its processes measured, one per round. */
export interface StepResult extends Omit<StepCase, "mode"> {
  /** The last one is not ours, and runs where it is given a Python that has it. */
  mode: StepCase["mode"] | "transformers";
  rounds: (StepMeasurement | PeerStep)[];
}

/** What results/local/bench/step.json holds. */
export interface StepReport {
  machine: Machine;
  startedAt: string;
  /** Load of the machine (1 minute) before the first case and after the last. */
  load: { before: number; after: number };
  results: StepResult[];
}

/** Measures a case once. */
async function measure(
  { rounds: _rounds, ...stepCase }: StepResult,
  python: string | undefined,
): Promise<StepResult["rounds"][number]> {
  const { model, stage, mode } = stepCase, what = `${model}, ${stage}, ${mode}`;
  if (mode !== "transformers") {
    return await measureInProcess("./step_case.ts", [JSON.stringify(stepCase)], { what });
  }
  const { peerInput } = await import("./peer_input.ts"); // loads the engine
  return await measureInProcess("./step.py", [], { what, python, input: peerInput(model, stage) });
}

const milliseconds = (seconds: number) => `${(1000 * seconds).toFixed(seconds < 0.1 ? 1 : 0)}`;

/** The largest relative difference between our modes of one model and stage in the losses of the first steps. */
export function lossSpread(results: readonly StepResult[]): number {
  let largest = 0;
  for (const { model, stage } of results) {
    const first = results.filter((r) => r.model === model && r.stage === stage && r.mode !== "transformers")
      .map((r) => r.rounds[0].losses);
    for (const i of first[0].keys()) {
      const losses = first.map((l) => l[i]);
      largest = Math.max(largest, (Math.max(...losses) - Math.min(...losses)) / Math.abs(losses[0]));
    }
  }
  return largest;
}

/** The report as a Markdown table. */
export function stepText({ machine, load, results }: StepReport): string {
  const medianOf = ({ rounds }: StepResult) => median(rounds.flatMap((round) => round.seconds));
  const rows = results.map((result) => {
    const { model, stage, mode, rounds } = result, all = rounds.flatMap((round) => round.seconds);
    const same = results.filter((r) => r.model === model && r.stage === stage);
    const [flops] = same.flatMap(({ rounds: [round] }) => "flops" in round ? [round.flops] : []);
    // Kept features stand beside a step of transformers that computes them.
    const theirs = results.find((r) =>
      r.model === model && r.mode === "transformers" && r.stage === stage.replace(", features kept", "")
    );
    const range = (x: number[]) => `${milliseconds(Math.min(...x))} - ${milliseconds(Math.max(...x))}`;
    return `| ${model} | ${stage} | ${mode} | ${milliseconds(median(all))} | ${range(all)} | ${
      range(rounds.map((round) => median(round.seconds)))
    } | ${flops === undefined ? "–" : (flops / median(all) / 1e9).toFixed(0)} | ${
      theirs ? (medianOf(theirs) / median(all)).toPrecision(3) : "–"
    } | ${median(rounds.map((round) => round.firstSeconds)).toFixed(1)} | ${
      Math.max(...rounds.map((round) => round.peakMiB)).toFixed(0)
    } |`;
  });
  const versions = results.flatMap(({ rounds }) => rounds).find((round) => "versions" in round)?.versions ??
    {};
  const rounds = results[0].rounds.length, models = [...new Set(results.map((r) => r.model))];
  return `# One training step, eager, traced and compiled

| model | trained | mode | median ms | all steps | medians of the rounds | GFLOP/s | × transformers | first step, s | peak MiB |
|---|---|---|---|---|---|---|---|---|---|
${rows.join("\n")}

${describeMachine(machine)}${
    Object.entries(versions).map(([name, version]) => `, ${name} ${version}`).join("")
  }. Load of the machine ${load.before.toFixed(1)} before, ${load.after.toFixed(1)} after.

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
products of the step, repeated ones included, over its median. *× transformers*: its median over this one, the same step by
transformers and PEFT in PyTorch on as many cores, with the vision tower also where ours reads kept features. *First step*: with tracing and compiling.
*Peak*: resident memory of the process, libraries included; on a GPU what it holds of its memory. The losses of our modes differ by at most
${lossSpread(results).toExponential(1)} (relative) over the measured steps.
`;
}

/**
 * `./lab bench step`: measures all cases of `models` in `rounds` alternating rounds; prints and writes the table.
 * @param python with torch, transformers and peft, to compare with them
 */
export async function benchStep(
  models: readonly BenchModel[],
  rounds: number,
  python: string | undefined,
): Promise<void> {
  const isMeasured = (model: BenchModel, stage: StepCase["stage"], mode: StepResult["mode"]) =>
    mode === "transformers"
      ? python !== undefined && !stage.endsWith("kept")
      : model !== "3b" || mode !== "eager";
  const results: StepResult[] = models.flatMap((model) =>
    STAGES.flatMap((stage) =>
      ([...MODES, "transformers"] as const).filter((mode) => isMeasured(model, stage, mode)).map((mode) => ({
        model,
        stage,
        mode,
        rounds: [],
      }))
    )
  );
  const about = await machine(),
    startedAt = new Date().toISOString(),
    before = load(),
    start = performance.now();
  for (let round = 0; round < rounds; round++) {
    // Every other round backwards, so that a machine that warms up or slows down favours no case.
    for (const result of round % 2 ? results.toReversed() : results) {
      const { model, stage, mode } = result, found = await measure(result, python);
      result.rounds.push(found);
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
