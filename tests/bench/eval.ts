import { join } from "@std/path";
import { makeFolder, paths } from "@lib/config/mod.ts";
import { median } from "@lib/stats/mod.ts";
import { formatSeconds } from "@lib/cli/support/time.ts";
import type { AnswersMeasurement, WholeMeasurement } from "./eval_case.ts";
import { measureInProcess } from "./case_process.ts";
import { writeBench } from "./files.ts";
import { describeMachine, load, type Machine, machine } from "./machine.ts";

/** Prompts of each test set. */
const PER_SET = 50;

/** What results/local/bench/eval.json holds: one measurement per round. */
export interface EvalReport {
  machine: Machine;
  startedAt: string;
  load: { before: number; after: number };
  ours: AnswersMeasurement[];
  /** None without a Python that has it. */
  transformers: AnswersMeasurement[];
  whole: WholeMeasurement[];
}

/** The report as Markdown: speed beside transformers', greedy answers compared, shares of a whole evaluation. */
export function evalText({ machine, load, ours, transformers, whole }: EvalReport): string {
  const [{ prompts, runs, greedy }] = ours,
    rates = (rounds: AnswersMeasurement[]) =>
      rounds.flatMap(({ seconds }) => seconds.map((s) => prompts / s));
  const row = (name: string, rounds: AnswersMeasurement[]) => {
    const speeds = rates(rounds);
    const cells = [
      name,
      median(speeds).toPrecision(3),
      `${Math.min(...speeds).toPrecision(3)} - ${Math.max(...speeds).toPrecision(3)}`,
      (median(speeds) / median(rates(ours))).toPrecision(3),
      median(rounds.map(({ firstSeconds }) => firstSeconds)).toFixed(1),
      Math.max(...rounds.map(({ peakMiB }) => peakMiB)).toFixed(0),
    ];
    return `| ${cells.join(" | ")} |`;
  };
  const [theirs] = transformers, versions = Object.entries(theirs?.versions ?? {});
  const equal = theirs?.greedy.filter((text, i) => text === greedy[i]).length;
  const [{ systems, answers, scores, seconds }] = whole;
  const parts = Object.keys(seconds) as (keyof typeof seconds)[];
  const of = (part: typeof parts[number]) => median(whole.map((one) => one.seconds[part]));
  const total = parts.reduce((sum, part) => sum + of(part), 0);
  return `# Evaluation: answers a second, and where the time of a whole one goes

${prompts} questions of the four test sets, ${runs} sampled answers to each, by the nano base model.

| by | questions/s | all passes | to ours | first pass, s | peak MiB |
|---|---|---|---|---|---|
${[row("ours", ours), ...(theirs ? [row("transformers", transformers)] : [])].join("\n")}

${
    theirs
      ? `Greedy answers to the same questions: ${equal} of ${prompts} equal, letter for letter.`
      : "Not compared with transformers (--python)."
  } Prompts in, texts out; both get the same pixel values,
token ids and batches (padded to a multiple of 16). *transformers*: \`generate\` with num_return_sequences. ${ours.length} rounds in
turn, every other one backwards, each in a process of its own; medians of the passes after the first, which traces. *Peak*: resident
memory of the process.

## A whole evaluation

Notebook 06 without its pages, figures and judge: ${systems} systems, ${
    answers.toLocaleString("en")
  } answers, ${scores.toLocaleString("en")} scores; nothing that is kept from an earlier run is used.

| part | seconds | share, % |
|---|---|---|
${
    parts.map((part) => `| ${part} | ${of(part).toFixed(1)} | ${(100 * of(part) / total).toFixed(0)} |`).join(
      "\n",
    )
  }
| all | ${total.toFixed(1)} | 100 |

Medians of ${whole.length} runs; peak ${Math.max(...whole.map(({ peakMiB }) => peakMiB)).toFixed(0)} MiB. ${
    describeMachine(machine)
  }${versions.map(([name, version]) => `, ${name} ${version}`).join("")}. Load of the machine ${
    load.before.toFixed(1)
  } before, ${load.after.toFixed(1)} after.
`;
}

/**
 * `./lab bench eval`: answers beside transformers' in alternating rounds, and whole evaluations; prints and writes the tables.
 * Needs notebooks 01 to 05, finished.
 *
 * @param python with torch and transformers, to compare with them
 */
export async function benchEval(rounds: number, python: string | undefined): Promise<void> {
  const folder = join(paths.root, "build/bench/eval"), perSet = `${PER_SET}`;
  const own = <T>(...args: string[]) => measureInProcess<T>("./eval_case.ts", args, { what: args[0] });
  await makeFolder(folder);
  await own("prompts", folder, perSet);
  const report: EvalReport = {
    machine: await machine(),
    startedAt: new Date().toISOString(),
    load: { before: load(), after: NaN },
    ...{ ours: [], transformers: [], whole: [] },
  };
  const start = performance.now();
  const ways: (() => Promise<string>)[] = [
    async () => {
      report.ours.push(await own("answers", folder, perSet));
      return "ours";
    },
    ...(python === undefined ? [] : [async () => {
      report.transformers.push(
        await measureInProcess("./eval.py", [folder], { what: "transformers", python }),
      );
      return "transformers";
    }]),
    async () => {
      report.whole.push(await own("whole"));
      return "whole evaluation";
    },
  ];
  for (let round = 0; round < rounds; round++) {
    for (const way of round % 2 ? ways.toReversed() : ways) {
      const done = await way(), took = formatSeconds((performance.now() - start) / 1000);
      console.error(`round ${round + 1}/${rounds}  ${done.padEnd(20)}(${took})`);
    }
  }
  report.load.after = load();
  const text = evalText(report);
  console.log(text);
  console.log(`Written to ${await writeBench("eval", report, text)}, with every pass's time in eval.json.`);
}
