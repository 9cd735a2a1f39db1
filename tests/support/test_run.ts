/** What `./lab test` does: the steps, and whether they left traces. */
import { exists } from "@std/fs";
import { join } from "@std/path";
import { listNotebooks, listSolutions, runNotebook } from "@lib/cli/support/notebooks.ts";
import { formatSeconds } from "@lib/cli/support/time.ts";
import { paths } from "@lib/config/mod.ts";
import { PROCESSORS } from "../bench/faults/processors.ts";
import { writeBrowser } from "./browser.ts";
import { unformattedNotebooks } from "./notebook_format.ts";
import { isQuick, LEFT_OUT } from "./quick.ts";
import { runDeno, runDenoQuietly, testFilesIn } from "./run_deno.ts";
import { one, parsePlain, skipLines, sumTallies, type Tally, testFiles, testFilesApart } from "./tally.ts";
import { checkoutState } from "@lib/cli/support/checkout.ts";
import { emptyHome, sameCheckout } from "./traces.ts";

/** Tests of these rooms wait for kernels, servers, browsers and disks; they run beside those that compute. */
const WAITING = [
  "artifacts",
  "bench",
  "cli",
  "download",
  "jupyter",
  "launcher",
  "llm",
  "support",
  "synthesis",
];

/** Why specs are skipped. */
const SPECS = "specs that TensorFlow.js leaves out or fails (tests/tensor/tfjs_core/known_failures.json)";

/** Types were checked in a step of their own. */
const TEST = ["test", "-A", "--no-check"];

/**
 * All tests but those on notebooks: those that compute, beside them those that wait and then TensorFlow.js's specs, whose
 * output follows.
 */
async function unitTests(): Promise<Tally> {
  const waiting = (await Promise.all(WAITING.map(testFilesIn))).flat();
  const others = [...waiting, ...await testFilesIn("notebooks")];
  const computing = (await testFilesIn("")).filter((file) => !others.includes(file));
  const later: Deno.CommandOutput[] = [];
  const beside = (async () => {
    const tally = await testFiles(waiting, (files) => runDenoQuietly([...TEST, ...files], later));
    const specs = await runDenoQuietly(["run", "-A", "tests/tensor/tfjs_core/run.ts"], later);
    return [tally, parsePlain(specs.text, specs.success, SPECS)];
  })();
  const tally = await testFiles(computing, (files) => runDeno([...TEST, ...files]));
  const tallies = [tally, ...await beside];
  await show(later);
  return sumTallies(tallies);
}

/** Every other quick test file, and beside them the rest, whose output follows. */
async function quickTests(): Promise<Tally> {
  const quick = (await testFilesIn("")).filter(isQuick), later: Deno.CommandOutput[] = [];
  const half = (i: number) => quick.filter((_, place) => place % 2 === i);
  const beside = testFiles(half(1), (files) => runDenoQuietly([...TEST, ...files], later));
  const tallies = [await testFiles(half(0), (files) => runDeno([...TEST, ...files])), await beside];
  await show(later);
  return sumTallies(tallies);
}

async function show(outputs: readonly Deno.CommandOutput[]): Promise<void> {
  for (const { stdout, stderr } of outputs) {
    await Deno.stdout.write(stdout);
    await Deno.stderr.write(stderr);
  }
}

/** One model and one training as on the first of other processors; all of them: `./lab bench faults processors`. */
async function otherProcessors(): Promise<Tally> {
  const files = ["tests/model/parity_test.ts", "tests/training/adamw_test.ts"];
  const some = ["test", "-A", "--no-check", "--filter", "/^mqa_left, (graph|XLA)/"];
  return await testFiles(files, (left) => runDeno([...some, ...left], PROCESSORS[0]));
}

/** Tests that run a notebook each; one uses one and a half of two cores. */
const AT_ONCE = 3;

/** Every notebook in a temporary folder, then those whose inputs are damaged (tests/notebooks). */
async function notebookRuns(): Promise<Tally> {
  await Deno.mkdir(join(paths.root, "build"), { recursive: true });
  const folder = await Deno.makeTempDir({ dir: join(paths.root, "build"), prefix: "test-" });
  const results = join(folder, "results"), data = join(folder, "data");
  const notebooks = await listNotebooks();
  const tally: Tally = { passed: 0, failed: 0, skipped: 0, reasons: {} };
  try {
    for (const notebook of notebooks) {
      // A later notebook reads what earlier ones made: the first failure ends the course.
      if (!await runNotebook(notebook, { scale: "tiny", results, env: { LAB_DATA_LOCAL: data } })) {
        return { ...tally, failed: notebooks.length - tally.passed };
      }
      tally.passed++;
    }
    const env = { LAB_TEST_RESULTS: results, LAB_TEST_DATA: data };
    const damaged = await testFilesApart(await testFilesIn("notebooks"), AT_ONCE, async (files) => {
      const outputs: Deno.CommandOutput[] = [];
      const ended = await runDenoQuietly(["test", "-A", "--no-check", ...files], outputs, env);
      await show(outputs);
      return ended;
    });
    return sumTallies([tally, damaged]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** What is formatted and checked: the course and the solutions of its exercises. */
const allNotebooks = async (): Promise<string[]> => [...await listNotebooks(), ...await listSolutions()];

type Step = readonly [string, () => Promise<Tally>];

/** What both tests begin with. */
const COMMON: readonly Step[] = [
  ["format", async () => {
    const { success } = await runDeno(["fmt", "--check", "lib", "tests", "deno.json"]);
    const notebooks = await unformattedNotebooks(await allNotebooks());
    for (const notebook of notebooks) {
      console.error(`not formatted: ${notebook}; run ./lab deno fmt notebooks`);
    }
    return one(success && notebooks.length === 0);
  }],
  ["lint", async () => one((await runDeno(["lint", "--quiet"])).success)],
  ["types, notebook cells", async () => {
    const cells = ["run", "-A", "tests/support/check_notebooks.ts", ...await allNotebooks()];
    const runs = await Promise.all([runDeno(["check", "--quiet", "lib", "tests"]), runDeno(cells)]);
    return sumTallies(runs.map(({ success }) => one(success)));
  }],
  ["examples of lib", () => testFiles(["lib"], (left) => runDeno(["test", "--doc", "-A", ...left]))],
];

/** The steps of `./lab test`, and of `./lab test --quick`, by name. */
export const stepsOf = (quick: boolean): readonly Step[] =>
  quick ? [...COMMON, ["quick tests", quickTests]] : [
    ...COMMON,
    ["tests, TensorFlow.js specs", unitTests],
    ["as on other processors", otherProcessors],
    ["notebooks", notebookRuns],
  ];

/** Runs the steps in a home of their own, then looks for what they left there and in the checkout; how many tests failed. */
export async function runTests(quick: boolean): Promise<number> {
  const env = Deno.env.toObject(); // git sees the same settings before and after
  const before = await checkoutState(paths.root, env);
  // What tests leave behind, and what a killed one could not remove, goes with these folders.
  const temporary = await Deno.makeTempDir({ prefix: "radvqa-test-" });
  await Deno.mkdir(join(paths.root, "build"), { recursive: true });
  const empty = await Deno.makeTempDir({ dir: join(paths.root, "build"), prefix: "home-" });
  const browser = await writeBrowser(temporary);
  if (browser) Deno.env.set("CHROME", browser);
  Deno.env.set("TMPDIR", temporary);
  Deno.env.set("XDG_CONFIG_HOME", temporary); // Chromium's crash reports
  Deno.env.set("HOME", empty);
  const settings = env.GIT_CONFIG_GLOBAL ?? join(env.HOME ?? "/", ".gitconfig");
  if (await exists(settings)) Deno.env.set("GIT_CONFIG_GLOBAL", settings); // may trust the checkout's owner
  const traces: Step[] = [
    ["nothing in HOME", () => emptyHome(empty)],
    ["checkout as before", async () => sameCheckout(before, await checkoutState(paths.root, env))],
  ];
  try {
    return await runSteps([...stepsOf(quick), ...traces], quick ? `left out: ${LEFT_OUT.join(", ")}` : null);
  } finally {
    await Deno.remove(temporary, { recursive: true });
    await Deno.remove(empty, { recursive: true });
  }
}

/** Runs steps and prints their counts, and `note` with them; how many tests failed. */
async function runSteps(steps: readonly Step[], note: string | null): Promise<number> {
  const tallies: Tally[] = [], summary: string[] = [];
  for (const [name, step] of steps) {
    console.log(`== ${name}`);
    const started = performance.now();
    const tally = await step();
    tallies.push(tally);
    const counts = `${tally.passed} passed, ${tally.failed} failed, ${tally.skipped} skipped`;
    summary.push(
      `${name.padEnd(28)}${counts.padEnd(44)}${formatSeconds((performance.now() - started) / 1000)}`,
    );
  }
  console.log(`\n${summary.join("\n")}`);
  const total = sumTallies(tallies);
  for (const line of [...skipLines(total), ...total.died ?? []]) console.log(line);
  if (note) console.log(note);
  const line = `${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`;
  console.log(line);
  return total.failed;
}
