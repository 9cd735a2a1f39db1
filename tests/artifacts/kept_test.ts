import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { join } from "@std/path";

const results = await Deno.makeTempDir();
Deno.env.set("LAB_RESULTS", results);
const { kept, keptResults, removeUnneededKept } = await import("@lib/artifacts/mod.ts");
const { pruneKept, roomsUnder } = await import("../../lib/artifacts/kept.ts");
const { paths } = await import("@lib/config/mod.ts");
const dir = join(results, "kept", "words");

/** The words in capitals, kept, and how many of them had to be made. */
async function ask(...words: string[]): Promise<{ values: string[]; made: number }> {
  let made = 0;
  const values: string[] = [];
  for (const word of words) {
    const path = await kept("artifacts", "words", { word }, async (path) => {
      made++;
      await Deno.writeTextFile(path, word.toUpperCase());
      if (word === "fail") throw new Error("it failed");
    });
    values.push(await Deno.readTextFile(path));
  }
  return { values, made };
}

const files = async () => (await Array.fromAsync(Deno.readDir(dir), ({ name }) => name)).sort();
const age = (name: string, seconds: number) =>
  Deno.utime(join(dir, name), new Date(), new Date(Date.now() - 1000 * seconds));

async function afresh(): Promise<void> {
  await Deno.mkdir(dir, { recursive: true });
  await Deno.remove(dir, { recursive: true });
}

Deno.test("a kept result is made once for a key and its surroundings, and is nobody else's to read", async () => {
  await afresh();
  assertEquals(await ask("a", "b", "a"), { values: ["A", "B", "A"], made: 2 });
  assertEquals(await ask("b", "c"), { values: ["B", "C"], made: 1 });
  Deno.env.set("TF_OF_THIS_TEST", "1"); // a setting on which the last bit may depend
  assertEquals((await ask("a")).made, 1);
  Deno.env.delete("TF_OF_THIS_TEST");
  assertEquals((await ask("a")).made, 0);
  for (const file of await files()) {
    assertMatch(file, /^[0-9a-f]{8}-[0-9a-f]{64}-[0-9a-f]{64}$/);
    assertEquals((await Deno.stat(join(dir, file))).mode! & 0o777, 0o600);
  }
  assertEquals((await files()).length, 4);
});

Deno.test("what other code of the room or of one under it has made is not found; other rooms may change", async () => {
  const copy = await Deno.makeTempDir();
  try {
    await Deno.mkdir(join(copy, "lib"));
    const rooms = ["config", "artifacts"].map((room) => join(paths.root, "lib", room));
    await new Deno.Command("cp", { args: ["-R", ...rooms, join(copy, "lib")] }).output();
    await Deno.copyFile(join(paths.root, "deno.lock"), join(copy, "deno.lock"));
    const script = `const { kept } = await import(${JSON.stringify(join(copy, "lib/artifacts/kept.ts"))});
await kept("artifacts", "words", 1, (path) => { console.log("made"); Deno.writeTextFileSync(path, "a"); });`;
    const said: string[] = [];
    await Deno.mkdir(join(copy, "lib/figures"));
    const edits = [["artifacts", "1"], ["artifacts", "1"], ["artifacts", "2"], ["config", "3"], [
      "figures",
      "4",
    ]];
    for (const [room, code] of edits) {
      await Deno.writeTextFile(join(copy, "lib", room, "one.ts"), code);
      const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
        args: ["eval", "--quiet", "--config", join(paths.root, "deno.json"), script],
        env: { LAB_RESULTS: join(copy, "results") },
      }).output();
      assertEquals(new TextDecoder().decode(stderr), "");
      said.push(new TextDecoder().decode(stdout).trim());
    }
    assertEquals(said, ["made", "", "made", "made", ""]);
  } finally {
    await Deno.remove(copy, { recursive: true });
  }
});

Deno.test("a training depends on the rooms that it computes with, not on those that ask, draw or report", async () => {
  const under = await roomsUnder("training");
  for (const room of ["training", "model", "tensor", "weights", "text", "image", "annealing", "config"]) {
    assertEquals([room, under.has(room)], [room, true]);
  }
  for (const room of ["evaluation", "answers", "saliency", "report", "figures", "cli"]) {
    assertEquals([room, under.has(room)], [room, false]);
  }
});

Deno.test("a damaged, cut or empty kept result is made again, and said; a failure leaves nothing", async () => {
  await afresh();
  await ask("a");
  const said: string[] = [], { error } = console;
  console.error = (text: string) => said.push(text);
  try {
    for (const damage of ["B", "", "AA"]) {
      await Deno.writeTextFile(join(dir, (await files())[0]), damage);
      assertEquals(await ask("a"), { values: ["A"], made: 1 });
    }
  } finally {
    console.error = error;
  }
  assertEquals(said.length, 3);
  assertMatch(said[0], /kept\/words\/[0-9a-f-]+ is damaged: it is thrown away and made again\.$/);
  assertEquals((await ask("a")).made, 0);
  await assertRejects(() => ask("fail"), Error, "it failed");
  assertEquals((await files()).length, 1);
});

Deno.test("pruning removes what was not used for longest, and a dead process's unfinished file after a day", async () => {
  await afresh();
  await ask("a", "b", "c");
  for (const file of await files()) await age(file, 3600);
  for (const [name, seconds] of [[".dead", 90_000], [".alive", 10]] as const) {
    await Deno.writeTextFile(join(dir, name), "half");
    await age(name, seconds);
  }
  assertEquals((await ask("b")).made, 0); // and used now
  assertEquals(await pruneKept(1), { removed: 2, left: 1 });
  assertEquals((await files()).filter((name) => name.startsWith(".")), [".alive"]);
  assertEquals((await ask("b")).made, 0);
  assertEquals((await ask("a")).made, 1);
  const oldest = (await files()).find((name) => !name.startsWith("."))!;
  await age(oldest, 7200);
  assertEquals(await pruneKept(0, join(dir, oldest)), { removed: 1, left: 1 });
  assertEquals(await files(), [".alive", oldest].sort());
  await Deno.remove(results, { recursive: true });
});

Deno.test("what other code has made is told apart, and it alone is removed", async () => {
  await afresh();
  await ask("ours", "theirs");
  const [own, other] = await files();
  await Deno.rename(join(dir, other), join(dir, `00000000${other.slice(8)}`));
  await Deno.writeTextFile(join(dir, `00000000${other.slice(8)}`), "twelve bytes");
  const size = (await Deno.stat(join(dir, own))).size;
  assertEquals(await keptResults(), [{ kind: "words", files: 2, bytes: size + 12, unneeded: 12 }]);
  assertEquals(await removeUnneededKept(), 12);
  assertEquals(await files(), [own]);
});
