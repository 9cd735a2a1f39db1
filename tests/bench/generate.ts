import { median } from "@lib/stats/mod.ts";
import { measureInProcess } from "./case_process.ts";
import {
  ANSWERS,
  type BenchModel,
  type GenerateCase,
  type GenerateMeasurement,
  PREFIX,
  WAYS,
} from "./cases.ts";
import { writeBench } from "./files.ts";
import { describeMachine, load, type Machine, machine } from "./machine.ts";
import { formatSeconds } from "@lib/cli/support/time.ts";

/** A case with what each of its processes measured, one per round. */
export interface GenerateResult extends GenerateCase {
  rounds: GenerateMeasurement[];
}

/** What results/local/bench/generate.json holds. */
export interface GenerateReport {
  machine: Machine;
  startedAt: string;
  load: { before: number; after: number };
  results: GenerateResult[];
}

/** Measures a case once. */
async function measure(generateCase: GenerateCase, python: string | undefined): Promise<GenerateMeasurement> {
  const { model, way } = generateCase, what = `${model}, ${way}`;
  if (way !== "transformers") {
    return await measureInProcess("./generate_case.ts", [JSON.stringify(generateCase)], { what });
  }
  const { peerInput } = await import("./peer_input.ts"); // loads the engine
  return await measureInProcess("./generate.py", [], { what, python, input: peerInput(model, ANSWERS) });
}

/** Milliseconds of each token after the first, for all rows of a batch together. */
const perToken = ({ seconds, toFirstToken }: GenerateMeasurement): number =>
  1000 * (median(seconds) - median(toFirstToken)) / (ANSWERS.tokens - 1);

/** The report as a Markdown table. */
export function generateText({ machine, load, results }: GenerateReport): string {
  const { items, samples, tokens } = ANSWERS;
  const rows = results.map(({ model, way, rounds }) => {
    const of = (f: (round: GenerateMeasurement) => number) => median(rounds.map(f));
    const bytes = results.find((other) => other.model === model)!.rounds[0].tokenBytes; // the first one is ours
    const speeds = rounds.flatMap(({ seconds }) => seconds.map((s) => items / s));
    const cells = [
      model,
      way,
      median(speeds).toPrecision(3),
      `${Math.min(...speeds).toPrecision(3)} - ${Math.max(...speeds).toPrecision(3)}`,
      (1000 * of(({ toFirstToken }) => median(toFirstToken))).toFixed(0),
      of(perToken).toPrecision(3),
      bytes === undefined ? "–" : (bytes / of(perToken) / 1e6).toPrecision(3),
      of(({ firstSeconds }) => firstSeconds).toFixed(1),
      Math.max(...rounds.map(({ peakMiB }) => peakMiB)).toFixed(0),
    ];
    return `| ${cells.join(" | ")} |`;
  });
  const versions = results.flatMap(({ rounds }) => rounds).find((round) => round.versions)?.versions ?? {};
  return `# Answers generated: ${items} prompts, ${samples} samples of each, ${tokens} tokens

| model | way | prompts/s | all batches | first tokens, ms | each further token of all rows, ms | GB/s | first batch, s | peak MiB |
|---|---|---|---|---|---|---|---|---|
${rows.join("\n")}

${describeMachine(machine)}${
    Object.entries(versions).map(([name, version]) => `, ${name} ${version}`).join("")
  }. Load of the machine ${load.before.toFixed(1)} before, ${load.after.toFixed(1)} after.

Random weights and prompts (an image and ${PREFIX} tokens), temperature 0.7, answers that do not end. ${
    results[0].rounds.length
  } rounds over all cases in turn, each in a process of its own; medians of ${ANSWERS.timed} batches after the first. *A call a
token*: the function comes back after each token; else the loop is part of it. *transformers*: \`generate\` with
num_return_sequences. *GB/s*: the weights, keys and values that a further token must read (lib/model/cost.ts) in its time, to be
held against the bandwidth of the machine's memory. *Peak*: resident memory of the process; on a GPU what it holds, of torch what it allocated, of its memory.
`;
}

/**
 * `./lab bench generate`: measures all ways in `rounds` alternating rounds; prints and writes the table.
 * @param python with torch and transformers, to compare with them
 */
export async function benchGenerate(
  models: readonly BenchModel[],
  rounds: number,
  python: string | undefined,
): Promise<void> {
  const ways = WAYS.filter((way) => way !== "transformers" || python !== undefined);
  const results: GenerateResult[] = models.flatMap((model) =>
    ways.map((way) => ({ model, way, rounds: [] }))
  );
  const about = await machine(), startedAt = new Date().toISOString(), before = load();
  const start = performance.now();
  for (let round = 0; round < rounds; round++) {
    for (const result of round % 2 ? results.toReversed() : results) {
      const { model, way } = result, found = await measure({ model, way }, python);
      result.rounds.push(found);
      console.error(
        `round ${round + 1}/${rounds}  ${`${model}, ${way}`.padEnd(30)}${
          (ANSWERS.items / median(found.seconds)).toPrecision(3).padStart(6)
        } prompts/s  ${found.peakMiB.toFixed(0).padStart(6)} MiB  (${
          formatSeconds((performance.now() - start) / 1000)
        })`,
      );
    }
  }
  const report: GenerateReport = { machine: about, startedAt, load: { before, after: load() }, results };
  const text = generateText(report);
  console.log(text);
  console.log(
    `Written to ${await writeBench("generate", report, text)}, with every batch's time in generate.json.`,
  );
}
