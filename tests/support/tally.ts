import { pooledMap } from "@std/async";

/** How many tests went how. */
export interface Tally {
  passed: number;
  failed: number;
  skipped: number;
  /** Why tests were skipped, and how many; their sum is `skipped`. */
  reasons: Readonly<Record<string, number>>;
  /** A sentence for each test process that died. */
  died?: readonly string[];
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
  const died = tallies.flatMap((tally) => tally.died ?? []);
  const counts = { passed: sum("passed"), failed: sum("failed"), skipped: sum("skipped"), reasons };
  return died.length > 0 ? { ...counts, died } : counts;
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

const STEPS = String.raw`(?: \(\d+ steps?\))?`;
const SUMMARY = new RegExp(
  String.raw`^(?:ok|FAILED) \| (\d+) passed${STEPS} \| (\d+) failed${STEPS}(?: \| (\d+) ignored)?`,
  "gm",
);

/** Counts of `deno test`, from its summary: "ok | 8 passed (2 steps) | 0 failed | 1 ignored (107ms)". */
export function parseDenoTest(output: string, success: boolean): Tally {
  const last = [...output.matchAll(SUMMARY)].at(-1);
  if (!last) return settle(null, success);
  const skipped = +(last[3] ?? 0), reasons = reasonsIn(output, skipped);
  return settle({ passed: +last[1], failed: +last[2], skipped, reasons }, success);
}

/** What a process ended with. */
export interface Ended {
  text: string;
  success: boolean;
  /** "SIGABRT", for instance, where a signal ended it. */
  signal: string | null;
}

/**
 * Runs test files in one process. When that dies, what had not ended of the file it was at counts as failed, the file is named, and
 * another process goes on with the files that had no turn; after `deaths` of them the rest counts as failed.
 */
export async function testFiles(
  files: readonly string[],
  run: (files: readonly string[]) => Promise<Ended>,
  deaths = 5,
): Promise<Tally> {
  const tallies: Tally[] = [], queue = files.length > 0 ? [files] : [];
  let dead = 0;
  while (queue.length > 0 && dead < deaths) {
    const batch = queue.shift()!, ended = await run(batch);
    if (ended.text.search(SUMMARY) >= 0) {
      tallies.push(parseDenoTest(ended.text, ended.success));
      continue;
    }
    const { tally, begun } = parseDeath(ended, batch[0]);
    const rest = batch.filter((file) => !begun.has(file));
    if (begun.size === 0 && batch.length > 1) { // one of them dies as it is read: which?
      const half = Math.ceil(batch.length / 2);
      queue.unshift(batch.slice(0, half), batch.slice(half));
      continue;
    }
    dead++;
    tallies.push(tally);
    if (begun.size > 0 && rest.length > 0) queue.unshift(rest);
  }
  const left = queue.flat();
  if (left.length > 0) {
    const died = [`${left.length} test files did not run, after ${deaths} dead processes: ${left[0]} and on`];
    tallies.push({ passed: 0, failed: left.length, skipped: 0, reasons: {}, died });
  }
  return sumTallies(tallies);
}

/** {@link testFiles} with a process for each file, so many of them at once. */
export async function testFilesApart(
  files: readonly string[],
  atOnce: number,
  run: (files: readonly string[]) => Promise<Ended>,
): Promise<Tally> {
  return sumTallies(await Array.fromAsync(pooledMap(atOnce, files, (file) => testFiles([file], run))));
}

/** Counts of a run that was cut off, and the files that had begun; `only` is the file if none had. */
function parseDeath({ text, signal }: Ended, only: string): { tally: Tally; begun: Set<string> } {
  const counts = { ok: 0, FAILED: 0, ignored: 0 }, reasons: Record<string, number> = {};
  const begun = new Set<string>();
  let file = only, total = 0, done = 0, running = "";
  for (const line of text.split("\n")) {
    const header = /^running (\d+) tests? from (?:\.\/)?(.+)$/.exec(line);
    if (header) {
      [file, total, done, running] = [header[2], Number(header[1]), 0, ""];
      begun.add(file);
    }
    const [, name, result] = /^(\S.*?) \.\.\.(?: (ok|FAILED|ignored) \(.*)?\s*$/.exec(line) ?? [];
    if (name === undefined) continue;
    running = result ? "" : name;
    if (!result) continue;
    counts[result as keyof typeof counts]++;
    done++;
    if (result === "ignored") reasons[reasonOf(name)] = (reasons[reasonOf(name)] ?? 0) + 1;
  }
  const lost = Math.max(1, total - done);
  const place = running
    ? `in "${running}"`
    : done < total
    ? "between tests"
    : "after its tests, or reading the next";
  const where = begun.size === 0
    ? "before its first test"
    : `${place}: ${done} of ${total} tests had ended, ${lost} count as failed`;
  const died = [`${file}: the test process ${signal ? `ended by ${signal}` : "ended early"} ${where}`];
  return {
    tally: { passed: counts.ok, failed: counts.FAILED + lost, skipped: counts.ignored, reasons, died },
    begun,
  };
}

/** Counts of a run that ends with a line "8 passed, 0 failed, 1 skipped", all skipped for one reason. */
export function parsePlain(output: string, success: boolean, reason: string): Tally {
  const last = [...output.matchAll(/^(\d+) passed, (\d+) failed, (\d+) skipped$/gm)].at(-1);
  if (!last) return settle(null, success);
  const skipped = +last[3], reasons: Record<string, number> = skipped ? { [reason]: skipped } : {};
  return settle({ passed: +last[1], failed: +last[2], skipped, reasons }, success);
}
