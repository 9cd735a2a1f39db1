import { rng } from "../config/mod.ts";
import { type Interval, quantileOfSorted } from "./summary.ts";

/** Resamples of every interval: fewer are unstable from run to run. */
export const RESAMPLES = 10_000;

/**
 * 95% percentile interval of a statistic of column totals, resampling whole clusters with replacement.
 *
 * A cluster brings one number per column (for a mean: its sum and its count), so that a resample costs one addition per
 * column and drawn cluster.
 *
 * @param columns one array per column, each with one number per cluster.
 * @param statistic from the column totals to a number; resamples where it is NaN are left out.
 * @throws when there is no cluster.
 */
export function bootstrapTotals(
  columns: readonly ArrayLike<number>[],
  statistic: (totals: Float64Array) => number,
  seed: number | string,
): Interval {
  const clusters = columns[0].length;
  if (clusters === 0) throw new RangeError("A bootstrap needs at least one cluster; found none.");
  const width = columns.length;
  const rows = new Float64Array(clusters * width);
  const totals = new Float64Array(width);
  columns.forEach((column, c) => {
    for (let i = 0; i < clusters; i++) {
      rows[i * width + c] = column[i];
      totals[c] += column[i];
    }
  });
  const estimate = statistic(totals);
  const random = rng(seed);
  const draws = new Float64Array(RESAMPLES);
  let kept = 0;
  for (let r = 0; r < RESAMPLES; r++) {
    totals.fill(0);
    for (let i = 0; i < clusters; i++) {
      const at = Math.floor(random() * clusters) * width;
      for (let c = 0; c < width; c++) totals[c] += rows[at + c];
    }
    const value = statistic(totals);
    if (!Number.isNaN(value)) draws[kept++] = value;
  }
  const sorted = draws.subarray(0, kept).sort();
  return { estimate, low: quantileOfSorted(sorted, 0.025), high: quantileOfSorted(sorted, 0.975) };
}

/**
 * 95% percentile bootstrap interval of the mean of values, resampling clusters (images, cases) with their values, because
 * questions about one image are not independent. For means of measurements; of shares near 0 or 1 it does not cover
 * (`clusteredShare`, `clusteredDifference`).
 *
 * @param clusters the cluster of each value; null: every value is its own.
 * @throws when nothing is given or the lengths differ.
 *
 * @example Four answers about three images
 * ```ts
 * import { assert } from "@std/assert";
 * import { bootstrapInterval } from "@lib/stats/mod.ts";
 *
 * const { estimate, low, high } = bootstrapInterval([1, 1, 0, 1], ["a", "a", "b", "c"], "seed");
 * assert(estimate === 0.75 && low < estimate && high === 1);
 * ```
 */
export function bootstrapInterval(
  values: ArrayLike<number>,
  clusters: readonly string[] | null,
  seed: number | string,
): Interval {
  const { sums, counts } = clusterSums(values, clusters);
  return bootstrapTotals([sums, counts], (t) => t[0] / t[1], seed);
}

/** Sum and count of the values of each cluster, in order of first appearance. */
export function clusterSums(
  values: ArrayLike<number>,
  clusters: readonly string[] | null,
): { sums: Float64Array; counts: Float64Array } {
  if (!clusters) return { sums: Float64Array.from(values), counts: new Float64Array(values.length).fill(1) };
  if (clusters.length !== values.length) {
    throw new RangeError(`Expected one cluster per value; found ${clusters.length} for ${values.length}.`);
  }
  const order = new Map<string, number>();
  for (const cluster of clusters) if (!order.has(cluster)) order.set(cluster, order.size);
  const sums = new Float64Array(order.size);
  const counts = new Float64Array(order.size);
  clusters.forEach((cluster, i) => {
    const at = order.get(cluster)!;
    sums[at] += values[i];
    counts[at] += 1;
  });
  return { sums, counts };
}
