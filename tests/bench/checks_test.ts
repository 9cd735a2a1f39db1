import { assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { type CheckedSeed, checksOf, checksText, spreadOf } from "./checks.ts";
import { CHECK } from "@lib/jupyter/mod.ts";

const found = (seed: number, value: number, atLeast: number | null = 100): CheckedSeed => ({
  stage: "02_synthesis",
  seed,
  name: "kept teacher pairs",
  ok: atLeast === null || value >= atLeast,
  text: "",
  value,
  atLeast,
  atMost: atLeast === null ? 0 : null,
});

Deno.test("the spread of a check tells which seeds fail it and how much room the others have", () => {
  const [spread] = spreadOf([found(2506, 111), found(1, 112), found(2, 97)]);
  assertEquals([spread.smallest, spread.median, spread.largest], [97, 111, 112]);
  assertEquals([spread.seeds, spread.failed], [[2506, 1, 2], [2]]);
  assertEquals(spread.room! < 0, true);
  const [enough] = spreadOf([found(2506, 111, 50), found(1, 112, 50), found(2, 97, 50)]);
  assertEquals([enough.failed, enough.room! > 5], [[], true]);
  const [sure] = spreadOf([found(1, 0, null), found(2, 0, null)]);
  assertEquals([sure.room, sure.failed], [null, []]);
  const [unmeasured] = spreadOf([found(1, NaN), found(2, NaN)]), free = { ...enough, atLeast: null };
  assertStringIncludes(checksText([unmeasured], ""), "| NaN | NaN sd | 2 (seeds 1, 2) |");
  assertStringIncludes(checksText([free], ""), "| 112 | – | 0 |");
  const text = checksText([spread, sure], "a machine");
  assertStringIncludes(
    text,
    "| 02 | kept teacher pairs | ≥ 100 | 3 | 97 | 111 | 112 | -0.4 sd | 1 (seeds 2) |",
  );
  assertStringIncludes(text, "| ≤ 0 | 2 | 0 | 0 | 0 | all equal | 0 |");
});

Deno.test("checks are read from an executed notebook, and none from one that is not there", async () => {
  const folder = await Deno.makeTempDir(), path = join(folder, "02.ipynb");
  try {
    const { seed: _, stage: __, ...result } = found(1, 111);
    const outputs = [{ output_type: "stream", text: "x" }, { data: { "text/plain": "y" } }, {
      data: { [CHECK]: result },
    }];
    await Deno.writeTextFile(path, JSON.stringify({ cells: [{ source: "" }, { outputs }] }));
    assertEquals(await checksOf(path), [result]);
    assertEquals(await checksOf(join(folder, "03.ipynb")), []);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
