import { wilsonInterval } from "./proportion.ts";
import type { Interval } from "./summary.ts";

/** How two systems compare on the same independent items (each on an image of its own). */
export interface PairedComparison {
  /** Items that both answered. */
  items: number;
  /** Both right, only the first, only the second, neither. */
  counts: { both: number; onlyFirst: number; onlySecond: number; neither: number };
  /** Share right of the first minus that of the second, Newcombe's interval. */
  difference: Interval;
  /** Exact McNemar test, two-sided. */
  pValue: number;
}

/**
 * Exact (binomial) two-sided p-value of McNemar's test.
 *
 * @param onlyFirst items that only the first system has right; `onlySecond` likewise.
 * Equal to statsmodels' `mcnemar(exact=True)`.
 */
export function mcnemarExact(onlyFirst: number, onlySecond: number): number {
  const n = onlyFirst + onlySecond;
  const fewer = Math.min(onlyFirst, onlySecond);
  let logTerm = -n * Math.LN2;
  let tail = 0;
  for (let k = 0; k <= fewer; k++) {
    tail += Math.exp(logTerm);
    logTerm += Math.log((n - k) / (k + 1));
  }
  return Math.min(1, 2 * tail);
}

/**
 * 95% interval of the difference of two paired shares: Wilson limits of both, combined with their correlation.
 *
 * Source: R. G. Newcombe, Statistics in Medicine 1998;17:2635-2650, method 10.
 */
export function newcombePaired(counts: PairedComparison["counts"]): Interval {
  const { both: a, onlyFirst: b, onlySecond: c, neither: d } = counts;
  const n = a + b + c + d;
  const first = wilsonInterval(a + b, n);
  const second = wilsonInterval(a + c, n);
  const margins = (a + b) * (c + d) * (a + c) * (b + d);
  const product = a * d - b * c;
  const corrected = product > n / 2 ? product - n / 2 : product >= 0 ? 0 : product;
  const phi = margins === 0 ? 0 : corrected / Math.sqrt(margins);
  const combine = (x: number, y: number) => Math.sqrt(Math.max(0, x * x - 2 * phi * x * y + y * y));
  const estimate = (b - c) / n;
  return {
    estimate,
    low: estimate - combine(first.estimate - first.low, second.high - second.estimate),
    high: estimate + combine(first.high - first.estimate, second.estimate - second.low),
  };
}

/**
 * Compares two systems that answered the same items, each on an image of its own; where images have several questions, see
 * `clusteredDifference`.
 *
 * @param first right (1) or wrong (0) per item; `second` likewise, in the same order.
 * @throws when the lengths differ, nothing is given or a value is neither 0 nor 1.
 *
 * @example Two systems on the same four items
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { comparePaired } from "@lib/stats/mod.ts";
 *
 * const { counts, difference, pValue } = comparePaired([1, 1, 1, 0], [1, 0, 0, 0]);
 * assertEquals(counts, { both: 1, onlyFirst: 2, onlySecond: 0, neither: 1 });
 * assertEquals([difference.estimate, pValue.toFixed(2)], [0.5, "0.50"]);
 * ```
 */
export function comparePaired(first: readonly number[], second: readonly number[]): PairedComparison {
  if (first.length !== second.length || first.length === 0) {
    throw new RangeError(
      `Expected the same items for both systems, at least one; found ${first.length} and ${second.length}.`,
    );
  }
  const counts = { both: 0, onlyFirst: 0, onlySecond: 0, neither: 0 };
  first.forEach((x, i) => {
    const y = second[i];
    if ((x !== 0 && x !== 1) || (y !== 0 && y !== 1)) {
      throw new RangeError(`Expected 0 or 1 per item; found ${x} and ${y} at item ${i}.`);
    }
    counts[x ? (y ? "both" : "onlyFirst") : y ? "onlySecond" : "neither"]++;
  });
  return {
    items: first.length,
    counts,
    difference: newcombePaired(counts),
    pValue: mcnemarExact(counts.onlyFirst, counts.onlySecond),
  };
}

/**
 * Holm's correction of p-values for several comparisons; same order as given.
 *
 * Equal to statsmodels' `multipletests(method="holm")`.
 */
export function holm(pValues: readonly number[]): number[] {
  const order = pValues.map((_, i) => i).sort((i, j) => pValues[i] - pValues[j]);
  const adjusted = new Array<number>(pValues.length);
  let floor = 0;
  order.forEach((index, rank) => {
    floor = Math.max(floor, Math.min(1, pValues[index] * (pValues.length - rank)));
    adjusted[index] = floor;
  });
  return adjusted;
}
