import { assert, assertEquals, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";

// The results folder is read from the environment when lib/config is loaded.
const results = await Deno.makeTempDir({ prefix: "runs-" });
Deno.env.set("LAB_RESULTS", results);
const { kept, startRun } = await import("../../lib/artifacts/mod.ts");
const { loadConfig } = await import("../../lib/config/mod.ts");
const { run } = await import("../../lib/cli/runs.ts");

for (const limit of ["2", "3"]) {
  const made = await startRun("01_data", loadConfig({ LIMIT: limit }), { outputs: ["records.arrow"] });
  await made.writeTable("records", [{ limit }]);
  await made.finish();
}
const names = [...Deno.readDirSync(join(results, "tiny", "01_data"))].map(({ name }) => name)
  .filter((name) => name.startsWith("tiny-")).sort();

/** What the command prints. */
async function printed(...args: string[]): Promise<string> {
  const lines: string[] = [], log = console.log;
  console.log = (line: string) => lines.push(line);
  try {
    await run(args);
  } finally {
    console.log = log;
  }
  return lines.join("\n");
}

Deno.test("runs are listed, compared, chosen and removed", async () => {
  assertMatch(
    await printed(),
    new RegExp(`^01_data\n  ${names[0]} .*limited to 2\n\\* ${names[1]} .*limited to 3$`),
  );
  assertMatch(
    await printed("diff", "1", names[0]),
    /config\.limit: 2 -> 3\n.*outputs\.records\.arrow: "\w{12}" -> "/,
  );
  await printed("use", "01", names[0]);
  assertStringIncludes(await printed("list", "01_data"), `! ${names[0]}`);
  await assertRejects(() => run(["rm", "01", names[0]]), Error, "is the current one");
  await printed("rm", "01", names[1]);
  assertEquals((await printed()).split("\n").length, 2);
});

Deno.test("kept results are counted, and those that other code has made are removed", async () => {
  const path = await kept(
    "training",
    "cells",
    { cell: 1 },
    (path) => Deno.writeTextFile(path, "twelve bytes"),
  );
  const foreign = join(results, "kept", "cells", `00000000-${"0".repeat(64)}-${"0".repeat(64)}`);
  await Deno.writeTextFile(foreign, "eight by");
  const about = /^kept cells: 2, 20 bytes, 8 bytes of them by other code \(\.\/lab runs rm kept\)$/m;
  assertMatch(await printed(), about);
  assertEquals(await printed("rm", "kept"), "8 bytes of kept results removed");
  assertMatch(await printed(), /^kept cells: 1, 12 bytes$/m);
  assert((await Deno.stat(path)).isFile);
  await Deno.remove(path);
});

Deno.test("a damaged run is named, also one whose files look unchanged with --verify; an unknown one is a sentence", async () => {
  const dir = join(results, "tiny", "01_data", names[0]), table = join(dir, "records.arrow");
  const { mtime } = await Deno.stat(table), bytes = await Deno.readFile(table);
  bytes[bytes.length >> 1] ^= 1;
  await Deno.writeFile(table, bytes);
  await Deno.utime(table, mtime!, mtime!);
  const lines: string[] = [], log = console.log;
  console.log = (line: string) => lines.push(line);
  try {
    await assertRejects(() => run(["--verify"]), Error, "some runs are damaged");
  } finally {
    console.log = log;
  }
  assert(lines.join("\n").includes(`${table} is damaged`), lines.join("\n"));
  const pointer = join(results, "tiny/01_data/current"), whole = await Deno.readTextFile(pointer);
  await Deno.writeTextFile(pointer, "");
  console.log = (line: string) => lines.push(line);
  try {
    await assertRejects(() => run([]), Error, "some runs are damaged");
  } finally {
    console.log = log;
    await Deno.writeTextFile(pointer, whole);
  }
  assert(lines.join("\n").includes(`${pointer} is damaged (it names no run)`), lines.join("\n"));
  await assertRejects(() => run(["use", "01", "nothing"]), Error, "has no run nothing; it has tiny-");
  await assertRejects(() => run(["use", "07", "x"]), Error, 'stage "07" has no finished run');
  await assertRejects(() => run(["use", "01"]), Error, "was given 0 names");
});
