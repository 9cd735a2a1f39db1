/** Rollout of the vision tower, and maps that are carried through it. */
import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { loadConfig } from "@lib/config/mod.ts";
import { openModel } from "@lib/model/mod.ts";
import { locality, rollout, towerRollout } from "@lib/saliency/mod.ts";
import { throughTower } from "@lib/saliency/tower.ts";
import { memory } from "@lib/tensor/memory.ts";
import { phantomStore } from "@lib/nano/mod.ts";

const identity = (n: number) => Float32Array.from({ length: n * n }, (_, i) => Number(i % (n + 1) === 0));

Deno.test("features that are their own patch are wholly local; even attention leaves what skip connections keep", () => {
  const grid = { rows: 2, columns: 4 };
  assertEquals(locality(identity(8), grid), 1);
  assertEquals(locality(new Float32Array(64).fill(1 / 8), grid), (4 * 4 + 4 * 6) / 8 / 8);
  const even = [new Float32Array(64).fill(1 / 8)], kept = 2 ** -3;
  assertAlmostEquals(locality(rollout([even, even, even]), grid), kept + (1 - kept) * 5 / 8, 1e-6);
});

Deno.test("a map goes through the tower by the features' rows", () => {
  const map = Float32Array.from([0.5, 0.25, 0, 0]);
  assertEquals(throughTower(map, identity(4)), map);
  const tower = Float32Array.from([[0, 1, 0, 0], [0, 0, 1, 0], [1, 0, 0, 0], [1, 0, 0, 0]].flat());
  assertEquals([...throughTower(map, tower)], [0, 0.5, 0.25, 0]);
});

Deno.test("the tower's rollout has rows of sum 1 and depends on the picture", async () => {
  const config = loadConfig({}), store = phantomStore(), { model } = await openModel(config);
  await towerRollout(model, store, "generic/12");
  const before = memory().tensors;
  const [one, other] = [
    await towerRollout(model, store, "generic/12"),
    await towerRollout(model, store, "generic/13"),
  ];
  assertEquals(memory().tensors, before, "towerRollout leaves tensors behind");
  assertEquals(one.length, 64 * 64);
  for (let p = 0; p < 64; p++) {
    assertAlmostEquals(one.subarray(64 * p, 64 * (p + 1)).reduce((a, b) => a + b), 1, 1e-4);
  }
  assert(one.some((weight, i) => Math.abs(weight - other[i]) > 1e-3));
});
