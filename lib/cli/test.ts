import { exists } from "@std/fs";
import { join } from "@std/path";
import { paths } from "../config/mod.ts";
import { PROCESSORS } from "../../tests/bench/faults/processors.ts";
import { readArgs } from "./command.ts";
import { runDeno, runDenoQuietly, testFilesIn } from "./support/run_deno.ts";
import {
  one,
  parsePlain,
  skipLines,
  sumTallies,
  type Tally,
  testFiles,
  testFilesApart,
} from "./support/tally.ts";
import { checkoutState, emptyHome, sameCheckout } from "./support/traces.ts";
import { writeBrowser } from "./support/test_browser.ts";
import { listNotebooks, listSolutions, runNotebook } from "./support/notebooks.ts";
import { unformattedNotebooks } from "./support/notebook_format.ts";
import { formatSeconds } from "./support/time.ts";

export const usage = `usage: ./lab test

Format, lint, types, notebook cells, tests, TensorFlow.js's own specs, and every notebook at tiny scale in a temporary
folder; then whether HOME stayed empty and the checkout as it was. The last line counts them. LAB_DATA names a folder
with real files for the tests that need them; CHROME a browser, if none is found.`;

/** Tests of these rooms wait for kernels, servers, browsers and disks; they run beside those that compute. */
const WAITING = ["artifacts", "bench", "cli", "download", "jupyter", "launcher", "llm", "synthesis"];

/** Why specs are skipped. */
const SPECS = "specs that TensorFlow.js leaves out or fails (tests/tensor/tfjs_core/known_failures.json)";

/**
 * All tests but those on notebooks: those that compute, beside them those that wait and then TensorFlow.js's specs, whose
 * output follows.
 */
async function unitTests(): Promise<Tally> {
  const test = ["test", "-A", "--no-check"]; // the types were checked in a step of their own
  const waiting = (await Promise.all(WAITING.map(testFilesIn))).flat();
  const others = [...waiting, ...await testFilesIn("notebooks")];
  const computing = (await testFilesIn("")).filter((file) => !others.includes(file));
  const later: Deno.CommandOutput[] = [];
  const beside = (async () => {
    const tally = await testFiles(waiting, (files) => runDenoQuietly([...test, ...files], later));
    const specs = await runDenoQuietly(["run", "-A", "tests/tensor/tfjs_core/run.ts"], later);
    return [tally, parsePlain(specs.text, specs.success, SPECS)];
  })();
  const tally = await testFiles(computing, (files) => runDeno([...test, ...files]));
  const tallies = [tally, ...await beside];
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

const steps: readonly Step[] = [
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
    const cells = ["run", "-A", "lib/jupyter/check_notebooks.ts", ...await allNotebooks()];
    const runs = await Promise.all([runDeno(["check", "--quiet", "lib", "tests"]), runDeno(cells)]);
    return sumTallies(runs.map(({ success }) => one(success)));
  }],
  ["tests, TensorFlow.js specs", unitTests],
  ["as on other processors", otherProcessors],
  ["notebooks", notebookRuns],
];

export async function run(args: string[]): Promise<void> {
  readArgs(args, {});
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
  const failed = await runSteps([...steps, ...traces]).finally(async () => {
    await Deno.remove(temporary, { recursive: true });
    await Deno.remove(empty, { recursive: true });
  });
  if (failed) Deno.exit(1);
}

/** Runs steps and prints their counts; how many tests failed. */
async function runSteps(steps: readonly Step[]): Promise<number> {
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
  const line = `${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`;
  console.log(line);
  return total.failed;
}
