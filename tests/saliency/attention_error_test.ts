/** What is drawn as attention must be attention, and depend on the picture: the closing checks of notebook 07. */
import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { attentionError, mapDistance, prefixLmMask } from "@lib/saliency/mod.ts";

/** Two layers of two heads over a prefix of two tokens and an answer of two: even weights on what the mask allows. */
const mask = prefixLmMask([1, 1, 0, 0], [1, 1, 1, 1]);
const even = () =>
  Float32Array.from(mask, (allowed, i) => {
    const row = Math.floor(i / 4);
    return allowed / mask.subarray(4 * row, 4 * row + 4).reduce((a, b) => a + b, 0);
  });
const layers = () => [[even(), even()], [even(), even()]];

Deno.test("attention sums to 1 and stays behind the mask; damage in one head of one layer is seen", () => {
  assertAlmostEquals(attentionError(layers(), mask), 0, 1e-6);
  const scaled = layers();
  scaled[1][0].set(scaled[1][0].map((weight) => 0.9 * weight));
  assertAlmostEquals(attentionError(scaled, mask), 0.1, 1e-6);
  const peeking = layers();
  peeking[0][1].set([0.25, 0.25, 0.25, 0.25]); // the first patch looks at the answer
  assertAlmostEquals(attentionError(peeking, mask), 0.25, 1e-6);
  assert(Number.isNaN(attentionError([], mask)), "nothing captured is no attention");
});

Deno.test("maps are compared by shape: 0 of equal ones, whatever their scale, 1 without a common patch", () => {
  const map = Float32Array.of(1, 3, 0, 0);
  assertEquals(mapDistance(map, map.map((x) => 5 * x)), 0);
  assertEquals(mapDistance(map, Float32Array.of(0, 0, 2, 2)), 1);
  assertEquals(mapDistance(map, Float32Array.of(3, 1, 0, 0)), 0.5);
});
