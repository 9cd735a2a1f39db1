import { type Config, loadConfig } from "@lib/config/mod.ts";
import { openModel } from "@lib/model/mod.ts";
import { type ScalingRecord, scalingRows, tableMarkdown } from "@lib/report/mod.ts";
import { type ScalingPoint } from "@lib/stats/mod.ts";
import { fitScalingLaw } from "@lib/stats/scaling_law.ts";
import { scalingPoint, type ScalingRun } from "@lib/nano/scaling.ts";
import { writeBench } from "./files.ts";
import { describeMachine, load, type Machine, machine } from "./machine.ts";
import { formatSeconds } from "@lib/cli/support/time.ts";

/** Ranks, steps and seeds: every combination is one run. */
const RANKS = [1, 3, 9, 27], STEPS = [15, 45, 135, 405], SEEDS = [1, 2];
const PER_TYPE = 400;

/** What results/local/bench/scaling.json holds. */
export interface ScalingReport extends ScalingRecord {
  machine: Machine;
  startedAt: string;
  load: { before: number; after: number };
  config: Config;
  perType: number;
  /** In the order of the points. */
  runs: ScalingRun[];
}

/** The report as Markdown: losses by size and tokens, and the fit. */
export function scalingText({ points, fit, runs, config, perType, machine, load }: ScalingReport): string {
  const sizes = [...Map.groupBy(points.keys(), (i) => points[i].parameters)];
  const steps = [...new Set(runs.map((run) => run.steps))];
  const rows = sizes.map(([parameters, own]) => ({
    "trained parameters": parameters,
    ...Object.fromEntries(steps.map((n) => {
      const places = own.filter((i) => runs[i].steps === n);
      return [`${n} steps`, places.map((i) => points[i].loss.toFixed(4)).join(", ")];
    })),
  }));
  const { A, alpha, beta, E } = fit.law;
  const warnings = fit.warnings.length > 0 ? fit.warnings.map((text) => `- ${text}`).join("\n") : "- none";
  return `# Equation 1: a scaling law fitted to final losses of independent runs

Every number is the final validation loss (nats per answer token) of a training of its own; two seeds a cell.

${tableMarkdown(rows).trim()}

L = ${A.toPrecision(3)} X^-${alpha.toPrecision(3)} D^-${beta.toPrecision(3)} + ${
    E.toPrecision(3)
  }, X trained parameters, D
answer tokens seen.

${tableMarkdown(scalingRows(fit)).trim()}

Warnings:

${warnings}

Adapters of the nano model, from the base model, on lesion questions about shifted phantoms: ${perType} training questions a
type, repeated where a run is longer; batches of ${config.stage2.batchSize} at ${config.stage2.learningRate}; alpha / rank as
in the configuration. Held-out questions are the same for all runs.

${describeMachine(machine)}. Load of the machine ${load.before.toFixed(1)} before, ${
    load.after.toFixed(1)
  } after.
`;
}

/** `./lab bench scaling`: trains what is missing of the grid, fits equation 1, writes the record. */
export async function benchScaling(limit: number | null, signal: AbortSignal): Promise<void> {
  const config = loadConfig({ ...Deno.env.toObject(), SCALE: "tiny", LIMIT: "" });
  const perType = Math.min(PER_TYPE, limit ?? Infinity);
  const runs = SEEDS.flatMap((seed) =>
    STEPS.flatMap((steps) =>
      RANKS.map((rank): ScalingRun => ({
        rank,
        seed,
        steps: Math.min(steps, limit === null ? steps : steps / 15),
      }))
    )
  );
  const { model, tokenizer } = await openModel(config, { signal });
  const before = load(), startedAt = new Date().toISOString(), points: ScalingPoint[] = [];
  const start = performance.now();
  for (const run of runs) {
    const point = await scalingPoint(model, tokenizer, config, run, { perType, signal });
    points.push(point);
    console.error(
      `${
        formatSeconds((performance.now() - start) / 1000).padStart(12)
      }  ${points.length} of ${runs.length}: ` +
        `rank ${run.rank}, ${run.steps} steps, seed ${run.seed}: ${point.loss.toFixed(4)}`,
    );
  }
  const report: ScalingReport = {
    machine: await machine(),
    startedAt,
    load: { before, after: load() },
    config,
    perType,
    runs,
    points,
    fit: fitScalingLaw(points),
  };
  const text = scalingText(report);
  const place = await writeBench(limit === null ? "scaling" : "scaling-limited", report, text);
  console.log(text);
  console.log(`Written to ${place}, with all points in the .json beside it.`);
}
