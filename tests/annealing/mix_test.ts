import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { mix, type MixOptions, ratioAt, type Schedule } from "../../lib/annealing/mod.ts";
import { rng, shuffle } from "../../lib/config/mod.ts";

type Item = { id: string };
const items = (name: string, n: number): Item[] =>
  Array.from({ length: n }, (_, i) => ({ id: `${name}${i}` }));
const SHAPES: Schedule["shape"][] = ["constant", "linear", "cosine", "end-phase"];

/** A mixture chosen at random: sizes 1 to 120, up to 150 steps of up to 40 pairs, shares from 0 to 1. */
function randomOptions(case_: number): MixOptions<Item> {
  const random = rng(`mix property/${case_}`), whole = (most: number) => 1 + Math.floor(random() * most);
  const share = () => [0, 1, random(), random()][Math.floor(random() * 4)];
  return {
    base: items("b", whole(120)),
    enrich: items("e", whole(120)),
    schedule: { shape: SHAPES[case_ % 4], start: share(), end: share(), endPhase: Math.max(0.01, random()) },
    seed: case_,
    steps: whole(150),
    batchSize: whole(40),
  };
}
const CASES = Array.from({ length: 400 }, (_, case_) => randomOptions(case_));
const told = (options: MixOptions<Item>) =>
  JSON.stringify({ ...options, base: options.base.length, enrich: options.enrich.length });

Deno.test("at every step, given and asked pairs differ by half a pair at most", () => {
  for (const options of CASES) {
    const { schedule, steps, batchSize = 1 } = options, { draws, ratios, asked, measured } = mix(options);
    let due = 0;
    for (let step = 0, given = 0; step < steps; step++) {
      due += ratioAt(schedule, step, steps) * batchSize;
      const own = draws.slice(step * batchSize, (step + 1) * batchSize);
      const drawn = own.filter((d) => d.source === "enrich").length;
      given += drawn;
      assert(own.every((d) => d.step === step && d.pair.id.startsWith(d.source[0])), told(options));
      assert(Math.abs(due - given) <= 0.5 + 1e-6, `${told(options)} step ${step}: ${due} ${given}`);
      assertAlmostEquals(ratios[step].measured, drawn / batchSize, 1e-12);
    }
    assertEquals([draws.length, ratios.length], [steps * batchSize, steps]);
    assertAlmostEquals(asked, due / draws.length, 1e-9);
    assertAlmostEquals(measured, draws.filter((d) => d.source === "enrich").length / draws.length, 1e-12);
  }
});

Deno.test("every item's uses differ by one at most, nothing repeats within an epoch, and the account is exact", () => {
  for (const options of CASES) {
    const mixture = mix(options);
    for (const source of ["base", "enrich"] as const) {
      const pool = options[source], drawn = mixture.draws.filter((d) => d.source === source);
      const uses = new Map(pool.map(({ id }) => [id, 0]));
      for (const { pair } of drawn) uses.set(pair.id, uses.get(pair.id)! + 1);
      const [least, most] = [Math.min(...uses.values()), Math.max(...uses.values())];
      assert(most - least <= 1, told(options));
      const account = { draws: drawn.length, size: pool.length, epochs: drawn.length / pool.length };
      assertEquals(mixture[source], { ...account, minUses: least, maxUses: most });
      drawn.forEach((d, i) => assertEquals(d.epoch, Math.floor(i / pool.length)));
      for (let start = 0; start < drawn.length; start += pool.length) {
        const epoch = drawn.slice(start, start + pool.length).map((d) => d.pair.id);
        assertEquals(new Set(epoch).size, epoch.length, told(options));
      }
    }
  }
});

Deno.test("equal seeds give equal mixtures, in whatever order the pairs come; other seeds give others", () => {
  const random = rng("order of the pairs");
  for (const options of CASES) {
    const { draws } = mix(options), { base, enrich } = options;
    const mixed = mix({ ...options, base: shuffle(base, random), enrich: shuffle(enrich, random) });
    assertEquals(mixed.draws.map((d) => d.pair.id), draws.map((d) => d.pair.id));
    if (base.length < 10 || enrich.length < 10 || draws.length < 10) continue;
    const other = mix({ ...options, seed: options.seed + 1 }).draws;
    assert(other.some((d, i) => d.pair.id !== draws[i].pair.id), told(options));
  }
});

Deno.test("each epoch has its own order", () => {
  const { draws } = mix({
    base: items("b", 12),
    enrich: items("e", 3),
    schedule: { shape: "constant", start: 0.2, end: 0.2, endPhase: 0.1 },
    seed: 3,
    steps: 15,
    batchSize: 5,
  });
  const base = draws.filter((d) => d.source === "base").map((d) => d.pair.id);
  const orders = [0, 1, 2, 3, 4].map((epoch) => base.slice(epoch * 12, (epoch + 1) * 12).join());
  assertEquals(new Set(orders).size, 5);
});

const base = items("b", 70), enrich = items("e", 11);
const ramp: Schedule = { shape: "linear", start: 0, end: 0.5, endPhase: 0.1 };
const options = { base, enrich, schedule: ramp, seed: 1, steps: 9 };

Deno.test("an empty set matters only if it is asked for", () => {
  const none = { ...ramp, end: 0 };
  const only = mix({ ...options, enrich: [], schedule: none });
  assertEquals([only.measured, only.enrich.epochs, only.base.draws], [0, 0, 9]);
  assertThrows(() => mix({ ...options, enrich: [] }), Error, `"enrich"`);
});

Deno.test("shares and counts outside their range and pairs that come twice are refused", () => {
  for (const [name, value] of [["end", 1.1], ["start", NaN], ["endPhase", -0.1]] as const) {
    assertThrows(() => mix({ ...options, schedule: { ...ramp, [name]: value } }), Error, `${name} in 0..1`);
  }
  assertThrows(() => mix({ ...options, steps: 0 }), Error, "steps");
  assertThrows(() => mix({ ...options, batchSize: 1.5 }), Error, "batchSize");
  assertThrows(() => mix({ ...options, enrich: [...enrich, base[3]] }), Error, "b3 twice");
});
