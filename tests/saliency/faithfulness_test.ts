import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { rng } from "../../lib/config/mod.ts";
import {
  centreMap,
  type LocalisationExample,
  localisationRow,
  massInside,
  patchCoverage,
  perturbationCurve,
  pointingDifference,
  pointingGame,
  randomOrder,
  strongestFirst,
} from "../../lib/saliency/mod.ts";

const square = (x: number, y: number) => {
  const mask = new Uint8Array(64);
  for (let dy = 0; dy < 2; dy++) for (let dx = 0; dx < 2; dx++) mask[(y + dy) * 8 + x + dx] = 1;
  return mask;
};
const example = (map: number[], mask: Uint8Array) => ({
  map: Float32Array.from(map),
  rows: 4,
  columns: 4,
  mask,
  maskRows: 8,
  maskColumns: 8,
});
const at = (patch: number) => Array.from({ length: 16 }, (_, p) => (p === patch ? 1 : 0));

Deno.test("A patch is covered by the share of its pixels in the mask", () => {
  const coverage = patchCoverage(example(at(0), square(1, 0)));
  assertEquals([...coverage.subarray(0, 4)], [0.5, 0.5, 0, 0]);
  assertThrows(
    () => patchCoverage({ ...example(at(0), square(0, 0)), maskRows: 7 }),
    RangeError,
    "multiples",
  );
});

Deno.test("The pointing game wants the strongest patch on the lesion; a constant map scores the lesion's share of patches", () => {
  assertEquals(pointingGame(example(at(5), square(2, 2))), 1);
  assertEquals(pointingGame(example(at(4), square(2, 2))), 0);
  assertAlmostEquals(pointingGame(example(Array(16).fill(2), square(1, 1))), 4 / 16, 1e-12);
});

Deno.test("Mass inside is weighted by area, so that a constant map scores the lesion's share of the image", () => {
  assertAlmostEquals(massInside(example(at(5), square(2, 2))), 1, 1e-12);
  assertAlmostEquals(massInside(example(Array(16).fill(1), square(1, 1))), 4 / 64, 1e-12);
  assert(Number.isNaN(massInside(example(Array(16).fill(0), square(1, 1)))));
});

Deno.test("Maps on the lesion beat chance with an interval above zero; random maps do not", () => {
  const random = rng("faithfulness");
  const make = (good: boolean): LocalisationExample[] =>
    Array.from({ length: 200 }, (_, i) => {
      const [px, py] = [Math.floor(random() * 4), Math.floor(random() * 4)];
      const map = Array.from({ length: 16 }, () => random());
      if (good && random() < 0.7) map[py * 4 + px] = 2;
      return { imageId: `image${i}`, ...example(map, square(px * 2, py * 2)) };
    });
  const good = make(true), bad = make(false);
  const constant = (list: LocalisationExample[]) =>
    list.map((one) => ({ ...one, map: new Float32Array(16).fill(1) }));
  assert(pointingDifference(good, constant(good)).low > 0.4);
  const luck = pointingDifference(bad, constant(bad));
  assert(luck.low < 0 && luck.high > 0);
  const hits = good.filter((one) => pointingGame(one) === 1).slice(0, 14);
  const { pointing } = localisationRow("hits", hits);
  assert(pointing.estimate === 1 && pointing.low < 0.9, `14 of 14 is [${pointing.low}, 1]`);
  assertAlmostEquals(localisationRow("random", constant(good)).pointing.estimate, 1 / 16, 1e-12);
  assertThrows(() => localisationRow("none", []), Error, "found none");
});

Deno.test("The centre map peaks in the middle", () => {
  const map = centreMap(5, 5);
  assertEquals(map.indexOf(map.reduce((a, b) => Math.max(a, b))), 12);
});

Deno.test("Deleting the patches that matter first lowers the score sooner than a random order; inserting raises it sooner", async () => {
  const important = Float32Array.from({ length: 16 }, (_, p) => (p < 4 ? 4 - p : 0));
  const score = (keep: Uint8Array) => keep.subarray(0, 4).reduce((a, b) => a + b, 0) / 4;
  const order = strongestFirst(important, 1);
  assertEquals(order.slice(0, 4), [0, 1, 2, 3]);
  const deletion = await perturbationCurve("deletion", order, score, 16);
  const insertion = await perturbationCurve("insertion", order, score, 16);
  assertEquals([deletion.scores[0], deletion.scores.at(-1)], [1, 0]);
  assertAlmostEquals(deletion.area, 2 / 16, 1e-12);
  assertAlmostEquals(insertion.area, 14 / 16, 1e-12);
  const chance = await perturbationCurve("deletion", randomOrder(16, 2), score, 16);
  assert(chance.area > deletion.area);
});
