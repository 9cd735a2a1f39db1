/** `./lab bench growth`: how the cost of a step and of an answer grows with layers, width, tokens and batch. */
import { join } from "@std/path";
import { paths, writeFileAtomic } from "@lib/config/mod.ts";
import { linesFigure, renderSvg, type Series } from "@lib/figures/mod.ts";
import { forwardFlops } from "@lib/model/cost.ts";
import { median } from "@lib/stats/mod.ts";
import { fitPowerLaw } from "@lib/stats/power_law.ts";
import {
  ANSWERS,
  type GenerateMeasurement,
  MODELS,
  PREFIX,
  type Size,
  type StepMeasurement,
} from "./cases.ts";
import { measureInProcess } from "./case_process.ts";
import { writeBench } from "./files.ts";
import { describeMachine, load, type Machine, machine } from "./machine.ts";
import { subjectOf } from "./models.ts";
import { formatSeconds } from "@lib/cli/support/time.ts";

/** What is changed, one number at a time, from this size. */
const BASE: Size = { layers: 4, width: 256, tokens: 64, batch: 4 };
const VALUES = {
  layers: [2, 4, 8, 16],
  width: [128, 256, 512, 1024],
  tokens: [64, 144, 256, 576, 1024],
  batch: [2, 4, 8, 16],
} as const satisfies Record<keyof Size, readonly number[]>;
const VARIABLES = Object.keys(VALUES) as (keyof Size)[];
const MODEL = "50m", WORDS = { tokens: "image tokens" } as Partial<Record<keyof Size, string>>;
const wordOf = (variable: keyof Size) => WORDS[variable] ?? variable;

const sizeText = (size: Size): string =>
  VARIABLES.map((variable) => `${wordOf(variable)} ${size[variable]}`).join(", ");

/** Every size once: the base, and what differs from it in one variable. */
export const SIZES: readonly Size[] = [
  BASE,
  ...VARIABLES.flatMap((variable) =>
    VALUES[variable].filter((value) => value !== BASE[variable]).map((value) => ({
      ...BASE,
      [variable]: value,
    }))
  ),
];

/** A size with what its processes measured, one of each kind per round. */
export interface GrowthResult {
  size: Size;
  steps: StepMeasurement[];
  answers: GenerateMeasurement[];
}

/** What results/local/bench/growth.json holds. */
export interface GrowthReport {
  machine: Machine;
  startedAt: string;
  load: { before: number; after: number };
  /** What ran the functions. */
  compiler: "graph" | "xla";
  results: GrowthResult[];
}

/** Something that costs, as it was measured in each round, and what of it can be counted, where something can. */
interface Cost {
  name: string;
  unit: string;
  of: (result: GrowthResult) => number[];
  counted?: { name: string; of: (result: GrowthResult) => number };
}

const perToken = ({ seconds, toFirstToken }: GenerateMeasurement) =>
  (median(seconds) - median(toFirstToken)) / (ANSWERS.tokens - 1);

const prefillFlops = ({ size }: GrowthResult): number => {
  const { config, batch } = subjectOf({ model: MODEL, size });
  const parts = forwardFlops(config, { tokens: config.imageTokens + PREFIX, logits: 1 });
  return batch * Object.values(parts).reduce((sum, flops) => sum + flops, 0);
};

const COSTS: readonly Cost[] = [
  {
    name: "step of stage 2",
    unit: "ms",
    of: ({ steps }) => steps.map(({ seconds }) => 1000 * median(seconds)),
    counted: { name: "FLOP of its matrix products", of: ({ steps }) => steps[0].flops },
  },
  {
    name: "memory that the step adds",
    unit: "MiB",
    of: ({ steps }) => steps.map(({ peakMiB, startMiB }) => peakMiB - startMiB),
  },
  {
    name: "first token",
    unit: "ms",
    of: ({ answers }) => answers.map(({ toFirstToken }) => 1000 * median(toFirstToken)),
    counted: { name: "FLOP of its matrix products", of: prefillFlops },
  },
  {
    name: "further token",
    unit: "ms",
    of: ({ answers }) => answers.map((answer) => 1000 * perToken(answer)),
    counted: { name: "bytes that it must read", of: ({ answers }) => answers[0].tokenBytes! },
  },
  {
    name: "memory that answers add",
    unit: "MiB",
    of: ({ answers }) => answers.map(({ peakMiB, startMiB }) => peakMiB - startMiB!),
  },
];

/** The results in which nothing but a variable differs from the base, by its value. */
const along = (results: readonly GrowthResult[], variable: keyof Size): GrowthResult[] =>
  results.filter(({ size }) => VARIABLES.every((other) => other === variable || size[other] === BASE[other]))
    .toSorted((a, b) => a.size[variable] - b.size[variable]);

/** Points of a cost along a variable. */
const pointsOf = (results: readonly GrowthResult[], variable: keyof Size, of: Cost["of"]) =>
  along(results, variable).flatMap((result) =>
    of(result).map((cost): [number, number] => [result.size[variable], cost])
  );

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");

const fixed = (exponent: number): string =>
  (Math.abs(exponent) < 0.005 ? 0 : exponent).toFixed(2).replace("-", "−");

/** Exponents of all costs, one row each, and of what can be counted below it. */
function exponentRows(results: readonly GrowthResult[]): string[][] {
  return COSTS.flatMap(({ name, of, counted }) => {
    const exponentOf = (variable: keyof Size, cost: Cost["of"]) =>
      fitPowerLaw(pointsOf(results, variable, cost)).exponent;
    const measured = VARIABLES.map((variable) => {
      if (pointsOf(results, variable, of).some(([, cost]) => !(cost > 0))) {
        return "below what can be measured";
      }
      const { estimate, low, high } = exponentOf(variable, of);
      return `${fixed(estimate)} [${fixed(low)}, ${fixed(high)}]`;
    });
    if (!counted) return [[name, ...measured]];
    const byCount = VARIABLES.map((variable) =>
      fixed(exponentOf(variable, (result) => [counted.of(result)]).estimate)
    );
    return [[name, ...measured], [`– ${counted.name}`, ...byCount]];
  });
}

/** Costs of the base, and of each size in parts of it, as lines over the variables. */
function figureOf({ results, machine }: GrowthReport, { name, of, counted }: Cost) {
  const base = along(results, "layers").find(({ size }) => size.layers === BASE.layers)!;
  const lines = (from: Series["from"], cost: (result: GrowthResult) => number): Series[] =>
    VARIABLES.map((variable) => ({
      name: from === "ours" ? wordOf(variable) : `${wordOf(variable)}, counted`,
      colourKey: variable,
      from,
      points: along(results, variable).map((result): [number, number] => [
        result.size[variable] / BASE[variable],
        cost(result) / cost(base),
      ]),
    }));
  const series = [
    ...lines("ours", (result) => median(of(result))),
    ...(counted ? lines("paper", counted.of) : []),
  ];
  return linesFigure(series, { x: "Size, times the base's", y: `${name}, times the base's`, log: true }, {
    title: `Growth: ${name}`,
    subtitle: `Base: ${sizeText(BASE)}.${counted ? ` Dashed: ${counted.name}` : ""}`,
    provenance: describeMachine(machine),
  });
}

const fileOf = ({ name }: Cost) => `growth-${name.replaceAll(" ", "-")}.svg`;

/** The report as Markdown. */
export function growthText({ machine, load, compiler, results }: GrowthReport): string {
  const rows = results.map((result) => [
    ...VARIABLES.map((variable) => `${result.size[variable]}`),
    ...COSTS.map(({ of }) => Number(median(of(result)).toPrecision(3)).toLocaleString("en")),
  ]);
  const { suffix, dtype, steps } = MODELS[MODEL];
  return `# How cost grows

Exponents p of cost = constant * x^p, with 95 % intervals, each fitted to the logarithms of what single processes measured (${
    results[0].steps.length
  } for each
size); below them the exponents of what can be counted, over the same sizes.

${table(["", ...VARIABLES.map(wordOf)], exponentRows(results))}

An exponent below that of the count says that a part of the cost does not grow: calls, small products that do not fill the machine,
weights that are read once for all rows. Where it is so the curve bends, and the exponent is that of this range alone; the figures show it.

${COSTS.map((cost) => `![Growth: ${cost.name}](${fileOf(cost)})`).join("\n\n")}

${table([...VARIABLES.map(wordOf), ...COSTS.map(({ name, unit }) => `${name}, ${unit}`)], rows)}

Random weights and data, ${dtype}, TensorFlow's ${
    compiler === "xla" ? "XLA" : "graph"
  }; layers and width of both towers alike, a head for every 64 of the width, MLPs four times as
wide, ${PREFIX} tokens beside the image's. Step: LoRA on both towers, ${suffix} tokens of answer, activations kept; median of ${steps}. Answers: one of ${ANSWERS.tokens}
tokens to each prompt of the batch; medians of ${ANSWERS.timed}. Memory: what is added to the peak of the process with its weights. Each size and kind in
a process of its own, rounds in turn. ${describeMachine(machine)}. Load of the machine ${
    load.before.toFixed(1)
  } before, ${load.after.toFixed(1)} after.
`;
}

const measure = <T>(script: string, what: string, ...args: unknown[]): Promise<T> =>
  measureInProcess(script, args.map((arg) => JSON.stringify(arg)), { what });

/** Measures all sizes in `rounds` alternating rounds; prints and writes the tables and figures. */
export async function benchGrowth(rounds: number): Promise<void> {
  const about = await machine(), startedAt = new Date().toISOString(), before = load();
  const compiler = about.gpus.length > 0 ? "xla" : "graph", start = performance.now();
  const results: GrowthResult[] = SIZES.map((size) => ({ size, steps: [], answers: [] }));
  for (let round = 0; round < rounds; round++) {
    for (const { size, steps, answers } of round % 2 ? results.toReversed() : results) {
      const of = { model: MODEL, size };
      steps.push(
        await measure("./step_case.ts", sizeText(size), { ...of, stage: "stage 2", mode: compiler }),
      );
      const asked = { ...ANSWERS, items: size.batch, samples: 1 };
      answers.push(await measure("./generate_case.ts", sizeText(size), { ...of, way: compiler }, asked));
      console.error(
        `round ${round + 1}/${rounds}  ${sizeText(size)}  (${
          formatSeconds((performance.now() - start) / 1000)
        })`,
      );
    }
  }
  const report: GrowthReport = {
    ...{ machine: about, startedAt, load: { before, after: load() }, compiler, results },
  };
  const text = growthText(report), place = await writeBench("growth", report, text);
  for (const cost of COSTS) {
    await writeFileAtomic(
      join(paths.results, "bench", fileOf(cost)),
      await renderSvg(figureOf(report, cost)),
    );
  }
  console.log(text);
  console.log(`Written to ${place}, with the figures and every measurement beside it.`);
}
