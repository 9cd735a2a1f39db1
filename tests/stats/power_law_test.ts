import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { rng } from "@lib/config/mod.ts";
import { fitPowerLaw } from "@lib/stats/power_law.ts";

Deno.test("a power law is numpy's straight line through the logarithms, its interval Student's", () => {
  // numpy.polyfit(log(x), log(y), 1, cov=True): slope, exp(intercept), standard error; t of 3 degrees of freedom.
  const [slope, factor, error, t] = [
    1.0072307731003165,
    3.0433841541303885,
    0.021930298436113747,
    3.182446305284263,
  ];
  const fit = fitPowerLaw([[1, 3.1], [2, 5.8], [4, 13], [8, 24.1], [16, 49.9]]);
  assertAlmostEquals(fit.exponent.estimate, slope, 1e-12);
  assertAlmostEquals(fit.factor, factor, 1e-12);
  assertAlmostEquals(fit.exponent.high - slope, t * error, 1e-9);
  assertAlmostEquals(slope - fit.exponent.low, t * error, 1e-9);
});

Deno.test("intervals of 95 % hold the exponent in 95 % of all cases", () => {
  const random = rng("power law"),
    normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const trials = 4000;
  let held = 0;
  for (let trial = 0; trial < trials; trial++) {
    const { low, high } = fitPowerLaw(
      [2, 2, 4, 4, 8, 8, 16, 16].map((x) => [x, 5 * x ** 1.5 * Math.exp(0.1 * normal())]),
    ).exponent;
    held += Number(low <= 1.5 && 1.5 <= high);
  }
  assert(Math.abs(held / trials - 0.95) < 0.015, `${held} of ${trials}`);
});

Deno.test("two points have no spread; numbers not above 0, and a single x, are refused", () => {
  const { exponent } = fitPowerLaw([[1, 2], [2, 16]]);
  assertEquals([exponent.low, exponent.high], [-Infinity, Infinity]);
  assertAlmostEquals(exponent.estimate, 3, 1e-12);
  assertThrows(() => fitPowerLaw([[1, 2], [2, 0]]), RangeError, "found the point (2, 0)");
  assertThrows(() => fitPowerLaw([[3, 1], [3, 2]]), RangeError, "two different x");
});
