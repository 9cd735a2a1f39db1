import { basename, join } from "@std/path";
import { z } from "zod";
import { paths } from "@lib/config/mod.ts";
import { CHECK, CheckResult } from "@lib/jupyter/mod.ts";
import { median, std } from "@lib/stats/mod.ts";
import { writeBench } from "./files.ts";
import { describeMachine, machine } from "./machine.ts";
import { executedCopy, failedCopy, listNotebooks, runNotebook } from "@lib/cli/support/notebooks.ts";

/** What one check of one notebook found with one seed. */
export interface CheckedSeed extends CheckResult {
  stage: string;
  seed: number;
}

const Executed = z.object({
  cells: z.array(z.object({
    outputs: z.array(z.object({ data: z.record(z.string(), z.unknown()).optional() })).optional(),
  })),
});

/** The checks that an executed notebook displayed, in order; none where the file is not there. */
export async function checksOf(path: string): Promise<CheckResult[]> {
  const text = await Deno.readTextFile(path).catch((error) => {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  });
  if (text === null) return [];
  const { cells } = Executed.parse(JSON.parse(text));
  return cells.flatMap(({ outputs = [] }) =>
    outputs.flatMap(({ data }) => data?.[CHECK] ? [CheckResult.parse(data[CHECK])] : [])
  );
}

/** A check over its seeds. */
export interface CheckSpread {
  stage: string;
  name: string;
  atLeast: number | null;
  atMost: number | null;
  seeds: number[];
  failed: number[];
  smallest: number;
  median: number;
  largest: number;
  /**
   * From the value nearest to the threshold to the threshold, in standard deviations of the values; null where all seeds
   * give the same value, which then does not depend on luck.
   */
  room: number | null;
}

/** Groups what the seeds found by check. */
export function spreadOf(found: readonly CheckedSeed[]): CheckSpread[] {
  return [...Map.groupBy(found, ({ stage, name }) => JSON.stringify([stage, name])).values()].map((own) => {
    const { stage, name, atLeast, atMost } = own[0],
      values = own.map(({ value }) => value ?? NaN).toSorted((a, b) => a - b);
    const deviation = std(values);
    const distance = Math.min(
      atLeast === null ? Infinity : values[0] - atLeast,
      atMost === null ? Infinity : atMost - values[values.length - 1],
    );
    return {
      stage,
      name,
      atLeast,
      atMost,
      seeds: own.map(({ seed }) => seed),
      failed: own.filter(({ ok }) => !ok).map(({ seed }) => seed),
      smallest: values[0],
      median: median(values),
      largest: values[values.length - 1],
      room: values[0] === values[values.length - 1] ? null : distance / deviation,
    };
  });
}

const number = (x: number) => Number.isInteger(x) ? x.toLocaleString("en") : x.toPrecision(3);

/** The spreads as a Markdown table. */
export function checksText(spreads: readonly CheckSpread[], where: string): string {
  const rows = spreads.map((row) => {
    const bounds = [
      ...(row.atLeast === null ? [] : [`≥ ${number(row.atLeast)}`]),
      ...(row.atMost === null ? [] : [`≤ ${number(row.atMost)}`]),
    ].join(", ");
    const room = row.seeds.length < 2 || bounds === ""
      ? "–"
      : row.room === null
      ? "all equal"
      : `${row.room.toFixed(1)} sd`;
    const failed = row.failed.length ? `${row.failed.length} (seeds ${row.failed.join(", ")})` : "0";
    return `| ${row.stage.slice(0, 2)} | ${row.name} | ${bounds} | ${row.seeds.length} | ${
      number(row.smallest)
    } | ${number(row.median)} | ${number(row.largest)} | ${room} | ${failed} |`;
  });
  return `# Closing checks over seeds, tiny scale

Each seed draws its own phantoms, asks the teacher with seeds of its own and trains from its own random numbers. Room: from the
seed nearest to the threshold to the threshold, in standard deviations over the seeds.

| | check | threshold | seeds | smallest | median | largest | room | failed |
|---|---|---|---|---|---|---|---|---|
${rows.join("\n")}

${where}.
`;
}

/**
 * Runs notebooks with one seed after another, each in a folder of its own under results/local/bench/checks, and writes the
 * spread of every check. What a seed has run already is read, not run again, so that an ended bench goes on; remove the
 * folder to begin anew.
 *
 * @param numbers of the notebooks, such as "02"; a notebook needs those before it
 */
export async function benchChecks(seeds: readonly number[], numbers: readonly string[]): Promise<void> {
  const folder = join(paths.results, "bench", "checks"), where = describeMachine(await machine());
  const notebooks = (await listNotebooks()).filter((path) => numbers.includes(basename(path).slice(0, 2)));
  for (const seed of seeds) {
    const own = join(folder, `seed-${seed}`), results = join(own, "results");
    const env = { LAB_SET: `seed=${seed}`, LAB_DATA_LOCAL: join(own, "data") };
    for (const notebook of notebooks) {
      const run = { scale: "tiny" as const, results, env };
      const [passed, failed] = await Promise.all(
        [executedCopy, failedCopy].map((of) => checksOf(of(notebook, run))),
      );
      // A failed copy without a failed check ended by something else: it is run again.
      if (passed.length === 0 && failed.every(({ ok }) => ok)) await runNotebook(notebook, run);
    }
    console.log(await report(folder, where));
  }
}

/** Reads what every seed has run so far and writes the table; returns its place. */
async function report(folder: string, where: string): Promise<string> {
  const found: CheckedSeed[] = [];
  const names = [...Deno.readDirSync(folder)].map(({ name }) => name);
  const seeds = names.flatMap((name) => /^seed-(\d+)$/.exec(name)?.[1] ?? []).map(Number).toSorted((a, b) =>
    a - b
  );
  for (const notebook of await listNotebooks()) {
    for (const seed of seeds) {
      const run = { scale: "tiny" as const, results: join(folder, `seed-${seed}`, "results") };
      const stage = basename(notebook, ".ipynb");
      for (const copyOf of [executedCopy, failedCopy]) {
        for (const check of await checksOf(copyOf(notebook, run))) found.push({ stage, seed, ...check });
      }
    }
  }
  const spreads = spreadOf(found);
  return await writeBench("checks", { machine: where, spreads, found }, checksText(spreads, where));
}
