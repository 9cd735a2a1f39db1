/** Equation 1: the fit against scipy's, and on laws that are known. */
import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { rng } from "@lib/config/mod.ts";
import {
  fitScalingLaw,
  isCompatible,
  scalingLoss,
  type ScalingPoint,
  solveLaw,
} from "../../lib/stats/scaling_law.ts";

const TRUE = { A: 6, alpha: 0.35, beta: 0.3, E: 0.4 };

/** Losses of a law at sizes and token counts, twice each, with normal noise. */
function simulate(seed: number, noise: number, law = TRUE, sizes = 4, counts = 4): ScalingPoint[] {
  const random = rng(`scaling/${seed}`);
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  return Array.from({ length: 2 * sizes * counts }, (_, i) => {
    const parameters = 1000 * 2 ** (i % sizes), tokens = 1000 * 2 ** (Math.floor(i / sizes) % counts);
    return { parameters, tokens, loss: scalingLoss(law, parameters, tokens) + noise * normal() };
  });
}

Deno.test("the least squares equal scipy's", async () => {
  const { laws } = JSON.parse(await Deno.readTextFile(new URL("fixtures/reference.json", import.meta.url)));
  for (const { points, alpha, beta, E, rms } of laws) {
    const fit = fitScalingLaw(
      points.map(([parameters, tokens, loss]: number[]) => ({ parameters, tokens, loss })),
    );
    assertAlmostEquals(fit.trainingError, rms, 1e-6);
    assertAlmostEquals(fit.law.alpha, alpha, 2e-3);
    assertAlmostEquals(fit.law.beta, beta, 2e-3);
    assertAlmostEquals(fit.law.E, E, 1e-2);
    assert(fit.pointOut.law < fit.pointOut.constant);
    assert(fit.intervals.beta.low <= fit.law.beta && fit.law.beta <= fit.intervals.beta.high);
    assertEquals(fit.held, new Set(points.map((p: number[]) => p[0])).size > 1 ? [] : ["alpha"]);
  }
});

Deno.test("intervals of simulated laws hold the truth in about 95 of 100 cases", () => {
  const trials = 120, covered = { alpha: 0, beta: 0, E: 0 };
  for (let seed = 0; seed < trials; seed++) {
    const points = simulate(seed, 0.004), best = solveLaw(points, {}, TRUE);
    for (const name of ["alpha", "beta", "E"] as const) {
      if (isCompatible(points, best, name, TRUE[name])) covered[name]++;
    }
  }
  // 95 % of 120 is 114; four standard deviations below are 104.5.
  for (const [name, n] of Object.entries(covered)) assert(n >= 105, `${name}: ${n} of ${trials}`);
});

Deno.test("an interval ends where the law begins to fit worse than by chance, and a law that is there is found without a warning", () => {
  const points = simulate(1, 0.001), fit = fitScalingLaw(points), best = solveLaw(points);
  for (const name of ["alpha", "beta", "E"] as const) {
    const { low, high } = fit.intervals[name], range = name === "E" ? 0.3 : 5;
    assert(low < TRUE[name] && TRUE[name] < high, `${name}: [${low}, ${high}]`);
    assert(isCompatible(points, best, name, low) && isCompatible(points, best, name, high));
    assert(!isCompatible(points, best, name, low - 1e-3 * range));
    assert(!isCompatible(points, best, name, high + 1e-3 * range));
  }
  assertEquals(fit.warnings, []);
  assert(fit.sizeOut!.law < 0.2 * fit.sizeOut!.constant);
});

Deno.test("what the points cannot tell is said", () => {
  const flat = fitScalingLaw(simulate(3, 0.004, { ...TRUE, alpha: 0, A: 2 }));
  assert(flat.warnings.includes("alpha cannot be told from 0."), flat.warnings.join(" "));
  const noise = fitScalingLaw(simulate(4, 0.05, { A: 1e-9, alpha: 0.1, beta: 0.1, E: 1 }));
  assert(noise.warnings.some((text) => text.startsWith("E")), noise.warnings.join(" "));
  assert(!(noise.sizeOut!.law < 0.9 * noise.sizeOut!.constant), "noise is no law");
  const two = fitScalingLaw(simulate(5, 0.004, TRUE, 2, 4));
  assert(two.warnings.includes("alpha rests on two sizes: any two can be joined."));
  assertEquals(two.sizeOut, null);
  const three = simulate(8, 0.004, TRUE, 3, 2);
  assert(fitScalingLaw(three).sizeOut!.law < 0.5, "three sizes can be left out one at a time");
  // Two values of one variable are enough where the other has one.
  for (const [sizes, counts, held] of [[2, 1, "beta"], [1, 2, "alpha"]] as const) {
    const points = [1, 2, 3].flatMap((seed) => simulate(seed, 0.001, TRUE, sizes, counts));
    assertEquals(fitScalingLaw(points).held, [held]);
  }
  const one = fitScalingLaw(simulate(6, 0.004, TRUE, 1, 4));
  assert(one.warnings.includes("alpha was not fitted: there is one value of its variable."));
});

Deno.test("five runs without noise to speak of leave one degree of freedom, which is enough", () => {
  const points = [[1, 1], [4, 1], [16, 4], [1, 16], [16, 16]].map(([size, count]) => {
    const parameters = 1000 * size, tokens = 1000 * count;
    return { parameters, tokens, loss: scalingLoss(TRUE, parameters, tokens) + 1e-5 * (size % 5 - 1) };
  });
  const { intervals, warnings } = fitScalingLaw(points);
  assertEquals(warnings, []);
  for (const name of ["alpha", "beta", "E"] as const) {
    assert(intervals[name].low < TRUE[name] && TRUE[name] < intervals[name].high, name);
  }
});

Deno.test("points that cannot determine a law are refused", () => {
  const point = { parameters: 10, tokens: 10, loss: 1 };
  assertThrows(() => fitScalingLaw([point]), RangeError, "at least five");
  assertThrows(() => fitScalingLaw(Array(6).fill(point)), RangeError, "different sizes");
});
