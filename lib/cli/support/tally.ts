/** How many tests went how. */
export interface Tally {
  passed: number;
  failed: number;
  skipped: number;
  /** Why tests were skipped, and how many; their sum is `skipped`. */
  reasons: Readonly<Record<string, number>>;
}

const NO_REASON = "their names do not say why";

/** A check that went well or did not. */
export const one = (success: boolean): Tally => ({
  passed: success ? 1 : 0,
  failed: success ? 0 : 1,
  skipped: 0,
  reasons: {},
});

/** A check that could not be made. */
export const skippedOne = (reason: string): Tally => ({
  passed: 0,
  failed: 0,
  skipped: 1,
  reasons: { [reason]: 1 },
});

/** The counts of several runs together. */
export function sumTallies(tallies: readonly Tally[]): Tally {
  const sum = (key: "passed" | "failed" | "skipped") =>
    tallies.reduce((total, tally) => total + tally[key], 0);
  const reasons: Record<string, number> = {};
  for (const [reason, n] of tallies.flatMap((tally) => Object.entries(tally.reasons))) {
    reasons[reason] = (reasons[reason] ?? 0) + n;
  }
  return { passed: sum("passed"), failed: sum("failed"), skipped: sum("skipped"), reasons };
}

/** Lines "12 skipped: no real images in LAB_DATA", the most frequent reason first. */
export const skipLines = ({ reasons }: Tally): string[] =>
  Object.entries(reasons).sort(([, a], [, b]) => b - a).map(([reason, n]) => `${n} skipped: ${reason}`);

/** A run that ended badly counts as one failure at least, whatever it printed. */
function settle(tally: Tally | null, success: boolean): Tally {
  if (!tally) return one(false);
  return { ...tally, failed: success ? tally.failed : Math.max(1, tally.failed) };
}

/** Why a test with this name is skipped: what it says it needs, as in "[needs LAB_DATA] ...". */
function reasonOf(name: string): string {
  const need = name.match(/\[needs ([^\]]+)\]/)?.[1];
  if (need === undefined) return NO_REASON;
  if (need === "LAB_DATA") return "no real images in LAB_DATA";
  return `needs ${need === "Chromium" ? "a browser" : need}`;
}

/** Reasons for the `skipped` tests that `deno test` printed as "name ... ignored (0ms)". */
function reasonsIn(output: string, skipped: number): Record<string, number> {
  const reasons: Record<string, number> = {};
  const add = (reason: string, n: number) => reasons[reason] = (reasons[reason] ?? 0) + n;
  const names = [...output.matchAll(/^(.*) \.\.\. ignored \(.*\)$/gm)].map(([, name]) => name);
  const own = skipped ? names.slice(-skipped) : [];
  for (const name of own) add(reasonOf(name), 1);
  if (own.length < skipped) add(NO_REASON, skipped - own.length);
  return reasons;
}

/** Counts of `deno test`, from its summary: "ok | 8 passed (2 steps) | 0 failed | 1 ignored (107ms)". */
export function parseDenoTest(output: string, success: boolean): Tally {
  const steps = String.raw`(?: \(\d+ steps?\))?`;
  const pattern = new RegExp(
    String.raw`^(?:ok|FAILED) \| (\d+) passed${steps} \| (\d+) failed${steps}(?: \| (\d+) ignored)?`,
    "gm",
  );
  const last = [...output.matchAll(pattern)].at(-1);
  if (!last) return settle(null, success);
  const skipped = +(last[3] ?? 0), reasons = reasonsIn(output, skipped);
  return settle({ passed: +last[1], failed: +last[2], skipped, reasons }, success);
}

/** Counts of a run that ends with a line "8 passed, 0 failed, 1 skipped", all skipped for one reason. */
export function parsePlain(output: string, success: boolean, reason: string): Tally {
  const last = [...output.matchAll(/^(\d+) passed, (\d+) failed, (\d+) skipped$/gm)].at(-1);
  if (!last) return settle(null, success);
  const skipped = +last[3], reasons: Record<string, number> = skipped ? { [reason]: skipped } : {};
  return settle({ passed: +last[1], failed: +last[2], skipped, reasons }, success);
}
