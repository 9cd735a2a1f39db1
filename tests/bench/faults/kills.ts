import { delay } from "@std/async";
import { join } from "@std/path";
import { z } from "zod";
import { damagedOutputs, openInput, runNames, stageFolder } from "@lib/artifacts/mod.ts";
import { loadConfig, rng, tiedCommand } from "@lib/config/mod.ts";
import { linesOf } from "@lib/cli/support/lines.ts";
import type { Campaign, Outcome } from "../faults.ts";
import { lastOutcome } from "./in_process.ts";
import { STAGES } from "./kill_writer.ts";

/** Kills of a process that writes runs of all stages, in a results folder of its own. */
export const kills: Campaign = {
  name: "kills",
  describe:
    "a process that writes runs of all stages is killed at a random moment, while another reads them; failed: " +
    "a finished run is gone, dangling, or taken although not whole",
  count: 200,
  async run(count, signal) {
    const results = await Deno.makeTempDir({ prefix: "kills-" });
    try {
      const env = { LAB_RESULTS: results, LAB_ACCEPT_STALE: STAGES.map(({ stage }) => stage).join() };
      return await lastOutcome(import.meta.filename!, count, env, signal);
    } finally {
      await Deno.remove(results, { recursive: true });
    }
  },
};

const config = loadConfig({});
const ROW = z.object({ generation: z.unknown() });

/** What is wrong with a stage that has announced the end of a run of `generation`; null if it is as promised. */
async function problemOf(stage: string, generation: number): Promise<string | null> {
  try {
    using input = await openInput(stage, config);
    const [damaged] = await damagedOutputs(input, { rehash: true });
    const found = Number(input.manifest.notes.generation);
    return damaged ??
      (found >= generation ? null : `run ${found} is current, run ${generation} was finished`);
  } catch (error) {
    return (error as Error).message;
  }
}

/** Reads stages over and over, as notebooks would, while they are written; reports what is not whole. */
async function readAlongside(
  finished: ReadonlyMap<string, number>,
  stopped: () => boolean,
): Promise<string[]> {
  const problems: string[] = [];
  while (!stopped()) {
    await delay(1);
    for (const { stage, outputs } of STAGES.filter(({ stage }) => finished.has(stage))) {
      try {
        using input = await openInput(stage, config);
        for (const table of outputs.filter((name) => name.endsWith(".arrow"))) {
          const rows = await input.table(table.slice(0, -".arrow".length), ROW);
          const whole = rows.length === 50 &&
            rows.every(({ generation }) => generation === input.manifest.notes.generation);
          if (!whole) problems.push(`${stage}: a reader saw half of ${table}`);
        }
      } catch (error) {
        problems.push(`${stage}: a reader met "${(error as Error).message}"`);
      }
    }
  }
  return problems;
}

/** Starts the writer and kills it `afterMs` after it is ready; null: when it has written every stage. Returns its time. */
async function writeUntilKilled(
  generation: number,
  finished: Map<string, number>,
  afterMs: number | null,
): Promise<number> {
  const child = tiedCommand(Deno.execPath(), {
    args: ["run", "-A", "--quiet", join(import.meta.dirname!, "kill_writer.ts"), String(generation)],
    stdin: "null",
    stdout: "piped",
  }).spawn();
  let ready = 0;
  for await (const line of linesOf(child.stdout)) {
    if (line === "ready") {
      ready = performance.now();
      if (afterMs !== null) setTimeout(() => child.kill("SIGKILL"), afterMs);
      continue;
    }
    const [stage, written] = line.split(" ");
    finished.set(stage, Number(written));
    if (afterMs === null && stage === STAGES.at(-1)!.stage) {
      child.kill("SIGKILL");
      break;
    }
  }
  await child.status;
  return performance.now() - ready;
}

/** Files and folders that a finished stage may not have: what killed writers left, and more than one run. */
async function leftovers(): Promise<string[]> {
  const problems: string[] = [];
  for (const { stage } of STAGES) {
    const folder = stageFolder(stage, config.scale);
    const stray = [...Deno.readDirSync(folder)].filter(({ name }) => /^\.|\.tmp$/.test(name));
    const runs = await runNames(stage, config.scale);
    if (stray.length || runs.length !== 1) {
      problems.push(`${stage}: left ${[...stray.map(({ name }) => name), ...runs].join(", ")}`);
    }
  }
  return problems;
}

async function campaign(count: number): Promise<Outcome> {
  const random = rng(2506), finished = new Map<string, number>(), details: string[] = [];
  const round = await writeUntilKilled(0, finished, null);
  const phases = new Map<string, number>();
  let failed = 0;
  for (let kill = 1; kill <= count; kill++) {
    let over = false;
    const reader = readAlongside(finished, () => over);
    await writeUntilKilled(1000 * kill, finished, random() * 1.3 * round);
    over = true;
    const problems = await reader;
    for (const [stage, generation] of finished) {
      const problem = await problemOf(stage, generation);
      if (problem) problems.push(`${stage}: ${problem}`);
    }
    const partial = STAGES.find(({ stage }) =>
      [...Deno.readDirSync(stageFolder(stage, config.scale))].some(({ name }) => /^\.partial-/.test(name))
    );
    const phase = partial ? `while ${partial.stage} was written` : "between runs";
    phases.set(phase, (phases.get(phase) ?? 0) + 1);
    if (problems.length) failed++;
    details.push(...problems.map((problem) => `kill ${kill}: ${problem}`));
  }
  await writeUntilKilled(1000 * (count + 1), finished, null);
  const left = await leftovers();
  if (left.length) failed++;
  details.push(...left, ...[...phases].sort().map(([phase, n]) => `${n} kills ${phase}`));
  return { tried: count, failed, details };
}

if (import.meta.main) {
  console.log(JSON.stringify(await campaign(Number(Deno.args[0]))));
}
