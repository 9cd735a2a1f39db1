import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { delay } from "@std/async";
import { join } from "@std/path";
import { z } from "zod";

// The results folder is read from the environment when the room is loaded.
const results = await Deno.makeTempDir({ prefix: "artifacts-" });
Deno.env.set("LAB_RESULTS", results);
const {
  chooseRun,
  currentManifest,
  damagedOutputs,
  openInput,
  readArrow,
  runNames,
  startRun,
  writeArrow,
} = await import(
  "../../lib/artifacts/mod.ts"
);
const WithId = z.object({ id: z.string() });
const { columnTypes } = await import("../../lib/artifacts/arrow.ts");
const { openTable } = await import("../../lib/artifacts/open_table.ts");
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
  using input = await openInput("01_data", config);
  assertEquals(await input.table("records", WithId), [{ id: "a" }]);
  assertEquals(await input.json("counts"), { lung: 2 });
  assertThrows(() => input.file("other"), Error, "records.arrow");
});

Deno.test("a table written by its schema has the schema's columns without any row, and its values encoded", async () => {
  const Percent = z.codec(z.number(), z.string(), {
    decode: (n) => `${n} %`,
    encode: (text) => parseFloat(text),
  });
  const row = z.object({ id: z.string(), share: Percent });
  const run = await startRun("08_paper", config);
  await run.writeTable("none", [], row);
  await run.writeTable("some", [{ id: "a", share: "40 %" }], row);
  await assertRejects(
    () =>
      run.writeTable("wrong", [{ id: "a", share: "1 %" }, { id: 1 as unknown as string, share: "1 %" }], row),
    Error,
    "Table wrong, row 1: id is not as expected (",
  );
  await run.finish();
  using input = await openInput("08_paper", config);
  using none = await openTable(input.file("none.arrow"));
  assertEquals([none.length, none.columns], [0, ["id", "share"]]);
  assertEquals(await readArrow(input.file("some.arrow")), [{ id: "a", share: 40 }]);
  assertEquals(await input.table("some", row), [{ id: "a", share: "40 %" }]);
});

Deno.test("a table whose rows are not as its reader expects is refused with row and column", async () => {
  using input = await openInput("01_data", config);
  const expected = z.object({ id: z.string(), split: z.enum(["train", "test"]) });
  const error = await assertRejects(
    () => input.table("records", expected),
    Error,
    "records.arrow, row 0: split",
  );
  assertStringIncludes(error.message, "(./lab run 01 --scale tiny)");
  assertEquals(await input.table("records", z.object({})), [{}]);
});

Deno.test("a run made from inputs that changed since is stale until it is accepted by name", async () => {
  const second = await startRun("02_synthesis", config, { inputs: ["01_data"] });
  await second.finish();
  (await openInput("02_synthesis", config)).close();
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
  assertEquals((await currentManifest("03_annealing", "tiny"))!.manifest.acceptedStale, ["02_synthesis"]);
});

Deno.test("a run that was not finished leaves the last finished one in place", async () => {
  const before = (await currentManifest("01_data", "tiny"))!.hash;
  const broken = await startRun("01_data", config);
  await broken.writeText("half.txt", "half");
  await broken.writeTable("records", [{ id: "b" }]);
  assertEquals((await currentManifest("01_data", "tiny"))!.hash, before);
  await broken.finish();
});

const folder = join(results, "tiny", "01_data");
const entries = (dir: string) => [...Deno.readDirSync(dir)].map(({ name }) => name).sort();

Deno.test("one process at a time writes a stage; the second says which does and changes nothing", async () => {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", join(import.meta.dirname!, "hold_stage.ts")],
    env: { LAB_RESULTS: results },
    stdin: "null",
    stdout: "piped",
  }).spawn();
  try {
    for await (const line of child.stdout.pipeThrough(new TextDecoderStream())) {
      if (line.includes("started")) break;
    }
    const before = entries(folder);
    const error = await assertRejects(() => startRun("01_data", config), Error);
    assertMatch(
      error.message,
      new RegExp(`Stage 01_data is being written by process ${child.pid} since .*UTC`),
    );
    assertEquals(entries(folder), before);
    assert(
      before.some((name) => name.startsWith(".partial-")),
      "the run that is being written is still there",
    );
  } finally {
    child.kill("SIGKILL");
    await child.status;
  }
  const run = await startRun("01_data", config);
  assertEquals(entries(folder).filter((name) => name.startsWith(".partial-")).length, 1, "its own");
  await run.writeTable("records", [{ id: "c" }]);
  await run.finish();
  assertEquals(entries(folder).filter((name) => !/^tiny-/.test(name)), ["current", "lock"]);
});

Deno.test("a run started again in the same process gives the first one up", async () => {
  const first = await startRun("01_data", config), second = await startRun("01_data", config);
  await assertRejects(() => first.writeText("a.txt", "a"), Error, "is over");
  await assertRejects(() => first.finish(), Error, "is over");
  await second.writeTable("records", [{ id: "d" }]);
  await second.finish();
});

Deno.test("what was promised or written must be there at the end; nothing has changed otherwise", async () => {
  const outputs = ["records.arrow", "adapters/a", "adapters/b"];
  const run = await startRun("01_data", config, { outputs }), before = entries(folder);
  await run.writeTable("records", [{ id: "e" }]);
  await run.writeText("adapters/a/weights", "1");
  await run.writeText("extra.txt", "more");
  await assertRejects(() => run.finish(), Error, "adapters/b was promised but is not there");
  await run.writeText("adapters/b/weights", "1");
  await Deno.remove(run.file("extra.txt"));
  await assertRejects(() => run.finish(), Error, "extra.txt was promised but is not there");
  await run.writeText("extra.txt", "more");
  await Deno.writeTextFile(run.file("late.json.tmp"), "");
  await assertRejects(() => run.finish(), Error, "late.json.tmp is still being written");
  await Deno.remove(run.file("late.json.tmp"));
  assertEquals(entries(folder), before);
  await run.finish();
  using input = await openInput("01_data", config);
  assertEquals(await input.table("records", WithId), [{ id: "e" }]);
});

Deno.test("a run that the stage cannot be pointed at is not said to be finished", async () => {
  const write = async (before: (current: string) => Promise<void>) => {
    const run = await startRun("06_evaluation", config);
    await before(join(run.dir, "../current"));
    return await run.finish();
  };
  await assertRejects(() => write((current) => Deno.mkdir(current)), Error, "current");
  await Deno.remove(join(results, "tiny/06_evaluation/current"));
  await write(async () => {});
  assert(await currentManifest("06_evaluation", "tiny"));
});

Deno.test("a run that is being read stays until its reader closes it", async () => {
  const input = await openInput("01_data", config);
  const write = async () => {
    const run = await startRun("01_data", config);
    await run.writeTable("records", [{ id: "f" }]);
    return await run.finish();
  };
  await write();
  assertEquals(await input.table("records", WithId), [{ id: "e" }]);
  input.close();
  await write();
  assertEquals(entries(folder).filter((name) => name.startsWith("tiny-")).length, 1);
});

Deno.test("a run that is being taken away is not read: its reader waits for what comes in its place", async () => {
  using remover = await Deno.open(join((await currentManifest("01_data", "tiny"))!.dir, "manifest.json"));
  assert(remover.tryLockSync(true));
  const opening = openInput("01_data", config);
  const early = await Promise.race([opening.then(() => "read"), delay(100).then(() => "waits")]);
  assertEquals(early, "waits");
  remover.unlockSync();
  (await opening).close();
});

Deno.test("an earlier configuration finds its run again, and a run chosen by a person is taken", async () => {
  const other = loadConfig({ LIMIT: "3" });
  const run = await startRun("01_data", other);
  await run.writeTable("records", [{ id: "limited" }]);
  await run.finish();
  for (const [asked, id] of [[config, "f"], [other, "limited"]] as const) {
    using input = await openInput("01_data", asked);
    assertEquals(await input.table("records", WithId), [{ id }]);
  }
  const names = await runNames("01_data", "tiny");
  await chooseRun("01_data", "tiny", names.find((name) => !name.includes("limit"))!);
  using chosen = await openInput("01_data", other);
  assertEquals(await chosen.table("records", WithId), [{ id: "f" }]);
  await assertRejects(
    () => chooseRun("01_data", "tiny", "tiny-0000"),
    Error,
    "has no run tiny-0000; it has tiny-",
  );
});

Deno.test("a run tells the peak of memory and what there was", async () => {
  await (await startRun("08_paper", config)).finish();
  const { memory } = (await currentManifest("08_paper", "tiny"))!.manifest;
  const { rss } = Deno.memoryUsage();
  assert(memory!.peakBytes >= rss * 0.9 && memory!.peakBytes < memory!.limitBytes, Deno.inspect(memory));
});

Deno.test("a damaged output, manifest or pointer is one sentence with the file and what to do", async () => {
  const dir = (await currentManifest("01_data", "tiny"))!.dir, table = join(dir, "records.arrow");
  const refused = async (
    file: string,
    damage: (bytes: Uint8Array<ArrayBuffer>) => Uint8Array,
    says: string,
  ) => {
    const whole = await Deno.readFile(file);
    await Deno.writeFile(file, damage(whole.slice()));
    try {
      const error = await assertRejects(() => openInput("01_data", config), Error, says);
      assertEquals(error.constructor, Error);
      assertStringIncludes(error.message, file);
      assertStringIncludes(error.message, "(./lab run 01 --scale tiny)");
      assertStringIncludes(error.message, "(./lab runs list 01 --scale tiny)");
      assert(!error.message.includes("\n"), "one sentence");
    } finally {
      await Deno.writeFile(file, whole);
    }
  };
  const text = (t: string) => () => new TextEncoder().encode(t);
  const flip = (bytes: Uint8Array) => bytes.map((byte, i) => i === 10 ? byte ^ 0x25 : byte);
  await refused(table, flip, "is damaged (its SHA-256");
  await refused(table, (bytes) => bytes.subarray(1), "bytes, expected");
  const manifest = join(dir, "manifest.json");
  await refused(manifest, text(""), "(it is not JSON)");
  await refused(manifest, text("null"), "is damaged (its top level");
  await refused(manifest, text('{"stage": 3}'), "is damaged (stage: ");
  const outside = ["/etc/passwd", "../x", "a/../../x", "./x"];
  for (const name of outside) {
    const changed = (bytes: Uint8Array<ArrayBuffer>) =>
      new TextDecoder().decode(bytes).replace('"records.arrow"', `"${name}"`);
    await refused(manifest, (bytes) => text(changed(bytes))(), "is damaged (outputs.");
  }
  const current = join(folder, "current");
  await refused(current, text(""), "(it names no run)");
  await refused(current, text("../../elsewhere\n"), "(it names no run)");
  await refused(current, text("tiny-00000000-1\n"), "names the run tiny-00000000-1, which is not there");
  await Deno.rename(table, `${table}.away`);
  await assertRejects(
    () => openInput("01_data", config),
    Error,
    "records.arrow is missing: run its notebook again",
  );
  await Deno.rename(`${table}.away`, table);
  (await openInput("01_data", config)).close();
});

Deno.test("where the pointer is damaged, running the notebook again mends it and loses no run", async () => {
  const [before] = (await runNames("01_data", "tiny")).slice(-1), pointer = join(folder, "current");
  await Deno.writeTextFile(pointer, "");
  const run = await startRun("01_data", config);
  await run.writeTable("records", [{ id: "mended" }]);
  assert((await runNames("01_data", "tiny")).includes(before));
  await run.finish();
  using input = await openInput("01_data", config);
  assertEquals(await input.table("records", WithId), [{ id: "mended" }]);
});

Deno.test("outputs that have not changed are not read again, but --verify reads them", async () => {
  const found = (await currentManifest("01_data", "tiny"))!, table = join(found.dir, "records.arrow");
  const bytes = await Deno.readFile(table), { mtime, atime } = await Deno.stat(table);
  assertEquals(await damagedOutputs(found), []);
  bytes[bytes.length >> 1] ^= 1;
  await Deno.writeFile(table, bytes); // in place, in the second of its change, as a bad disk would: nothing else differs
  await Deno.utime(table, atime!, mtime!);
  assertEquals((await damagedOutputs(found, { rehash: true })).length, 1);
  bytes[bytes.length >> 1] ^= 1;
  await Deno.writeFile(table, bytes);
  assertEquals(await damagedOutputs(found), []);
});

Deno.test("a run's folder is its user's alone: a teacher's texts and answers about images lie there", async () => {
  const run = await startRun("02_synthesis", config, { outputs: ["pairs.arrow"] });
  await run.writeTable("pairs", [{ answer: "yes" }]);
  const { mode } = await Deno.stat(await run.finish());
  assertEquals(mode! & 0o777, 0o700);
});
