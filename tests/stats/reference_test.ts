import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import {
  bootstrapInterval,
  cohenKappa,
  comparePaired,
  holm,
  mcnemarExact,
  signFlipTest,
  smallestDetectableDifference,
  std,
  wilsonInterval,
} from "../../lib/stats/mod.ts";
import { newcombePaired } from "../../lib/stats/paired.ts";

// deno-lint-ignore no-explicit-any -- a file of numbers, checked by the tests themselves
const reference: any = JSON.parse(
  Deno.readTextFileSync(new URL("./fixtures/reference.json", import.meta.url)),
);

Deno.test("Wilson intervals equal statsmodels'", () => {
  for (const [k, n, low, high] of reference.wilson) {
    const ours = wilsonInterval(k, n);
    assertAlmostEquals(ours.low, low, 1e-12);
    assertAlmostEquals(ours.high, high, 1e-12);
  }
  assertThrows(() => wilsonInterval(5, 4), RangeError, "5 of 4");
});

Deno.test("McNemar's exact test equals statsmodels'", () => {
  for (const [b, c, p] of reference.mcnemar) assertAlmostEquals(mcnemarExact(b, c), p, 1e-10);
});

Deno.test("the sign-flip test equals scipy's, exactly for few clusters, and flips clusters whole", () => {
  for (const [sums, p] of reference.sign_flip) {
    assertAlmostEquals(signFlipTest(sums, null, 3), p, 2 ** sums.length <= 10_000 ? 1e-12 : 0.004);
    const halves = sums.flatMap((x: number) => [x / 2, x / 2]);
    const clusters = halves.map((_: number, i: number) => `${Math.floor(i / 2)}`);
    assertAlmostEquals(signFlipTest(halves, clusters, 3), signFlipTest(sums, null, 3), 1e-12);
  }
  assertEquals(signFlipTest([0, 0, 0], null, 0), 1);
  assertThrows(() => signFlipTest([], null, 0), RangeError, "at least one");
});

Deno.test("Newcombe's paired interval equals an independent computation and the published example", () => {
  for (const [a, b, c, d, low, high] of reference.newcombe) {
    const ours = newcombePaired({ both: a, onlyFirst: b, onlySecond: c, neither: d });
    assertAlmostEquals(ours.low, low, 1e-12);
    assertAlmostEquals(ours.high, high, 1e-12);
  }
  // Airway hyper-responsiveness before and after transplantation (Fagerland, Lydersen, Laake 2014).
  const published = newcombePaired({ both: 1, onlyFirst: 1, onlySecond: 7, neither: 12 });
  assertEquals([published.low.toFixed(3), published.high.toFixed(3)], ["-0.507", "-0.026"]);
});

Deno.test("Holm's correction equals statsmodels'", () => {
  for (const [p, expected] of reference.holm) {
    holm(p).forEach((value, i) => assertAlmostEquals(value, expected[i], 1e-12));
  }
});

Deno.test("Cohen's kappa and its interval equal statsmodels'", () => {
  for (const { first, second, kappa, low, high } of reference.kappa) {
    const ours = cohenKappa(first, second).kappa;
    assertAlmostEquals(ours.estimate, kappa, 1e-12);
    assertAlmostEquals(ours.low, low, 1e-6);
    assertAlmostEquals(ours.high, high, 1e-6);
  }
  assert(Number.isNaN(cohenKappa(["a", "a"], ["a", "a"]).kappa.estimate));
  for (const [first, second] of [[["a"], []], [[], ["a"]], [[], []]]) {
    assertThrows(() => cohenKappa(first, second), RangeError, `found ${first.length} and ${second.length}`);
  }
});

Deno.test("The smallest detectable difference equals inverting statsmodels' power", () => {
  for (const [n, baseline, d] of reference.detectable) {
    assertAlmostEquals(smallestDetectableDifference(n, baseline), d, 2e-3);
  }
  assertEquals(smallestDetectableDifference(5, 0.9), Infinity);
  // Shares of 0 and d have the variances 0 and d (1 - d), and the pooled share is d / 2.
  const rise = smallestDetectableDifference(200, 0);
  const power = (rise - 1.959964 * Math.sqrt(rise * (1 - rise / 2) / 200)) /
    Math.sqrt(rise * (1 - rise) / 200);
  assertAlmostEquals(power, 0.841621, 1e-5);
  assertThrows(() => smallestDetectableDifference(200, 1), RangeError, "baseline = 1");
});

Deno.test("A bootstrap of independent answers gives the binomial percentiles", () => {
  const [n, k, low, high] = reference.binomial_percentiles;
  const ours = bootstrapInterval(Array.from({ length: n }, (_, i) => (i < k ? 1 : 0)), null, 1);
  assertAlmostEquals(ours.low, low, 1 / n + 1e-9);
  assertAlmostEquals(ours.high, high, 1 / n + 1e-9);
});

Deno.test("A bootstrap by cluster gives scipy's interval and is wider than one that ignores clusters", () => {
  const { values, clusters, low, high } = reference.clustered;
  const ours = bootstrapInterval(values, clusters, 3);
  assertAlmostEquals(ours.low, low, 0.01);
  assertAlmostEquals(ours.high, high, 0.01);
  const naive = bootstrapInterval(values, null, 3);
  assert(ours.high - ours.low > 1.3 * (naive.high - naive.low));
  assertEquals(bootstrapInterval(values, clusters, 3), ours);
});

Deno.test("10,000 resamples of 2,000 items in 600 clusters take under two seconds", () => {
  const values = Array.from({ length: 2000 }, (_, i) => i % 3 ? 1 : 0);
  const clusters = values.map((_, i) => `image${i % 600}`);
  const start = performance.now();
  bootstrapInterval(values, clusters, 0);
  const seconds = (performance.now() - start) / 1000;
  assert(seconds < 2, `took ${seconds} s`);
});

Deno.test("Two systems on the same items: counts, difference, intervals and test belong together", () => {
  const first = [1, 1, 1, 0, 1, 1, 0, 1];
  const second = [1, 0, 0, 0, 1, 0, 1, 1];
  const result = comparePaired(first, second);
  assertEquals(result.counts, { both: 3, onlyFirst: 3, onlySecond: 1, neither: 1 });
  assertAlmostEquals(result.difference.estimate, 0.25, 1e-12);
  assertEquals(result.pValue, mcnemarExact(3, 1));
  assertThrows(() => comparePaired([1], [0.5]), RangeError, "0.5");
  assertThrows(() => comparePaired([], []), RangeError);
});

Deno.test("The standard deviation is the sample's", () => {
  assertAlmostEquals(std([2, 4, 4, 4, 5, 5, 7, 9]), 2.138089935299395, 1e-12);
  assertAlmostEquals(std([3, 5]), Math.SQRT2, 1e-12);
  assertEquals([std([3]), std([])], [0, NaN]);
});
