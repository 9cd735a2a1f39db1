import { join } from "@std/path";
import { type FinishedRun, readArrow, type Row } from "../../artifacts/mod.ts";
import { jsonLeaves } from "../../config/mod.ts";
import { fillPage } from "../../jupyter/mod.ts";

/** Measures of a training, in the order in which the page offers them. */
const MEASURES = ["validationLoss", "loss", "gradientNorm", "learningRate", "examplesPerSecond"] as const;

/** A line of the page's chart. */
export interface ComparedCurve {
  run: string;
  /** "roco_v2__with"; of a run with one training, the table's name. */
  training: string;
  measure: typeof MEASURES[number];
  steps: number[];
  values: number[];
}

/** A table that several runs have, with the rows of each. */
export interface ComparedTable {
  name: string;
  rows: Record<string, unknown>[];
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The curves in a run's tables: those with a column `step` and one of the measures. */
async function curvesOf({ manifest, dir }: FinishedRun): Promise<ComparedCurve[]> {
  const curves: ComparedCurve[] = [];
  for (const file of Object.keys(manifest.outputs).filter((name) => name.endsWith(".arrow"))) {
    const rows = await readArrow(join(dir, file)), [first] = rows;
    if (first === undefined || !("step" in first)) continue;
    const name = file.slice(0, -".arrow".length);
    for (const [training, own] of Map.groupBy(rows, (row) => String(row.cell ?? name))) {
      for (const measure of MEASURES.filter((each) => each in first)) {
        const measured = own.filter((row: Row) => typeof row[measure] === "number");
        const numbers = (column: string) => measured.map((row) => Number(row[column]));
        if (measured.length === 0) continue;
        curves.push({
          run: manifest.run,
          training,
          measure,
          steps: numbers("step"),
          values: numbers(measure),
        });
      }
    }
  }
  return curves;
}

/** The tables that a run has as JSON at its top: lists of records, or such a list under `rows`. */
async function tablesOf({ manifest, dir }: FinishedRun): Promise<Map<string, Record<string, unknown>[]>> {
  const tables = new Map<string, Record<string, unknown>[]>();
  for (const file of Object.keys(manifest.outputs).filter((name) => /^[^/]+\.json$/.test(name))) {
    const value: unknown = JSON.parse(await Deno.readTextFile(join(dir, file)));
    const rows = isRecord(value) ? value.rows : value;
    if (!Array.isArray(rows) || rows.length === 0 || !rows.every(isRecord)) continue;
    const flat = rows.map((row) =>
      Object.fromEntries(Object.entries(row).filter(([, cell]) => !isRecord(cell)))
    );
    tables.set(file.slice(0, -".json".length), flat);
  }
  return tables;
}

/** What a row is about: its first text, such as the cell or the dataset, and how many rows before it say the same. */
function rowNames(rows: readonly Record<string, unknown>[]): string[] {
  const seen = new Map<string, number>();
  return rows.map((row, i) => {
    const name = Object.values(row).find((cell) => typeof cell === "string") as string | undefined ??
      `row ${i}`;
    const times = seen.get(name) ?? 0;
    seen.set(name, times + 1);
    return JSON.stringify([name, times]);
  });
}

/** Tables by name, rows about the same beside each other. */
function alternating(runs: readonly { run: string; tables: Map<string, Record<string, unknown>[]> }[]) {
  const names = [...new Set(runs.flatMap(({ tables }) => [...tables.keys()]))].sort();
  return names.map((name): ComparedTable => {
    const named = runs.map(({ run, tables }) => {
      const own = tables.get(name) ?? [], about = rowNames(own);
      return { run, rows: new Map(own.map((row, i) => [about[i], row])) };
    });
    const all = new Set(named.flatMap(({ rows }) => [...rows.keys()]));
    const rows = [...all].flatMap((about) =>
      named.flatMap(({ run, rows }) => rows.has(about) ? [{ run, ...rows.get(about) }] : [])
    );
    return { name, rows };
  });
}

/** What runs of a stage differ in: place -> the value in each of them. `outputs`: in their files' contents too. */
export function differingPlaces(
  runs: readonly FinishedRun[],
  { outputs: withOutputs = false } = {},
): { place: string; values: string[] }[] {
  const found = runs.map(({ manifest: { config, seed, inputs, outputs, versions, device } }) => {
    const files = Object.entries(outputs).map(([name, { sha256 }]) => [name, sha256.slice(0, 12)]);
    return jsonLeaves({
      config,
      seed,
      inputs: Object.fromEntries(Object.entries(inputs).map(([stage, { run }]) => [stage, run])),
      ...(withOutputs ? { outputs: Object.fromEntries(files) } : {}),
      versions,
      device,
    });
  });
  const places = [...new Set(found.flatMap((own) => [...own.keys()]))].sort();
  return places.map((place) => ({ place, values: found.map((own) => own.get(place) ?? "absent") }))
    .filter(({ values }) => new Set(values).size > 1);
}

/**
 * A page that shows runs of a stage together: their curves in one chart, their tables row beside row, and what they differ
 * in. One HTML file that asks no server for anything; what it shows of the runs reaches it as text, never as markup.
 */
export async function comparePage(stage: string, runs: readonly FinishedRun[]): Promise<string> {
  const curves = (await Promise.all(runs.map(curvesOf))).flat();
  const tables = await Promise.all(
    runs.map(async (run) => ({ run: run.manifest.run, tables: await tablesOf(run) })),
  );
  const library = await Deno.readTextFile(new URL(import.meta.resolve("plotly.js/dist/plotly-basic.min.js")));
  return await fillPage(import.meta.dirname!, "compare_page", {
    title: `Runs of ${stage}`,
    runs: runs.map(({ manifest: { run, started, seconds, device, limit, notes } }) => ({
      run,
      started: started.slice(0, 16).replace("T", " "),
      seconds: Math.round(seconds),
      device,
      ...(limit === null ? {} : { "limited to": limit }),
      notice: notes.notice ?? "",
    })),
    measures: MEASURES.filter((measure) => curves.some((curve) => curve.measure === measure)),
    curves,
    tables: alternating(tables),
    differences: differingPlaces(runs),
  }, { library, images: "blob:" });
}
