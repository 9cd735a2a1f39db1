import { join } from "@std/path";
import { paths } from "../config/mod.ts";
import type { ScalingFit, ScalingPoint } from "../stats/mod.ts";

/** What `./lab bench scaling` measured: final losses of independent runs, and the fit of equation 1 to them. */
export interface ScalingRecord {
  /** The trainings. */
  points: ScalingPoint[];
  /** Equation 1, fitted to them. */
  fit: ScalingFit;
}

/** The record of this machine's last bench, else the one that comes with the code; null where there is none. */
export async function recordedScaling(): Promise<ScalingRecord | null> {
  for (const folder of [join(paths.results, "bench"), join(paths.root, "results", "bench")]) {
    try {
      return JSON.parse(await Deno.readTextFile(join(folder, "scaling.json"))) as ScalingRecord;
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  return null;
}

/** A fit as rows: each unknown with its interval, each error beside a constant's. */
export function scalingRows(fit: ScalingFit): { what: string; value: string; beside: string }[] {
  const text = (x: number) => x.toPrecision(3);
  const unknowns = (["alpha", "beta", "E"] as const).map((name) => {
    const { estimate, low, high } = fit.intervals[name];
    return { what: name, value: text(estimate), beside: `95 % interval ${text(low)} to ${text(high)}` };
  });
  const errors = ([["each run", fit.pointOut], ["each size", fit.sizeOut]] as const).flatMap((
    [what, error],
  ) =>
    error
      ? [{
        what: `error on ${what} left out`,
        value: text(error.law),
        beside: `of a constant ${text(error.constant)}`,
      }]
      : []
  );
  return [
    ...unknowns,
    { what: "error on its own points", value: text(fit.trainingError), beside: "" },
    ...errors,
  ];
}

/**
 * Whether the paper's law was found again: both exponents told from zero, nothing undetermined, and a size that was left out
 * foretold better than by a constant.
 */
export function lawHolds({ intervals, sizeOut, warnings }: ScalingFit): boolean {
  return intervals.alpha.low > 0 && intervals.beta.low > 0 && sizeOut !== null &&
    sizeOut.law < sizeOut.constant && !warnings.some((text) => /not determined|at its bound/.test(text));
}
