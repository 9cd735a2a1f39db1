import { delay } from "@std/async";
import { basename, join } from "@std/path";
import { damagedOutputs, findRun, readCurrent, stageFolder } from "@lib/artifacts/mod.ts";
import { loadConfig, paths, rng, tiedCommand } from "@lib/config/mod.ts";
import { familyOf, living } from "./family.ts";
import { listNotebooks } from "@lib/cli/support/notebooks.ts";
import { within } from "@lib/cli/support/time.ts";
import type { Campaign, Outcome } from "../faults.ts";
import { pick } from "./damage.ts";
import { lastOutcome } from "./in_process.ts";
import { ENDINGS, type Role, ROLES } from "./processes.ts";

/** Notebooks that are killed, in their order, each so often in a row before it may end. */
const NUMBERS = ["01", "02", "03", "04", "05"], IN_A_ROW = 2;
const LIMIT = "4";
/** What a run that is ended may take to end, with all that it started, in seconds. */
const END_S = 20;

/** Kills of `./lab run`, in results and data of their own. */
export const notebookKills: Campaign = {
  name: "notebooks",
  describe:
    "./lab run 01 to 05 with --limit 4, or its runner, shim or kernel, is killed at a random moment, then run to its end " +
    "while a second one is started; failed: a process is left, a finished run is gone or not whole, a killed run is taken " +
    "for a whole one, the second does not say who holds the stage, or the last lacks an output",
  count: 20,
  async run(count, signal) {
    const folder = await Deno.makeTempDir({ prefix: "notebook-kills-" });
    try {
      const env = { LAB_RESULTS: join(folder, "results"), LAB_DATA_LOCAL: join(folder, "data") };
      return await lastOutcome(import.meta.filename!, count, env, signal);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
};

const config = loadConfig({ LIMIT });

/** How `./lab run` is to be killed. */
interface Kill {
  role: Role;
  signal: Deno.Signal;
  afterMs: number;
}

/** How it ended. */
interface Ended {
  success: boolean;
  seconds: number;
  /** Whether it was killed before it ended by itself. */
  killed: boolean;
  /** Command lines of processes that went on. */
  left: string[];
  /** What it wrote. */
  said: string;
}

/** Runs a notebook as a user does; kills it if it is to be killed and has not ended by then. */
async function labRun(number: string, kill?: Kill): Promise<Ended> {
  const log = await Deno.makeTempFile({ dir: paths.results });
  const lab = tiedCommand("sh", {
    args: ["-c", 'exec "$@" >"$LOG" 2>&1', "sh", join(paths.root, "lab"), "run", number, "--limit", LIMIT],
    env: { LOG: log },
    stdin: "null",
  }).spawn();
  const began = performance.now(), family = familyOf(lab.pid);
  let over = false, killed = false;
  const status = lab.status.finally(() => over = true);
  while (!over && !killed) {
    const members = living(family);
    if (kill && performance.now() - began >= kill.afterMs) {
      const victim = members.find(({ command }) => command.includes(ROLES[kill.role]));
      try {
        Deno.kill(victim?.pid ?? lab.pid, kill.signal); // what has not begun yet is killed with ./lab
        killed = true;
      } catch { /* it has just ended */ }
    }
    await delay(100);
  }
  await within(END_S, () => living(family).length === 0);
  const left = living(family);
  for (const { pid } of left) Deno.kill(pid, "SIGKILL");
  const { success } = await status, said = await Deno.readTextFile(log);
  await Deno.remove(log);
  return {
    success,
    killed,
    said,
    seconds: (performance.now() - began) / 1000,
    left: left.map(({ pid, command }) => `${pid} ${command.slice(0, 200)}`),
  };
}

/** The run that a stage points at, and what is wrong with any of its runs. */
async function inspect(stage: string): Promise<{ current: string | null; problems: string[] }> {
  const current = (await readCurrent(stage, config.scale))?.name ?? null, problems: string[] = [];
  try {
    const found = await findRun(stage, config); // and that the run which `current` names is there
    if (found && basename(found.dir) !== current) {
      problems.push(`${basename(found.dir)} is read, not ${current}`);
    }
    if (found) problems.push(...await damagedOutputs(found, { rehash: true }));
  } catch (error) {
    problems.push((error as Error).message);
  }
  return { current, problems };
}

/** Kills a notebook once; null if it had ended before. Returns what is wrong then. */
async function killOnce(number: string, stage: string, kill: Kill): Promise<string[] | null> {
  const before = await inspect(stage), ended = await labRun(number, kill), after = await inspect(stage);
  const problems = [...after.problems, ...ended.left.map((left) => `left ${left}`)];
  if (before.current !== null && after.current === null) problems.push("the finished run is gone");
  if (ended.success && after.current === before.current) {
    problems.push("success is said, and there is no new run");
  }
  if (!ended.killed && !ended.success) problems.push(`failed unharmed: ${ended.said.slice(0, 300)}`);
  return ended.killed || problems.length > 0 ? problems : null;
}

/** A whole run, beside which a second one is started as soon as this one holds the stage. */
async function runWhole(
  number: string,
  stage: string,
): Promise<{ seconds: number; problems: string[]; refused: boolean }> {
  const holder = () => {
    try {
      return Deno.readTextFileSync(join(stageFolder(stage, config.scale), "lock"));
    } catch {
      return "";
    }
  };
  const earlier = holder();
  const before = await inspect(stage), whole = labRun(number);
  let over = false;
  whole.finally(() => over = true);
  await within(600, () => over || holder() !== earlier);
  const second = over ? null : await labRun(number),
    first = await whole,
    { current, problems } = await inspect(stage);
  const refused = second?.success === false;
  problems.push(...[...first.left, ...second?.left ?? []].map((left) => `left ${left}`));
  if (!first.success) problems.push(`a run to the end failed: ${first.said.slice(0, 300)}`);
  if (refused && !/is being written by process \d+ since /.test(second.said)) {
    problems.push(`the second run failed: ${second.said.slice(0, 300)}`);
  }
  if (current === before.current) problems.push("success is said, and there is no new run");
  const stray = [...Deno.readDirSync(stageFolder(stage, config.scale))].filter(({ name }) =>
    /^\.|\.tmp$/.test(name)
  );
  problems.push(...stray.map(({ name }) => `left ${name}`));
  return { seconds: first.seconds, problems, refused };
}

/** Names of the outputs that a stage's run has. */
const outputsOf = async (stage: string): Promise<string[]> =>
  Object.keys((await findRun(stage, config))?.manifest.outputs ?? {}).sort();

/** Forgets that a stage ever ran. */
async function forget(stage: string): Promise<void> {
  for (const place of [stageFolder(stage, config.scale), join(paths.results, "kept")]) {
    await Deno.remove(place, { recursive: true }).catch(() => {});
  }
}

/** Kills and runs; writes the outcome so far to standard output after each. */
async function campaign(count: number): Promise<void> {
  const random = rng(2506),
    details: string[] = [],
    wanted = new Map<string, string[]>(),
    took = new Map<string, number>();
  const stages = new Map(
    (await listNotebooks()).map((path) => [basename(path).slice(0, 2), basename(path, ".ipynb")]),
  );
  let tried = 0, failed = 0, refused = 0, wholes = 0;
  const note = (what: string, problems: readonly string[]) => {
    console.error(`  ${what}: ${problems.join("; ") || "well"}`);
    if (problems.length > 0) failed++;
    details.push(...problems.map((problem) => `${what}: ${problem}`));
    const runs =
      `${wholes} runs to the end; beside ${refused} of them a second one was refused, with the holder's name`;
    console.log(JSON.stringify({ tried, failed, details: [...details, runs] } satisfies Outcome));
  };
  await Deno.mkdir(paths.results, { recursive: true });
  while (tried < count) {
    for (const number of NUMBERS) {
      if (tried === count) break;
      const stage = stages.get(number)!;
      const finish = async (what: string) => {
        const run = await runWhole(number, stage), outputs = await outputsOf(stage);
        const lacking = (wanted.get(stage) ?? []).filter((name) => !outputs.includes(name));
        if (lacking.length) run.problems.push(`the run lacks ${lacking.join(", ")}`);
        took.set(stage, run.seconds);
        wholes++;
        if (run.refused) refused++;
        note(what, run.problems);
        return outputs;
      };
      if (!wanted.has(stage)) { // an unharmed run says what there must be, and how long it takes; then as for the first time
        wanted.set(stage, await finish(`${number} unharmed`));
        await forget(stage);
      }
      for (let killed = 0; killed < IN_A_ROW && tried < count;) {
        const [role, signal] = pick(random, ENDINGS), afterMs = 1000 * random() * took.get(stage)!;
        const problems = await killOnce(number, stage, { role, signal, afterMs });
        if (problems === null) took.set(stage, afterMs / 1000);
        else {
          killed++, tried++;
          note(
            `kill ${tried}, ${signal} to ${role} of ${number} after ${(afterMs / 1000).toFixed(1)} s`,
            problems,
          );
        }
      }
      await finish(`${number} after it`);
    }
  }
}

if (import.meta.main) await campaign(Number(Deno.args[0]));
