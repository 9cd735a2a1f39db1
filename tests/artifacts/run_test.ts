import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { join } from "@std/path";

// The results folder is read from the environment when the room is loaded.
const results = await Deno.makeTempDir({ prefix: "artifacts-" });
Deno.env.set("LAB_RESULTS", results);
const { columnTypes, openInput, readArrow, startRun, writeArrow } = await import(
  "../../lib/artifacts/mod.ts"
);
const { loadConfig } = await import("../../lib/config/mod.ts");
const config = loadConfig({});

Deno.test("rows come back from an Arrow file as they went in", async () => {
  const path = join(results, "rows.arrow");
  const rows = [
    { name: "lung", n: 1, share: 0.5, seen: true, words: ["a", "b"], missing: null },
    { name: "Leber – 肝", n: -3, share: 2, seen: false, words: [], missing: null },
  ];
  await writeArrow(path, rows);
  assertEquals<unknown>(await readArrow(path), rows);
});

Deno.test("a table of 40,000 rows spans several batches and keeps their order", async () => {
  const path = join(results, "long.arrow");
  await writeArrow(path, Array.from({ length: 40_000 }, (_, i) => ({ i })));
  const rows = await readArrow<{ i: number }>(path);
  assertEquals(rows.length, 40_000);
  assert(rows.every((row, i) => row.i === i));
});

Deno.test("a table without rows keeps its columns", async () => {
  const path = join(results, "empty.arrow");
  await writeArrow(path, [], { id: "string", runs: "numbers" });
  assertEquals(await readArrow(path), []);
});

Deno.test("a column of two kinds is refused with its name and row", () => {
  assertThrows(
    () => columnTypes([{ x: "a" }, { x: 1 }]),
    Error,
    '"x" held string so far, but row 1 holds integer',
  );
  assertEquals(columnTypes([{ x: null }, { x: 1 }, { x: 1.5 }]), { x: "number" });
});

Deno.test("a finished run is found by the next stage with its tables", async () => {
  const run = await startRun("01_data", config);
  await run.writeTable("records", [{ id: "a" }]);
  await run.writeJson("counts", { lung: 2 });
  await assertRejects(() => openInput("01_data", config), Error, "run its notebook first");
  await run.finish();
  const input = await openInput("01_data", config);
  assertEquals(await input.table("records"), [{ id: "a" }]);
  assertEquals(await input.json("counts"), { lung: 2 });
  assertThrows(() => input.file("other"), Error, "records.arrow");
});

Deno.test("a run made from inputs that changed since is stale until it is accepted by name", async () => {
  const second = await startRun("02_synthesis", config, { inputs: ["01_data"] });
  await second.finish();
  await openInput("02_synthesis", config);
  const again = await startRun("01_data", config);
  await again.writeTable("records", [{ id: "b" }]);
  await again.finish();
  await assertRejects(() => openInput("02_synthesis", config), Error, "01_data ran again since");
  Deno.env.set("LAB_ACCEPT_STALE", "02_synthesis");
  try {
    const third = await startRun("03_annealing", config, { inputs: ["02_synthesis"] });
    await third.finish();
  } finally {
    Deno.env.delete("LAB_ACCEPT_STALE");
  }
  const input = await currentAcceptance();
  assertEquals(input, ["02_synthesis"]);
});

async function currentAcceptance(): Promise<string[]> {
  const { currentManifest } = await import("../../lib/artifacts/mod.ts");
  return (await currentManifest("03_annealing", "tiny"))!.manifest.acceptedStale;
}

Deno.test("a run that was not finished leaves the last finished one in place", async () => {
  const before = (await openInput("01_data", config)).manifest.started;
  const broken = await startRun("01_data", config);
  await broken.writeText("half.txt", "half");
  assertEquals((await openInput("01_data", config)).manifest.started, before);
});
