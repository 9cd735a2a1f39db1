import { clusterSums } from "./bootstrap.ts";
import { bisect, wilsonAt } from "./proportion.ts";
import { studentT975 } from "./student.ts";
import { type Interval, Z80, Z95 } from "./summary.ts";

/** Values of clusters (images, cases) and how their mean spreads. */
interface Spread {
  sums: Float64Array;
  counts: Float64Array;
  /** Values, and clusters. */
  n: number;
  clusters: number;
  mean: number;
  /** Of the sum of all values, from the spread between clusters. */
  variance: number;
  /** Sum of the clusters' squared sizes: `variance` of values of +1 or -1 that are equal within a cluster. */
  squares: number;
}

function spreadOf(
  values: ArrayLike<number>,
  clusters: readonly string[] | null,
  least: number,
  most = 1,
): Spread {
  const { sums, counts } = clusterSums(values, clusters), k = sums.length, n = values.length;
  if (n === 0) throw new RangeError("An interval needs at least one value; found none.");
  for (let i = 0; i < n; i++) {
    if (Number.isFinite(values[i]) && values[i] >= least && values[i] <= most + 1e-9) continue;
    throw new RangeError(`Expected values from ${least} to ${most}; found ${values[i]} at place ${i}.`);
  }
  const mean = sums.reduce((a, b) => a + b, 0) / n;
  let [variance, squares] = [0, 0];
  sums.forEach((sum, i) => {
    variance += (sum - mean * counts[i]) ** 2;
    squares += counts[i] ** 2;
  });
  return { sums, counts, n, clusters: k, mean, variance: k > 1 ? variance * k / (k - 1) : NaN, squares };
}

/** A share with its interval, and how many independent answers would tell as much. */
export interface ClusteredShare extends Interval {
  /** Number of independent answers that tell as much as these. */
  effective: number;
}

/**
 * 95 % interval of a share whose answers are alike within a cluster (an image, a case): Wilson's with the effective number
 * of answers n / d in place of n, and Student's t of the clusters in place of the normal distribution.
 *
 * d, the design effect, is the variance between clusters over that of independent answers. Where nearly all answers are
 * right it cannot be seen in the data, and a bootstrap of 14 right of 14 would print [1, 1]. It is therefore averaged over
 * the clusters that have an answer of the rarer kind and one more that is as bad as clusters can be (all its answers equal),
 * and is never less than 1. Coverage is measured in the tests.
 *
 * @param values from 0 to 1 (of several runs: an item's mean).
 * @param clusters the cluster of each value; null: every value is its own.
 * @throws when nothing is given, the lengths differ or a value lies outside [0, 1].
 * Source of the effective number: E. L. Korn, B. I. Graubard, Survey Methodology 1998;24:193-201.
 */
export function clusteredShare(
  values: ArrayLike<number>,
  clusters: readonly string[] | null,
): ClusteredShare {
  const { sums, counts, n, clusters: k, variance, squares, ...spread } = spreadOf(values, clusters, 0);
  const mean = Math.min(1, spread.mean);
  if (k === 1) return { estimate: mean, low: 0, high: 1, effective: 1 };
  const rarer = sums.reduce((c, sum, i) => c + Number((mean < 0.5 ? sum : counts[i] - sum) > 1e-9), 0);
  const worst = squares / n, seen = rarer > 0 ? variance / (n * mean * (1 - mean)) : worst;
  const effective = n / Math.max(1, (rarer * seen + worst) / (rarer + 1));
  return { ...wilsonAt(mean, effective, studentT975(k - 1)), effective };
}

/** The clusters' variance with that of one more item on which the two differ, half of it for either side. */
const withOneMore = ({ variance, squares, n }: Spread) => variance + squares / n;

/**
 * 95 % interval of a mean of paired differences that are alike within a cluster: Student's t of the clusters.
 *
 * Two systems that never differ are not proven equal. As Agresti and Min do (Statistics in Medicine 2005;24:729-740), half an
 * item that only the first and half an item that only the second has right are added to the variance, here with the design
 * effect of clusters whose items are all equal.
 *
 * @param differences from -1 to 1: second minus first of each item.
 * @param clusters the cluster of each; null: every one is its own.
 * @throws when nothing is given, the lengths differ or a value lies outside [-1, 1].
 */
export function clusteredDifference(
  differences: ArrayLike<number>,
  clusters: readonly string[] | null,
): Interval {
  const spread = spreadOf(differences, clusters, -1), { n, clusters: k, mean } = spread;
  if (k === 1) return { estimate: mean, low: -1, high: 1 };
  const half = studentT975(k - 1) * Math.sqrt(withOneMore(spread)) / n;
  return { estimate: mean, low: Math.max(-1, mean - half), high: Math.min(1, mean + half) };
}

/**
 * 95 % interval of a mean of measurements that are alike within a cluster: Student's t of the clusters, which covers with two
 * dozen of them too, where resampling clusters (`bootstrapInterval`) is too narrow.
 *
 * @param values finite, of any unit
 * @param clusters the cluster of each; null: every one is its own.
 * @throws when nothing is given, the lengths differ or a value is not finite.
 */
export function clusteredMean(values: ArrayLike<number>, clusters: readonly string[] | null): Interval {
  const { n, clusters: k, mean, variance } = spreadOf(values, clusters, -Infinity, Infinity);
  const half = k > 1 ? studentT975(k - 1) * Math.sqrt(variance) / n : Infinity;
  return { estimate: mean, low: mean - half, high: mean + half };
}

/**
 * The smallest mean difference that `signFlipTest` of differences such as these finds with 80 % power at 5 %, by normal
 * approximation: under the null every cluster's sum, its share of the difference included, changes its sign.
 *
 * @returns Infinity where even a difference of 1 stays undetected, as with fewer than six clusters: of two to the fifth signs
 * two are the extreme ones, 6 %.
 * @throws as `clusteredDifference`.
 */
export function detectableDifference(
  differences: ArrayLike<number>,
  clusters: readonly string[] | null,
): number {
  const spread = spreadOf(differences, clusters, -1), { n, squares } = spread;
  if (spread.clusters < 6) return Infinity;
  const variance = withOneMore(spread);
  return bisect(
    (d) => d * n - Z95 * Math.sqrt(variance + d * d * squares) - Z80 * Math.sqrt(variance),
    0,
    1,
  );
}
