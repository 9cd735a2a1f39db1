import { assert, assertAlmostEquals, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { loadConfig, rng } from "../../lib/config/mod.ts";
import { openModel } from "../../lib/model/mod.ts";
import {
  areaUnder,
  captureAnswer,
  faithfulness,
  type LocalisationExample,
  meanCurves,
  PATCH_ORDERS,
  patchCoverage,
  type PatchCurve,
  patchCurves,
  pointingGame,
  shownPatches,
  strongestFirst,
  type StudiedQuestion,
} from "../../lib/saliency/mod.ts";
import {
  centreMap,
  localisationRow,
  massInside,
  pointingDifference,
} from "../../lib/saliency/localisation.ts";
import { showPatches } from "../../lib/saliency/perturbation.ts";
import { questionPrefix } from "../../lib/text/mod.ts";
import { phantomStore } from "../../lib/nano/mod.ts";

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

Deno.test("Patches go, or come back, strongest first in equal steps; a map's order changes the score sooner than a random one", () => {
  const important = Float32Array.from({ length: 16 }, (_, p) => (p < 4 ? 4 - p : 0));
  const order = strongestFirst(important, 1);
  assertEquals(order.slice(0, 4), [0, 1, 2, 3]);
  assert(strongestFirst(important, 2).join() !== order.join(), "equal patches are in random order");
  const score = (shown: Uint8Array) => shown.subarray(0, 4).reduce((a, b) => a + b, 0) / 4;
  const area = (kind: "deletion" | "insertion", order: number[], steps: number) =>
    areaUnder(shownPatches(kind, order, steps).map(score));
  assertEquals(shownPatches("deletion", order, 4).map(score), [1, 0, 0, 0, 0]);
  assertAlmostEquals(area("deletion", order, 16), 2 / 16, 1e-12);
  assertAlmostEquals(area("insertion", order, 16), 14 / 16, 1e-12);
  assertAlmostEquals(area("insertion", order, 4), 3.5 / 4, 1e-12);
  assert(area("deletion", strongestFirst(new Float32Array(16).fill(1), 2), 16) > 4 / 16);
});

Deno.test("A patch that is not shown has the picture's mean colour, the others stay", () => {
  const data = Uint8Array.from({ length: 4 * 4 * 3 }, (_, i) => i % 3 === 0 ? 2 * i : 7);
  const out = showPatches(data, Uint8Array.from([1, 0, 1, 1]), 4), hidden = [2, 3, 6, 7];
  const red = Math.round(data.filter((_, i) => i % 3 === 0).reduce((a, b) => a + b, 0) / 16);
  for (let i = 0; i < 16; i++) {
    assertEquals([...out.slice(3 * i, 3 * i + 3)], [hidden.includes(i) ? red : 6 * i, 7, 7], `pixel ${i}`);
  }
});

/** Curves of one question of each image; every order has the same but the one that is better. */
const curvesOf = (images: number, best: string): PatchCurve[] =>
  Array.from({ length: images }, (_, i) => i).flatMap((i) =>
    PATCH_ORDERS.flatMap((order) =>
      (["deletion", "insertion"] as const).map((kind) => {
        const gain = order === best ? 1 + i / images : 0,
          middle = kind === "deletion" ? -4 - gain : -4 + gain;
        const scores = kind === "deletion" ? [-1, middle, -7] : [-7, middle, -1];
        return { id: `q${i}`, imageId: `image${i}`, order, kind, scores };
      })
    )
  );

Deno.test("A map is ahead where the answer goes sooner by deletion and comes sooner by insertion, by the images' intervals", () => {
  const rows = faithfulness(curvesOf(24, "rollout"));
  assertEquals(rows.length, 12);
  for (const { order, kind, area, ahead } of rows) {
    const best = order === "rollout", gain = (1 + 23 / 48) / 2;
    assertAlmostEquals(area.estimate, -4 + (best ? kind === "deletion" ? -gain : gain : 0), 1e-9);
    const isMap = ["rollout", "raw attention", "gradient × attention"].includes(order);
    assertEquals(Object.keys(ahead), isMap ? ["random", "rollout, diagonal", "local contrast"] : []);
    for (const { estimate, low, high } of Object.values(ahead)) {
      assertAlmostEquals(estimate, best ? gain : 0, 1e-9);
      assert(best ? low > 0.6 && low < gain && high > gain : low === 0 && high === 0);
    }
  }
  const behind = faithfulness(curvesOf(24, "random")).filter(({ order }) => order === "rollout");
  assert(behind.every(({ ahead }) => ahead.random!.high < 0));
  assertEquals(faithfulness([]), []);
  assertEquals(meanCurves(curvesOf(2, "random"), "deletion")[3], {
    order: "random",
    points: [[0, -1], [0.5, -5.25], [1, -7]],
  });
  const one = curvesOf(1, "random").filter(({ order }) => order === "random");
  assertEquals(meanCurves(one, "insertion"), [{ order: "random", points: [[0, -7], [0.5, -3], [1, -1]] }]);
});

Deno.test("Curves begin and end at the log-probabilities of the whole and of the empty picture, whatever the batch", async () => {
  const config = loadConfig({}), store = phantomStore(), { model, tokenizer } = await openModel(config);
  const maps = Object.fromEntries(PATCH_ORDERS.map((order, o) => [
    order,
    Float32Array.from({ length: 64 }, (_, p) => Math.sin(p * (o + 1))),
  ]));
  const asked = await Promise.all([12, 13].map(async (seed) => {
    const one = { imagePath: `generic/${seed}`, question: "what organ is shown?", choices: null };
    const prompt = { imagePath: one.imagePath, prefix: questionPrefix(one) };
    const { answerIds, logprobs } = await captureAnswer(model, tokenizer, store, prompt);
    return { ...one, id: `${seed}`, imageId: `${seed}`, maps, answerIds, logprobs };
  }));
  const draw = (images: number, batchSize: number) =>
    patchCurves(model, tokenizer, store, asked as unknown as StudiedQuestion[], {
      ...{ images, batchSize, seed: 1, steps: 2 },
    });
  const curves = await draw(1, 50), again = await draw(2, 4);
  assertEquals([curves.length, again.length], [12, 24]);
  const whole = asked[0].logprobs.reduce((a, b) => a + b), empty = curves[0].scores[2];
  for (const [c, { kind, scores }] of curves.entries()) {
    assertAlmostEquals(kind === "deletion" ? scores[0] : scores[2], whole, 1e-3);
    assertAlmostEquals(kind === "deletion" ? scores[2] : scores[0], empty, 1e-3);
    scores.forEach((score, i) => assertAlmostEquals(score, again[c].scores[i], 1e-3));
  }
  assert(whole > empty + 0.1, `the whole picture ${whole}, none ${empty}`);
  await assertRejects(
    () =>
      patchCurves(model, tokenizer, store, asked as unknown as StudiedQuestion[], {
        ...{ images: 1, batchSize: 4, seed: 1, signal: AbortSignal.abort(new Error("stopped")) },
      }),
    Error,
    "stopped",
  );
});
