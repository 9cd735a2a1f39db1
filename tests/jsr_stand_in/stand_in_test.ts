/** These pass with the stand-in and with the real packages alike. */
import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { delay, pooledMap } from "@std/async";
import { parseArgs } from "@std/cli";
import { ensureDir, exists, walk } from "@std/fs";
import { basename, dirname, extname, fromFileUrl, join, relative, resolve } from "@std/path";
import { closestString, levenshteinDistance } from "@std/text";

const fails = (fn: () => unknown) => {
  try {
    fn();
  } catch (error) {
    if ((error as Error).name !== "AssertionError") throw error;
    return;
  }
  throw new Error("the assertion passed");
};

Deno.test("assertions pass on what holds", async () => {
  assert(1);
  assertEquals({ a: [1, new Set(["x"])], b: new Float32Array([1, 2]) }, {
    b: new Float32Array([1, 2]),
    a: [1, new Set(["x"])],
  });
  assertEquals(NaN, NaN);
  assertAlmostEquals(0.1 + 0.2, 0.3);
  assertAlmostEquals(1, 1.05, 0.1);
  assertStringIncludes("radiograph", "graph");
  assertMatch("slice 12", /\d+/);
  assertEquals(assertThrows(() => JSON.parse("{"), SyntaxError).name, "SyntaxError");
  const error = await assertRejects(() => Promise.reject(new TypeError("no such file")), TypeError, "such");
  assertEquals(error.message, "no such file");
});

Deno.test("assertions fail on what does not hold", async () => {
  fails(() => assert(0));
  fails(() => assertEquals([1, 2], [1, 3]));
  fails(() => assertEquals<unknown>({ a: 1 }, { a: 1, b: undefined }));
  fails(() => assertEquals<unknown>(new Uint8Array(2), [0, 0]));
  fails(() => assertAlmostEquals(1, 1.001));
  fails(() => assertAlmostEquals(NaN, 1, 10));
  fails(() => assertStringIncludes("a", "b"));
  fails(() => assertMatch("a", /b/));
  const thrown: unknown = assertThrows(() => { // without a class it is of no known type
    throw "no error";
  }, "a note");
  assertEquals(thrown, "no error");
  assertEquals(await assertRejects(() => Promise.reject("no error")), "no error");
  fails(() => assertThrows(() => {}));
  fails(() => assertThrows(() => JSON.parse("{"), TypeError));
  fails(() => assertThrows(() => JSON.parse("{"), SyntaxError, "no such text"));
  let rejected = false;
  await assertRejects(() => Promise.resolve()).catch(() => rejected = true);
  assert(rejected, "assertRejects passed on a promise that was kept");
});

Deno.test("paths are put together and taken apart", () => {
  assertEquals(join("a", "../b", "c.ts"), "b/c.ts");
  assertEquals(dirname("/a/b.ts"), "/a");
  assertEquals(basename("/a/b.ts", ".ts"), "b");
  assertEquals(extname("x.tar.gz"), ".gz");
  assertEquals(resolve("/a", "b", "../c"), "/a/c");
  assertEquals(relative("/a/b", "/a/c/d"), "../c/d");
  assertEquals(fromFileUrl("file:///a%20b/c"), "/a b/c");
});

Deno.test("folders are made, found and walked", async () => {
  const root = await Deno.makeTempDir();
  try {
    await ensureDir(join(root, "a/b"));
    await ensureDir(join(root, "a/b"));
    await Deno.writeTextFile(join(root, "a/x.ts"), "");
    await Deno.writeTextFile(join(root, "a/b/y.json"), "");
    assert(await exists(join(root, "a"), { isDirectory: true }));
    assertEquals(await exists(join(root, "a"), { isFile: true }), false);
    assertEquals(await exists(join(root, "missing")), false);
    const names = async (options: Parameters<typeof walk>[1]) => {
      const found: string[] = [];
      for await (const entry of walk(root, options)) found.push(relative(root, entry.path));
      return found.sort();
    };
    assertEquals(await names({}), ["", "a", "a/b", "a/b/y.json", "a/x.ts"]);
    assertEquals(await names({ includeDirs: false }), ["a/b/y.json", "a/x.ts"]);
    assertEquals(await names({ exts: [".ts"] }), ["a/x.ts"]);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});

Deno.test("delay waits, and ends early when it is aborted", async () => {
  const start = Date.now();
  await delay(20);
  assert(Date.now() - start >= 15);
  const stop = new AbortController();
  setTimeout(() => stop.abort(new Error("enough")), 5);
  await assertRejects(() => delay(10_000, { signal: stop.signal }), Error, "enough");
});

Deno.test("pooledMap keeps the order and the limit", async () => {
  let running = 0, most = 0;
  const out: number[] = [];
  const work = async (ms: number) => {
    most = Math.max(most, ++running);
    await delay(ms);
    running--;
    return ms;
  };
  for await (const ms of pooledMap(2, [30, 5, 10, 1], work)) out.push(ms);
  assertEquals(out, [30, 5, 10, 1]);
  assertEquals(most, 2);
});

Deno.test("pooledMap stops at an error and names it", async () => {
  const begun: number[] = [];
  const error = await assertRejects(
    async () => {
      const work = (i: number) => {
        begun.push(i);
        return i === 1 ? Promise.reject(new Error("one")) : delay(5).then(() => i);
      };
      for await (const _ of pooledMap(2, [0, 1, 2, 3, 4, 5], work));
    },
    AggregateError,
  );
  assertEquals(error.errors.map((e) => e.message), ["one"]);
  assert(begun.length < 6);
});

Deno.test("parseArgs tells options, switches and the rest apart", () => {
  const spec = { string: ["_", "scale"], boolean: ["record", "quiet"] } as const;
  const args = parseArgs(["05", "--scale", "full", "--record", "x", "--", "--quiet"], spec);
  assertEquals<unknown>(args._, ["05", "x", "--quiet"]);
  assertEquals([args.scale, args.record, args.quiet], ["full", true, false]);
  assertEquals(parseArgs(["--scale=tiny"], spec).scale, "tiny");
  assertEquals(parseArgs(["05"])._, [5]);
  const unknown: string[] = [];
  parseArgs(["--scael", "x", "--quiet"], {
    ...spec,
    unknown: (_arg: string, key?: string) => {
      unknown.push(key!);
      return false;
    },
  });
  assertEquals(unknown, ["scael"]);
  const sets = parseArgs(["--set", "a=1", "05", "--set=b=2"], { string: ["set"], collect: ["set"] });
  assertEquals<unknown>([sets.set, sets._], [["a=1", "b=2"], [5]]);
  assertEquals<unknown>(parseArgs([], { string: ["set"], collect: ["set"] }).set, []);
});

Deno.test("the closest word is found, without regard to case", () => {
  assertEquals(levenshteinDistance("saliency", "salience"), 1);
  assertEquals(levenshteinDistance("", "abc"), 3);
  assertEquals(closestString("reveiw", ["run", "review", "data"]), "review");
  assertEquals(closestString("DATA", ["run", "data"]), "data");
  assertEquals(closestString("aa", ["ab", "ba"]), "ab");
});
