/** How many tests went how. */
export interface Tally {
  passed: number;
  failed: number;
  skipped: number;
}

/** The counts of several runs together. */
export function sumTallies(tallies: readonly Tally[]): Tally {
  const sum = (key: keyof Tally) => tallies.reduce((total, tally) => total + tally[key], 0);
  return { passed: sum("passed"), failed: sum("failed"), skipped: sum("skipped") };
}

/** A run that ended badly counts as one failure at least, whatever it printed. */
function settle(tally: Tally | null, success: boolean): Tally {
  if (!tally) return { passed: 0, failed: 1, skipped: 0 };
  return { ...tally, failed: success ? tally.failed : Math.max(1, tally.failed) };
}

/** Counts of `deno test`, from its summary: "ok | 8 passed (2 steps) | 0 failed | 1 ignored (107ms)". */
export function parseDenoTest(output: string, success: boolean): Tally {
  const steps = String.raw`(?: \(\d+ steps?\))?`;
  const pattern = new RegExp(
    String.raw`^(?:ok|FAILED) \| (\d+) passed${steps} \| (\d+) failed${steps}(?: \| (\d+) ignored)?`,
    "gm",
  );
  const last = [...output.matchAll(pattern)].at(-1);
  const tally = last && { passed: +last[1], failed: +last[2], skipped: +(last[3] ?? 0) };
  return settle(tally ?? null, success);
}

/** Counts of a run that ends with a line "8 passed, 0 failed, 1 skipped". */
export function parsePlain(output: string, success: boolean): Tally {
  const last = [...output.matchAll(/^(\d+) passed, (\d+) failed, (\d+) skipped$/gm)].at(-1);
  return settle(last ? { passed: +last[1], failed: +last[2], skipped: +last[3] } : null, success);
}
