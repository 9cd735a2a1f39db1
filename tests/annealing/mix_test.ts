import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { mix, ratioAt, type Schedule } from "@lib/annealing/mod.ts";

const items = (name: string, n: number) => Array.from({ length: n }, (_, i) => `${name}${i}`);
const base = items("b", 70), enrich = items("e", 11);
const ramps: Schedule[] = [
  { shape: "constant", start: 0.3, end: 0.9 },
  { shape: "linear", start: 0, end: 0.5 },
  { shape: "cosine", start: 0.6, end: 0.1 },
];

Deno.test("ramps start and end where they should, and are half way in the middle", () => {
  assertEquals(ramps.map((r) => [0, 50, 100].map((step) => Number(ratioAt(r, step, 101).toFixed(12)))), [
    [0.3, 0.3, 0.3],
    [0, 0.25, 0.5],
    [0.6, 0.35, 0.1],
  ]);
  assertAlmostEquals(ratioAt(ramps[2], 25, 101), 0.6 - 0.5 * (1 - Math.SQRT1_2) / 2, 1e-12);
});

Deno.test("the share drawn never parts from the share asked by more than half a pair", () => {
  for (const schedule of ramps) {
    for (const batchSize of [1, 6]) {
      const { draws, ratios, asked, measured } = mix({
        base,
        enrich,
        schedule,
        seed: 5,
        steps: 400,
        batchSize,
      });
      let due = 0, given = 0;
      for (const ratio of ratios) {
        due += ratio.asked * batchSize;
        given += ratio.measured * batchSize;
        assert(Math.abs(due - given) <= 0.5 + 1e-6, `${schedule.shape} step ${ratio.step}: ${due} ${given}`);
      }
      assertEquals(draws.length, 400 * batchSize);
      assertAlmostEquals(draws.filter((d) => d.source === "enrich").length / draws.length, measured, 1e-12);
      assert(Math.abs(asked - measured) <= 0.5 / draws.length + 1e-9);
    }
  }
});

Deno.test("a mixture follows from its seed", () => {
  const run = (seed: number) => mix({ base, enrich, schedule: ramps[1], seed, steps: 100, batchSize: 4 });
  assertEquals(run(1), run(1));
  assert(run(1).draws.some((draw, i) => draw.pair !== run(2).draws[i].pair));
});

Deno.test("epochs are exact: no repeat within one, each in its own order", () => {
  const { draws, base: b, enrich: e } = mix({
    base,
    enrich,
    schedule: ramps[0],
    seed: 3,
    steps: 100,
    batchSize: 5,
  });
  assertEquals([b.draws, e.draws], [350, 150]);
  assertEquals([b.epochs, e.epochs], [5, 150 / 11]);
  assertEquals([b.minUses, b.maxUses, e.minUses, e.maxUses], [5, 5, 13, 14]);
  for (const [source, pool] of [["base", base], ["enrich", enrich]] as const) {
    const drawn = draws.filter((d) => d.source === source);
    const orders = new Set<string>();
    for (let epoch = 0; epoch <= drawn.at(-1)!.epoch; epoch++) {
      const pairs = drawn.filter((d) => d.epoch === epoch).map((d) => d.pair);
      assertEquals(new Set(pairs).size, pairs.length);
      if (pairs.length === pool.length) {
        assertEquals([...pairs].sort(), [...pool].sort());
        orders.add(pairs.join());
      }
    }
    assert(orders.size >= 5);
  }
});

Deno.test("an empty set matters only if it is asked for", () => {
  const only = mix({
    base,
    enrich: [],
    schedule: { shape: "constant", start: 0, end: 0 },
    seed: 1,
    steps: 9,
  });
  assertEquals([only.measured, only.enrich.epochs, only.base.draws], [0, 0, 9]);
  assertThrows(() => mix({ base, enrich: [], schedule: ramps[0], seed: 1, steps: 9 }), Error, `"enrich"`);
});

Deno.test("ratios and counts outside their range are refused", () => {
  assertThrows(
    () => mix({ base, enrich, schedule: { shape: "linear", start: 0, end: 1.1 }, seed: 1, steps: 9 }),
    Error,
    "0..1",
  );
  assertThrows(
    () => mix({ base, enrich, schedule: { shape: "linear", start: NaN, end: 1 }, seed: 1, steps: 9 }),
    Error,
    "0..1",
  );
  assertThrows(() => mix({ base, enrich, schedule: ramps[0], seed: 1, steps: 0 }), Error, "steps");
});
