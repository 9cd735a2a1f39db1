import { assert, assertEquals } from "@std/assert";
import { join } from "@std/path";
import { runPython, scratchNotebook } from "./support.ts";

interface Step {
  source: string;
  /** When Stop is pressed: just before the cell is sent, or as soon as it prints "stop here". */
  stop?: "idle" | "running";
}

interface Outcome {
  status: "ok" | "error" | "aborted";
  error: string;
  output: string;
  /** From Stop to the cell's end. */
  seconds: number | null;
  /** The number in the cell's prompt. */
  count: number;
}

/** Runs cells one after another in one kernel. */
async function runSteps(steps: Step[]): Promise<Outcome[]> {
  const { folder, remove } = await scratchNotebook([]);
  try {
    const file = join(folder, "steps.json");
    await Deno.writeTextFile(file, JSON.stringify(steps.map((step) => ({ stop: null, ...step }))));
    const { code, out, err } = await runPython("tests/jupyter/stop_client.py", [file]);
    assertEquals(code, 0, err);
    return JSON.parse(out);
  } finally {
    await remove();
  }
}

const SENTENCE = "Stopped, as you asked: the kernel keeps its state, and this cell can be run again.";

/** A cell that was stopped says so in one sentence, within two seconds. */
function assertStopped({ status, error, output, seconds }: Outcome, before = "stop here\n"): void {
  assertEquals([status, error], ["error", SENTENCE]);
  // deno-lint-ignore no-control-regex
  assertEquals(output.replace(/\x1b\[[0-9;]*m/g, "").trim(), `${before}Stopped: ${SENTENCE}`);
  assert(seconds! < 2, `it took ${seconds} s`);
}

Deno.test("Stop ends what runs, nothing later: not after a Stop between cells, nor one without effect", async () => {
  const loop = `for (let i = 0; i < 40; i++) {
  await checkpoint(signal);
  if (i === 2) console.log("stop here");
  await new Promise((r) => setTimeout(r, 25));
}`;
  const blocking = `console.log("stop here");
await new Promise((r) => setTimeout(r, 0));
const end = Date.now() + 2500; while (Date.now() < end);`;
  const [bare, imported, stopped, again, idle, deaf, next] = await runSteps([
    { source: `console.log("stop here"); await new Promise((r) => setTimeout(r, 300)); 0`, stop: "running" },
    { source: `import { checkpoint, stopSignal } from "@lib/jupyter/mod.ts"; let signal = stopSignal(); 1` },
    { source: `signal = stopSignal();\n${loop}`, stop: "running" },
    { source: `signal = stopSignal();\n${loop}` },
    { source: `signal = stopSignal();\n${loop}`, stop: "idle" },
    { source: blocking, stop: "running" },
    { source: `signal = stopSignal();\n${loop}` },
  ]);
  for (const cell of [bare, imported]) assertEquals([cell.status, cell.error], ["ok", ""]);
  assertEquals([bare.count, imported.count], [1, 2]); // requests of the shim's own do not count
  assertStopped(stopped);
  for (const cell of [again, idle, next]) assertEquals([cell.status, cell.error], ["ok", ""]);
  assertEquals(deaf.status, "ok");
  assert(deaf.output.includes("Stop: this cell ends when its present step is done."), deaf.output);
});

Deno.test("a teacher's cell ends on Stop, and run again it goes on from its journal with the same server", async () => {
  const ask = `const progress = { first: true };
const outcomes = await runJobs(server, jobs, {
  concurrency: 2,
  journalPath: journal,
  signal: stopSignal(),
  onProgress: ({ done }) => {
    if (done === 3) console.log("stop here");
  },
});
JSON.stringify(outcomes.map(({ resumed, error }) => error ?? resumed))`;
  const [started, stopped, again, ended] = await runSteps([
    {
      source: `import { stopSignal } from "@lib/jupyter/mod.ts";
import { runJobs, startEmbeddedServer } from "@lib/llm/mod.ts";
const folder = await Deno.makeTempDir(), journal = folder + "/replies.jsonl";
const server = await startEmbeddedServer({ processes: 2 });
const jobs = Array.from({ length: 12 }, (_, i) => ({
  id: String(i),
  request: {
    messages: [{ role: "user" as const, content: "Write a story about the number " + i }],
    seed: i,
    temperature: 0.7,
    maxTokens: 24,
  },
}));`,
    },
    { source: ask, stop: "running" },
    {
      source: ask.replace("stop here", "on we go") +
        "\nconsole.log(JSON.stringify(outcomes.map((o) => o.error ?? o.resumed)))",
    },
    { source: `await server.stop(); await Deno.remove(folder, { recursive: true });` },
  ]);
  assertEquals([started.status, started.error], ["ok", ""]);
  assertStopped(stopped);
  assertEquals([again.status, again.error], ["ok", ""]);
  const resumed = JSON.parse(again.output.match(/\[.*\]/)![0]) as (boolean | string)[];
  assertEquals(resumed.filter((one) => typeof one === "string"), []);
  assert(resumed.filter((one) => one === true).length >= 3, again.output);
  assertEquals(ended.status, "ok");
});

Deno.test("a loader's cell and that of a model's start end on Stop, and go on when they are run again", async () => {
  const load = `console.log("stop here");
(await loadPmcVqa(folder, { requireImages: false, signal: stopSignal() })).records.length`;
  const start = `console.log("stop here");
const server = await startEmbeddedServer({ processes: 2, signal: stopSignal() });
server.baseURLs.length`;
  const [written, loading, loaded, starting, started, ended] = await runSteps([
    {
      source: `import { stopSignal } from "@lib/jupyter/mod.ts";
import { loadPmcVqa } from "@lib/corpus/mod.ts";
import { startEmbeddedServer } from "@lib/llm/mod.ts";
const folder = await Deno.makeTempDir(), head = "Figure_path,Question,Answer,Choice A,Choice B,Choice C,Choice D\\n";
const row = (i: number) => "PMC" + i + "_F1.jpg,What is in figure " + i + "?,A,one,two,three,four\\n";
await Deno.writeTextFile(folder + "/test.csv", head);
await Deno.writeTextFile(folder + "/train.csv", head + Array.from({ length: 80_000 }, (_, i) => row(i)).join(""));`,
    },
    { source: load, stop: "running" },
    { source: load },
    { source: start, stop: "running" },
    { source: start },
    { source: `await server.stop(); await Deno.remove(folder, { recursive: true });` },
  ]);
  for (const cell of [written, loaded, started, ended]) assertEquals([cell.status, cell.error], ["ok", ""]);
  for (const cell of [loading, starting]) assertStopped(cell);
});
