import { assert, assertEquals } from "@std/assert";
import { canonicalJson, loadConfig, rng, sha256, shuffle } from "../../lib/config/mod.ts";
import { assertThrows } from "@std/assert";

Deno.test("the same seed gives the same stream, another seed another one", () => {
  const take = (seed: number | string) => Array.from({ length: 5 }, rng(seed));
  assertEquals(take(7), take(7));
  assert(take(7)[0] !== take(8)[0]);
  assert(take(7)[0] !== take("7")[0], "the number 7 and the text 7 are different seeds");
});

Deno.test("streams of neighbouring seeds are uniform and uncorrelated", () => {
  const n = 20_000;
  const a = rng(1), b = rng(2);
  let mean = 0, product = 0;
  for (let i = 0; i < n; i++) {
    const x = a() - 0.5, y = b() - 0.5;
    mean += x / n;
    product += x * y / n;
  }
  // Standard deviations are 0.289 / sqrt(n) and 1 / 12 / sqrt(n); five of them are allowed.
  assert(Math.abs(mean) < 5 * 0.289 / Math.sqrt(n), `mean ${mean}`);
  assert(Math.abs(product) < 5 / 12 / Math.sqrt(n), `covariance ${product}`);
});

Deno.test("shuffle keeps every item and changes the order", () => {
  const items = Array.from({ length: 50 }, (_, i) => i);
  const mixed = shuffle(items, rng("shuffle"));
  assertEquals([...mixed].sort((x, y) => x - y), items);
  assert(mixed.some((x, i) => x !== i));
});

Deno.test("canonical JSON does not depend on the order of keys", () => {
  assertEquals(
    canonicalJson({ b: [1, { d: 1, c: null }], a: "x" }),
    canonicalJson({ a: "x", b: [1, { c: null, d: 1 }] }),
  );
});

Deno.test("SHA-256 equals the published value for abc", () => {
  assertEquals(sha256("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
});

Deno.test("the scale comes from the environment, and a wrong one is refused with the choices", () => {
  assertEquals(loadConfig({}).scale, "tiny");
  assertEquals(loadConfig({ SCALE: "full", LIMIT: "8" }).limit, 8);
  assertThrows(() => loadConfig({ SCALE: "huge" }), Error, '"tiny" or "full"');
  assertThrows(() => loadConfig({ LIMIT: "some" }), Error, "whole number");
});
