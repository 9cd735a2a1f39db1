/** Intervals of clustered shares and differences: coverage where a bootstrap fails, edges, trials, and what a test can find. */
import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { rng } from "@lib/config/mod.ts";
import {
  bootstrapInterval,
  clusteredDifference,
  clusteredKappa,
  clusteredMean,
  clusteredShare,
  cohenKappa,
  detectableDifference,
  type Interval,
  mean,
  signFlipTest,
  std,
  wilsonInterval,
} from "@lib/stats/mod.ts";
import { acrossTrials } from "@lib/stats/trials.ts";
import { studentT975 } from "@lib/stats/student.ts";

/** Degrees of freedom and 95 % points by scipy.stats.t.ppf (scipy 1.17.1). */
const T975 = [
  [1, 12.706204736174694],
  [2, 4.302652729749462],
  [3, 3.1824463052837078],
  [4, 2.7764451051977934],
  [7, 2.364624251592784],
  [12, 2.1788128296672284],
  [99, 1.9842169515864174],
  [1000, 1.9623390808264083],
];

Deno.test("Student's t equals scipy's", () => {
  for (const [degrees, point] of T975) assertAlmostEquals(studentT975(degrees), point, 1e-9 * point);
  assertEquals(studentT975(0), Infinity);
});

/**
 * Answers of a system that is right with chance p on the whole: an image is all easy or all hard for it (a share `alike` of
 * the images), or its questions are answered independently. Two systems share the luck of a question with chance `together`.
 */
function draw(
  random: () => number,
  images: number,
  perImage: number,
  [p, q]: readonly [number, number],
  alike: number,
  together = 0,
) {
  const clusters: string[] = [], first: number[] = [], second: number[] = [];
  for (let i = 0; i < images; i++) {
    const size = 1 + Math.floor(random() * (2 * perImage - 1)), whole = random() < alike ? random() : null;
    for (let j = 0; j < size; j++) {
      const luck = whole ?? random(), other = random() < together ? luck : whole ?? random();
      clusters.push(`${i}`);
      first.push(Number(luck < p));
      second.push(Number(other < q));
    }
  }
  return { clusters, first, second };
}

/** Share of intervals that hold the truth. */
function coverage(draws: number, truth: number, interval: (random: () => number) => Interval): number {
  const random = rng(`coverage/${truth}`);
  let held = 0;
  for (let i = 0; i < draws; i++) {
    const { low, high } = interval(random);
    if (low <= truth + 1e-12 && high >= truth - 1e-12) held++;
  }
  return held / draws;
}

Deno.test("the interval of a share covers, at the edge too, where resampling images covers half", () => {
  const failed: string[] = [];
  for (const [images, perImage] of [[13, 1], [17, 1], [17, 4], [40, 3], [100, 2]]) {
    for (const p of [0.5, 0.8, 0.95, 0.98]) {
      for (const alike of [0, 0.7]) {
        const found = coverage(400, p, (random) => {
          const { first, clusters } = draw(random, images, perImage, [p, p], alike);
          return clusteredShare(first, clusters);
        });
        if (found < 0.92) failed.push(`${images} images of ${perImage}, ${p}, ${alike}: ${found}`);
      }
    }
  }
  assertEquals(failed, []);
  const bootstrap = coverage(60, 0.98, (random) => {
    const { first, clusters } = draw(random, 17, 1, [0.98, 0.98], 0);
    return bootstrapInterval(first, clusters, 1);
  });
  assert(bootstrap < 0.6, `${bootstrap}`);
});

Deno.test("the interval of a difference covers, and equal systems are never said to be exactly equal", () => {
  const failed: string[] = [];
  for (const [images, perImage] of [[17, 1], [17, 4], [40, 3], [100, 2]]) {
    for (const shares of [[0.5, 0.5], [0.8, 0.8], [0.98, 0.98], [0.9, 0.3], [0.98, 0.5]] as const) {
      for (const [alike, together] of [[0, 0.8], [0.5, 0.3], [0, 1]]) {
        const truth = shares[0] - shares[1];
        const found = coverage(300, truth, (random) => {
          const { first, second, clusters } = draw(random, images, perImage, shares, alike, together);
          return clusteredDifference(first.map((x, i) => x - second[i]), clusters);
        });
        if (found < 0.925) {
          failed.push(`${images} of ${perImage}, ${shares}, ${alike}, ${together}: ${found}`);
        }
      }
    }
  }
  assertEquals(failed, []);
  const { low, high } = clusteredDifference(new Float64Array(200), null);
  assert(low < -0.005 && high > 0.005, `[${low}, ${high}]`);
});

Deno.test("14 of 14 is no [1, 1]; one image says nothing; a whole image counts as one answer", () => {
  const ones = (n: number) => new Float64Array(n).fill(1);
  const all = clusteredShare(ones(14), null);
  assert(all.low > 0.7 && all.low < wilsonInterval(14, 14).low && all.high === 1, `${all.low}`);
  assertEquals(clusteredShare(ones(5), Array(5).fill("one")), { estimate: 1, low: 0, high: 1, effective: 1 });
  assertEquals(clusteredDifference(ones(5), Array(5).fill("one")), { estimate: 1, low: -1, high: 1 });
  const whole = Array.from({ length: 40 }, (_, i) => i % 8 < 4 ? 1 : 0),
    images = whole.map((_, i) => `${i >> 2}`);
  assertAlmostEquals(clusteredShare(whole, images).effective, 10, 1);
  const apart = clusteredShare(whole, null), together = clusteredShare(whole, images);
  assert(together.high - together.low > 1.5 * (apart.high - apart.low));
  assert(apart.effective <= 40, "fractions and luck never count for more answers than there are");
  assertThrows(() => clusteredShare([], null), RangeError, "found none");
  assertThrows(() => clusteredShare([1.5], null), RangeError, "found 1.5 at place 0");
  assertThrows(() => clusteredDifference([-2, 0], null), RangeError, "found -2");
});

Deno.test("of many independent answers the intervals are the common ones, no wider", () => {
  const random = rng("many"), n = 4000, shares: number[] = [], differences: number[] = [];
  for (let i = 0; i < n; i++) {
    shares.push(Number(random() < 0.3));
    differences.push([-1, 0, 0, 1][Math.floor(random() * 4)]);
  }
  const right = shares.reduce((sum, x) => sum + x, 0);
  const cases = [
    [clusteredShare(shares, null), wilsonInterval(right, n)],
    ...[shares, differences].map((values) => {
      const estimate = mean(values), half = 1.96 * std(values) / Math.sqrt(n);
      return [clusteredDifference(values, null), { estimate, low: estimate - half, high: estimate + half }];
    }),
  ];
  for (const [own, common] of cases) {
    assertAlmostEquals(own.estimate, common.estimate, 1e-12);
    assertAlmostEquals(own.low, common.low, 1e-4);
    assertAlmostEquals(own.high, common.high, 1e-4);
  }
  // Student's one-sample interval of 1, 2, 3, 6: 3 -+ 3.182446 * 2.160247 / 2.
  const four = clusteredMean([1, 2, 3, 6], null);
  assertAlmostEquals(four.low, -0.437434, 1e-5);
  assertAlmostEquals(four.high, 6.437434, 1e-5);
});

Deno.test("the sign-flip test finds the detectable difference in four cases of five", () => {
  const random = rng("power"), n = 120, images = Array.from({ length: n }, (_, i) => `${i >> 1}`);
  // On a fifth of the items the systems differ; a gain makes more of these the second's.
  const differences = (gain: number) =>
    images.map(() => {
      const luck = random();
      return luck < 0.1 + gain / 2 ? 1 : luck < 0.2 ? -1 : 0;
    });
  const detectable = mean(Array.from({ length: 20 }, () => detectableDifference(differences(0), images)));
  let found = 0;
  for (let i = 0; i < 80; i++) if (signFlipTest(differences(detectable), images, i) < 0.05) found++;
  assert(found / 80 > 0.62 && found / 80 < 0.95, `${found} of 80`);
  assert(detectable > 0.05 && detectable < 0.2, `${detectable}`);
  // Of five images the sign-flip test finds nothing, of six a difference of 1.
  for (const [images, found] of [[1, false], [5, false], [6, true], [12, true]] as const) {
    const clusters = Array.from({ length: 10 * images }, (_, i) => `${i % images}`),
      all = clusters.map(() => 1);
    assertEquals(Number.isFinite(detectableDifference(all.map((_, i) => i % 20 ? 0 : 1), clusters)), found);
    assertEquals(signFlipTest(all, clusters, 1) < 0.05, found);
  }
});

Deno.test("trials are the random unit: the interval of three is far wider than that of their questions", () => {
  // Stage 2 with minus without stage 1, lesions: results/bench/adaptation.json.
  const of = (estimate: number, discordant: number) => ({
    estimate,
    variance: (discordant + 1 - 500 * estimate ** 2) / 500 ** 2,
  });
  const three = acrossTrials([of(-0.08, 100), of(0, 70), of(-0.006, 79)]);
  assertAlmostEquals(three.mean.estimate, -0.0287, 1e-4);
  assertAlmostEquals(three.mean.low, -0.139, 1e-3);
  assertAlmostEquals(three.mean.high, 0.082, 1e-3);
  // By numpy; the chance of a chi-square of two degrees is exp(-q / 2).
  assertAlmostEquals(three.q, 11.05664152131762, 1e-9);
  assertAlmostEquals(three.p, 0.0039726545288642535, 1e-12);
  assertAlmostEquals(three.unexplained, 0.8191132455417023, 1e-9);
  const alike = acrossTrials([of(0.1, 100), of(0.1, 100)]);
  assert(alike.q < 1e-20 && alike.p > 0.999999 && alike.unexplained === 0);
  const one = acrossTrials([of(0.1, 100)]);
  assertEquals([one.mean.low, one.mean.high, one.sd, one.p, one.unexplained], [NaN, NaN, NaN, 1, 0]);
  const two = acrossTrials([of(0.1, 100), of(0.3, 100)]);
  assertAlmostEquals(two.sd, 0.1 * Math.SQRT2, 1e-12);
  assert(two.unexplained > 0.9, `${two.unexplained}`);
  const near = acrossTrials([of(0.1, 100), of(0.11, 100)]); // nearer than their questions explain
  assert(near.q > 0.05 && near.q < 0.95, `${near.q}`);
  assertEquals(near.unexplained, 0);
  assertThrows(() => acrossTrials([]), RangeError, "found none");
  assertThrows(() => acrossTrials([{ estimate: 0, variance: 0 }]), RangeError, "found 0");
});

Deno.test("the interval of a mean of measurements covers with two dozen images; resampled ones are narrower", () => {
  const normal = (random: () => number) =>
    Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const clusters = Array.from({ length: 72 }, (_, i) => `${Math.floor(i / 3)}`);
  const measured = (random: () => number) => {
    const ofImage = Array.from({ length: 24 }, () => normal(random));
    return clusters.map((image) => 5 + ofImage[Number(image)] + 0.5 * normal(random));
  };
  const found = coverage(2000, 5, (random) => clusteredMean(measured(random), clusters));
  assert(found > 0.935 && found < 0.965, `${found}`);
  const values = measured(rng("narrower")), own = clusteredMean(values, clusters);
  const resampled = bootstrapInterval(values, clusters, 1);
  assertAlmostEquals(own.estimate, resampled.estimate, 1e-12);
  assert(resampled.high - resampled.low < 0.98 * (own.high - own.low));
  assertEquals(clusteredMean([3, 5], ["a", "a"]), { estimate: 4, low: -Infinity, high: Infinity });
  assertThrows(() => clusteredMean([1, NaN], null), RangeError, "found NaN at place 1");
});

Deno.test("intervals over trials cover when trials differ by more than their questions", () => {
  const normal = (random: () => number) =>
    Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const found = coverage(2000, 0.1, (random) => {
    const trials = [0, 1, 2].map(() => ({ estimate: 0.1 + 0.05 * normal(random), variance: 1e-4 }));
    return acrossTrials(trials).mean;
  });
  assert(found > 0.93 && found < 0.97, `${found}`);
});

/** Verdicts of a judge that is right with a chance for right and for wrong answers; a share of the clusters has one luck. */
function judgedItems(
  random: () => number,
  clusters: number,
  size: number,
  [sensitivity, specificity]: readonly [number, number],
  alike: number,
) {
  const truth: string[] = [], said: string[] = [], names: string[] = [];
  for (let c = 0; c < clusters; c++) {
    const whole = random() < alike ? random() : null;
    for (let i = 0; i < size; i++) {
      const correct = (c * size + i) % 5 < 2, luck = whole ?? random();
      truth.push(String(correct));
      said.push(String(luck < (correct ? sensitivity : specificity) ? correct : !correct));
      names.push(`${c}`);
    }
  }
  return { truth, said, names };
}

Deno.test("the interval of kappa covers: a judge by chance, a fair one, a good one, alone and in clusters", () => {
  const random = rng("kappa");
  const cases = [
    { rates: [0.5, 0.5], clusters: 60, size: 1, alike: 0 },
    { rates: [0.9, 0.1], clusters: 60, size: 1, alike: 0 },
    { rates: [0.8, 0.7], clusters: 100, size: 1, alike: 0 },
    { rates: [0.97, 0.97], clusters: 60, size: 1, alike: 0 },
    { rates: [0.8, 0.7], clusters: 50, size: 6, alike: 0.5 },
  ] as const;
  for (const { rates, clusters, size, alike } of cases) {
    const [sensitivity, specificity] = rates, q = 0.4, p = q * sensitivity + (1 - q) * (1 - specificity);
    const observed = q * sensitivity + (1 - q) * specificity, expected = p * q + (1 - p) * (1 - q);
    const truth = (observed - expected) / (1 - expected), draws = 400;
    const held = Array.from({ length: draws }).filter(() => {
      const items = judgedItems(random, clusters, size, rates, alike);
      const { low, high } = clusteredKappa(items.said, items.truth, items.names);
      return low <= truth && truth <= high;
    }).length;
    assert(held / draws >= 0.92, `${rates}: ${held} of ${draws}`);
  }
});

Deno.test("kappa in clusters: the estimate and, of many items, the interval are Cohen's; edges are no certainty", () => {
  const { said, truth, names } = judgedItems(rng("many"), 4000, 1, [0.8, 0.7], 0);
  const plain = cohenKappa(said, truth).kappa, own = clusteredKappa(said, truth, names);
  assertEquals(own.estimate, plain.estimate);
  assertAlmostEquals(own.low, plain.low, 0.001);
  assertAlmostEquals(own.high, plain.high, 0.001);
  assertEquals(clusteredKappa(said, truth, null), own);

  const perfect = truth.slice(0, 24), sure = clusteredKappa(perfect, perfect, null);
  assertEquals(sure.estimate, 1);
  assert(sure.low > 0.7 && sure.low < 0.9, `${sure.low}`);
  const always = clusteredKappa(perfect.map(() => "true"), perfect, null);
  assertEquals(always.estimate, 0);
  assert(always.low < 0 && always.high > 0);
  assert(Number.isNaN(clusteredKappa(["a", "a"], ["a", "a"], null).low));
  const one = clusteredKappa(["a", "b"], ["a", "b"], ["x", "x"]);
  assertEquals([one.estimate, one.low, one.high], [1, -1, 1]);
});
