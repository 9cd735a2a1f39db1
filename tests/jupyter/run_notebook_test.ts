import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { exists } from "@std/fs";
import { join } from "@std/path";
import { delay } from "@std/async";
import { paths } from "../../lib/config/mod.ts";
import { brokenLines, inTerminal, NO_TERMINAL } from "../launcher/terminal.ts";
import { notebookText, python, runPython, scratchNotebook } from "./support.ts";

const RUNNER = "lib/jupyter/run_notebook.py";
const IMPORTS = `import { check, print, table } from "@lib/jupyter/mod.ts";`;

interface Output {
  text?: string | string[];
  data?: Record<string, string | string[]>;
}

const textOf = (output: Output): string => {
  const text = output.text ?? output.data?.["text/plain"] ?? "";
  return Array.isArray(text) ? text.join("") : text;
};

/** Runs cells; gives the result and each cell's output as text. */
async function execute(cells: string[], env: string[] = []) {
  const { folder, notebook, remove } = await scratchNotebook(cells);
  try {
    const target = join(folder, "out", "x.ipynb"), failed = join(folder, "out", "x.failed.ipynb");
    await Deno.mkdir(join(folder, "out"));
    await Deno.writeTextFile(target, "an older run");
    await Deno.writeTextFile(failed, "an older failure");
    const result = await runPython(RUNNER, [notebook, target, ...env]);
    const hasFailed = await exists(failed), older = hasFailed ? await Deno.readTextFile(target) : null;
    const copy = JSON.parse(await Deno.readTextFile(hasFailed ? failed : target));
    const outputs = copy.cells.map((cell: { outputs: Output[] }) => cell.outputs.map(textOf).join("\n"));
    return { ...result, older, failed: hasFailed, outputs: outputs as string[] };
  } finally {
    await remove();
  }
}

Deno.test("every line of 20 printing cells lands under its own cell, console output too", async () => {
  const cells = Array.from(
    { length: 20 },
    (_, cell) =>
      `for (let i = 0; i < 10; i++) { await print("p${cell}-" + i); console.log("c${cell}-" + i); }`,
  );
  const run = await execute([IMPORTS, ...cells, `await check("lines", true)`]);
  assertEquals(run.code, 0, run.err);
  for (let cell = 0; cell < 20; cell++) {
    const words = run.outputs[cell + 1].split(/\s+/).filter(Boolean).sort();
    const expected = ["p", "c"].flatMap((k) => Array.from({ length: 10 }, (_, i) => `${k}${cell}-${i}`));
    assertEquals(words, expected.sort());
  }
  assertMatch(run.out, /^x +\d+\.\d s {2}✓ lines: yes\n$/);
});

Deno.test("KEY=VALUE reach the kernel, and a closing check says value and threshold", async () => {
  const run = await execute([IMPORTS, `await check("scale", Number(Deno.env.get("NUMBER")), 0.5)`], [
    "NUMBER=0.75",
  ]);
  assertEquals(run.code, 0, run.err);
  assertStringIncludes(run.out, "✓ scale: 0.7500 (expected at least 0.5000)");
});

Deno.test("a failing cell fails the run and leaves a copy with the error beside that of the last success", async () => {
  const run = await execute([
    IMPORTS,
    `await print("before");`,
    `throw new Error("no such slice");`,
    `await print(1)`,
  ]);
  assertEquals([run.code, run.older, run.failed], [1, "an older run", true]);
  assertStringIncludes(run.err, "cell 3: Error: no such slice");
  assertEquals([run.outputs[1], run.outputs[3]], ["before", ""]);
});

Deno.test("an un-awaited rejection, which Deno's kernel swallows, fails the run", async () => {
  const run = await execute([IMPORTS, `Promise.reject(new Error("lost")); await check("fine", true);`]);
  assertEquals(run.code, 1);
  assertStringIncludes(run.err, "un-awaited rejection: Error: lost");
});

Deno.test("a missed threshold fails the run, unless the run is limited", async () => {
  const cells = [IMPORTS, `await check("accuracy", 0.2, { atLeast: 0.6 })`];
  const missed = await execute(cells);
  assertEquals(missed.code, 1);
  assertStringIncludes(missed.err, "The closing check failed: accuracy: 0.2000 (expected at least 0.6000)");
  assertEquals((await execute(cells, ["LIMIT=2"])).code, 0);
});

Deno.test("a value of which nothing can be asked is shown and not judged, unless it is no number", async () => {
  const shown = await execute([IMPORTS, `await check("accuracy", 0.2, null)`]);
  assertEquals(shown.code, 0);
  assertStringIncludes(shown.out, "– accuracy: 0.2000, not judged at this scale");
  assertEquals((await execute([IMPORTS, `await check("accuracy", NaN, null)`])).code, 1);
});

Deno.test("a notebook without a closing check fails", async () => {
  const run = await execute([`1 + 1`]);
  assertEquals([run.code, run.failed], [1, true]);
  assertStringIncludes(run.err, "without a closing check");
});

Deno.test("a kernel that dies ends the run with a sentence", async () => {
  const run = await execute([IMPORTS, `Deno.kill(Deno.pid, "SIGKILL"); await new Promise(() => {})`]);
  assertEquals(run.code, 1);
  assertMatch(run.err, /^cell 2: the kernel ended: it got SIGKILL$/m);
});

Deno.test("memory is named only when the system ended a process for want of it meanwhile", async () => {
  const script = `import sys
sys.path.insert(0, "lib/jupyter")
from run_notebook import ending, ooms
print(ending(137, 1), ending(-9, 1), ending(137, 0), ending(1, 1), ending(134, 1), ooms() >= 0, sep="|")`;
  const { stdout } = await new Deno.Command(join(paths.venv, "bin/python"), {
    args: ["-c", script],
    cwd: paths.root,
  }).output();
  const [killed, shim, ...others] = new TextDecoder().decode(stdout).trim().split("|");
  assertEquals([killed.includes("out of memory"), killed], [true, shim]);
  assertEquals(others, [
    "it got SIGKILL",
    "its exit code was 1",
    "it got SIGABRT",
    "True",
  ]);
});

Deno.test("a cell that neither computes nor shows anything is told of on standard error, and only such a cell", async () => {
  const { folder, notebook, remove } = await scratchNotebook([
    `${IMPORTS}\nconst sleep = (ms: number) => new Promise((done) => setTimeout(done, ms));`,
    `const end = Date.now() + 4000; let x = 0; while (Date.now() < end) x++;`,
    `for (let i = 0; i < 10; i++) { await print(i); await sleep(400); }`,
    `await sleep(5000);`,
    `await check("slept", true)`,
  ]);
  try {
    const script = `import sys
sys.path.insert(0, "lib/jupyter")
import run_notebook
run_notebook.STILL_S = 3
sys.exit(run_notebook.main())`;
    const { code, stderr } = await new Deno.Command(join(paths.venv, "bin/python"), {
      args: ["-c", script, notebook, join(folder, "y.ipynb")],
      cwd: paths.root,
    }).output();
    const told = new TextDecoder().decode(stderr).trim().split("\n");
    assertEquals(code, 0, told.join("\n"));
    assertEquals(told.map((line) => line.split(". ")[0]), [
      "cell 4 of x has waited for 0 minutes without using the processor",
    ]);
  } finally {
    await remove();
  }
});

const alive = async (pid: number) => await exists(`/proc/${pid}`);

const DEAF = `await new Promise((done) => setTimeout(done, 60000));`;
/** Ends by itself as soon as its kernel is told to stop. */
const STOPPABLE = `const timer = setInterval(() => {}, 1000), ended = () => clearInterval(timer);
await new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason))).finally(ended);`;

for (
  const [signal, cell] of [["SIGINT", DEAF], ["SIGTERM", DEAF], ["SIGTERM", STOPPABLE], [
    "SIGKILL",
    DEAF,
  ]] as const
) {
  Deno.test(`no kernel outlives a runner that gets ${signal}${cell === DEAF ? "" : " in a cell that can be stopped"}`, async () => {
    const { folder, notebook, remove } = await scratchNotebook([
      `import { stopSignal } from "@lib/jupyter/mod.ts";`,
      `const signal = stopSignal();
Deno.writeTextFileSync("pid.tmp", String(Deno.pid)); Deno.renameSync("pid.tmp", "pid"); ${cell}`,
    ]);
    const child = python(RUNNER, [notebook, join(folder, "out.ipynb")]).spawn();
    const output = child.output();
    try {
      const file = join(folder, "pid");
      for (let i = 0; i < 600 && !await exists(file); i++) await delay(100);
      const pid = Number(await Deno.readTextFile(file));
      assert(await alive(pid), "the kernel runs");
      child.kill(signal);
      const { code, stderr } = await output, error = new TextDecoder().decode(stderr);
      if (signal !== "SIGKILL") {
        assertMatch(`${code} ${error}`, /^1 cell 2: stopped\nThe notebook as far as it ran: .*\n$/);
      }
      for (let i = 0; i < 50 && await alive(pid); i++) await delay(100);
      assertEquals(await alive(pid), false);
      assertEquals(await exists(join(folder, "out.ipynb")), false);
    } finally {
      await remove();
    }
  });
}

Deno.test("a notebook in a folder of the user's finds lib; its executed copy is its user's alone", async () => {
  const folder = await Deno.makeTempDir({ dir: "/var/tmp", prefix: "notebook-" });
  const notebook = join(folder, "x.ipynb"), target = join(folder, "out/x.ipynb");
  try {
    const here = `await check("folder", Deno.cwd() === ${JSON.stringify(await Deno.realPath(folder))})`;
    const direct =
      `if (Deno.env.get("NO_PROXY") !== "far.example,127.0.0.1,localhost,::1") throw new Error("NO_PROXY");`;
    await Deno.writeTextFile(notebook, notebookText([IMPORTS, direct, here]));
    const { code, err } = await runPython(RUNNER, [notebook, target, "NO_PROXY=far.example"]);
    assertEquals(code, 0, err);
    assertEquals((await Deno.stat(target)).mode! & 0o777, 0o600);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test({
  name: "on a terminal of 60 columns the line that shows progress stays one line [needs a pseudo-terminal]",
  ignore: NO_TERMINAL,
  fn: async () => {
    const long = "what a cell shows, in more letters than 60 columns hold";
    const { folder, notebook, remove } = await scratchNotebook([
      `${IMPORTS}\nawait print("${long}"); await new Promise((done) => setTimeout(done, 1500));`,
      `await check("${long}", true)`,
    ]);
    try {
      const command = [
        join(paths.venv, "bin/python"),
        join(paths.root, RUNNER),
        notebook,
        join(folder, "y.ipynb"),
      ];
      const { code, text } = await inTerminal(["60", ...command]);
      assertEquals(code, 0, text);
      assertStringIncludes(text, "  what a cell shows, in more");
      assertEquals(brokenLines(text.slice(0, text.indexOf("✓")), 60), []);
      assertStringIncludes(text, `✓ ${long}: yes`);
    } finally {
      await remove();
    }
  },
});
