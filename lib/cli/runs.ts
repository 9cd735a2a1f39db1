import { exists } from "@std/fs";
import { join, resolve } from "@std/path";
import {
  chooseRun,
  type CurrentRun,
  damagedOutputs,
  deleteRun,
  type FinishedRun,
  keptResults,
  readCurrent,
  readManifest,
  removeUnneededKept,
  runNames,
  stageFolder,
} from "../artifacts/mod.ts";
import { paths, Scale, writeFileAtomic } from "../config/mod.ts";
import { readArgs, UsageError } from "./command.ts";
import { formatBytes } from "./support/bytes.ts";
import { comparePage, differingPlaces } from "./support/compare_runs.ts";
import { shownPath } from "./support/shown_path.ts";
import { formatSeconds } from "./support/time.ts";

export const usage = `usage: ./lab runs [list] [STAGE] [--verify]
       ./lab runs use STAGE RUN
       ./lab runs diff STAGE RUN [RUN]
       ./lab runs compare STAGE RUN [RUN ...] [--out FILE]
       ./lab runs rm STAGE RUN
       ./lab runs rm kept

The finished runs of the stages, such as 05. One run of each configuration is kept; a notebook reads the run with its own
configuration, else the current one.
  list       runs with time, size, peak of memory and whether they are current (*) or chosen (!); --verify reads every file
             again
  use        makes a run the one that is read whatever the configuration, until the stage runs again
  diff       what two runs (one: it and the current one) differ in: configuration, inputs, outputs
  compare    a page (one HTML file, compare-STAGE.html in this folder if not said otherwise) with the curves of several runs (one:
             it and the current one) in a chart, their tables row beside row, and what they differ in
  rm         removes a run that is not the current one; "kept": the results under results/local/kept, of which a run after one
             that was killed goes on, that other code than the present has made
  --scale    tiny (the default) or full`;

/** The stage with this name or number. */
async function stageOf(name: string, scale: Scale): Promise<string> {
  const stages = await stagesOf(scale);
  const found = stages.find((stage) => stage === name || stage.slice(0, 2) === name.padStart(2, "0"));
  if (!found) {
    const known = stages.join(", ") || "none";
    throw new Error(`stage "${name}" has no finished run at scale ${scale}; these have: ${known}.`);
  }
  return found;
}

/** Stages that have run, in order. */
async function stagesOf(scale: Scale): Promise<string[]> {
  const folder = join(paths.results, scale), stages: string[] = [];
  if (!await exists(folder)) return [];
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    if (isDirectory && (await runNames(name, scale)).length) stages.push(name);
  }
  return stages.sort();
}

const readRun = (stage: string, scale: Scale, name: string): Promise<FinishedRun> =>
  readManifest(join(stageFolder(stage, scale), name), stage, scale).catch((error) => {
    if (error instanceof Deno.errors.NotFound) throw new Error(`stage ${stage} has no run ${name}.`);
    throw error;
  });

/** One line about a run, and what is wrong with it; with `verify`, every file is read for that. */
async function describe(
  stage: string,
  scale: Scale,
  name: string,
  { current, verify }: { current: CurrentRun | null; verify: boolean },
): Promise<{ line: string; problems: string[] }> {
  const mark = current?.name !== name ? " " : current.chosen ? "!" : "*";
  let run: FinishedRun;
  try {
    run = await readRun(stage, scale, name);
  } catch (error) {
    return { line: `${mark} ${name}`, problems: [(error as Error).message] };
  }
  const { started, seconds, outputs, limit, memory } = run.manifest;
  const bytes = Object.values(outputs).reduce((sum, output) => sum + output.bytes, 0);
  const parts = [
    `${mark} ${name.padEnd(28)}`,
    started.slice(0, 16).replace("T", " "),
    formatSeconds(seconds).padStart(8),
    formatBytes(bytes).padStart(9),
    memory ? `${formatBytes(memory.peakBytes).padStart(9)} of memory` : "",
    limit === null ? "" : `limited to ${limit}`,
  ];
  return { line: parts.join("  ").trimEnd(), problems: await damagedOutputs(run, { rehash: verify }) };
}

/** The named runs; of one, it and the current one. */
async function runsOf(stage: string, scale: Scale, names: readonly string[]): Promise<FinishedRun[]> {
  const current = names.length > 1 ? undefined : (await readCurrent(stage, scale))?.name;
  const wanted = [...new Set(current === undefined ? names : [...names, current])];
  if (wanted.length < 2) throw new Error(`stage ${stage} has no other run than ${wanted[0]}: name two runs.`);
  return await Promise.all(wanted.map((name) => readRun(stage, scale, name)));
}

/** Writes the page that compares runs; returns its place. */
async function compare(stage: string, scale: Scale, names: readonly string[], out?: string): Promise<string> {
  const runs = await runsOf(stage, scale, names);
  const [damaged] = (await Promise.all(runs.map((run) => damagedOutputs(run)))).flat();
  if (damaged) throw new Error(`${damaged}: it cannot be compared.`);
  const path = resolve(out ?? `compare-${stage}.html`);
  await writeFileAtomic(path, await comparePage(stage, runs));
  return path;
}

async function diff(stage: string, scale: Scale, names: readonly string[]): Promise<string[]> {
  const runs = await runsOf(stage, scale, names);
  return [
    runs.map(({ manifest }) => manifest.run).join(" -> "),
    ...differingPlaces(runs, { outputs: true }).map(({ place, values }) =>
      `  ${place}: ${values.join(" -> ")}`
    ),
  ];
}

export async function run(args: string[]): Promise<void> {
  const { options, rest: [action = "list", stageName, ...names] } = readArgs(args, {
    values: ["scale", "out"],
    switches: ["verify"],
    positional: [0, Infinity],
  });
  const parsed = Scale.safeParse(options.scale ?? "tiny");
  if (!parsed.success) throw new UsageError(`--scale is "${options.scale}"; expected tiny or full.`);
  const scale = parsed.data;
  if (action === "rm" && stageName === "kept" && !names.length) {
    return console.log(`${formatBytes(await removeUnneededKept())} of kept results removed`);
  }
  const wanted = { list: [0, 0], use: [1, 1], rm: [1, 1], diff: [1, 2], compare: [1, Infinity] }[action];
  if (!wanted) throw new UsageError(`there is no "runs ${action}"; expected list, use, diff, compare or rm.`);
  if (options.out !== undefined && action !== "compare") {
    throw new UsageError(`--out is for "runs compare".`);
  }
  if (action !== "list" && stageName === undefined || names.length < wanted[0] || names.length > wanted[1]) {
    throw new UsageError(`"runs ${action}" was given ${names.length} names of runs.`);
  }
  const stage = stageName === undefined ? undefined : await stageOf(stageName, scale);
  if (action === "use") await chooseRun(stage!, scale, names[0]);
  else if (action === "rm") await deleteRun(stage!, scale, names[0]);
  else if (action === "diff") console.log((await diff(stage!, scale, names)).join("\n"));
  else if (action === "compare") {
    console.log(shownPath(await compare(stage!, scale, names, options.out)));
  } else {
    const stages = stage ? [stage] : await stagesOf(scale);
    if (!stages.length) console.log(`No stage has a finished run at scale ${scale} yet: ./lab run 00`);
    let damaged = false;
    for (const each of stages) {
      const pointer = await readCurrent(each, scale).catch((error: Error) => error);
      const broken = pointer instanceof Error, current = broken ? null : pointer;
      console.log(broken ? `${each}\n    ${pointer.message}` : each);
      damaged ||= broken;
      for (const name of await runNames(each, scale)) {
        const { line, problems } = await describe(each, scale, name, { current, verify: options.verify });
        damaged ||= problems.length > 0;
        console.log([line, ...problems.map((problem) => `    ${problem}`)].join("\n"));
      }
    }
    for (const { kind, files, bytes, unneeded } of stage ? [] : await keptResults()) {
      const old = unneeded > 0 ? `, ${formatBytes(unneeded)} of them by other code (./lab runs rm kept)` : "";
      console.log(`kept ${kind}: ${files}, ${formatBytes(bytes)}${old}`);
    }
    if (damaged) throw new Error("some runs are damaged: run their notebooks again.");
  }
}
