import { rng } from "../config/mod.ts";
import { clusterSums, RESAMPLES } from "./bootstrap.ts";

/**
 * Two-sided p-value of paired differences whose mean would be zero: how often it is as far from zero when whole clusters
 * (images, cases) change their sign at random. All 2^n signs are tried where there are at most 10,000, else as many draws.
 *
 * Equal to scipy's `permutation_test(permutation_type="samples")` on the clusters' sums.
 *
 * @param clusters the cluster of each difference; null: every one is its own.
 * @throws when nothing is given or the lengths differ.
 */
export function signFlipTest(
  differences: ArrayLike<number>,
  clusters: readonly string[] | null,
  seed: number | string,
): number {
  const { sums } = clusterSums(differences, clusters), n = sums.length;
  if (n === 0) throw new RangeError("A test needs at least one difference; found none.");
  const observed = Math.abs(sums.reduce((total, x) => total + x, 0)), random = rng(seed);
  const exact = 2 ** n <= RESAMPLES, draws = exact ? 2 ** n : RESAMPLES;
  let asFar = 0;
  for (let r = 0; r < draws; r++) {
    let total = 0;
    for (let i = 0; i < n; i++) total += (exact ? (r >> i) & 1 : random() < 0.5) ? sums[i] : -sums[i];
    // Sums in another order differ in their last digits.
    if (Math.abs(total) >= observed - 1e-9 * (1 + observed)) asFar++;
  }
  return exact ? asFar / draws : (asFar + 1) / (draws + 1);
}
