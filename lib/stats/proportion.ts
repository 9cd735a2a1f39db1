import { type Interval, Z80, Z95 } from "./summary.ts";

/**
 * Wilson's score interval (95%) of a share of independent yes/no outcomes.
 *
 * @param successes may be fractional (a mean over runs times n).
 * @throws when n is not positive or successes lies outside [0, n].
 * Source: E. B. Wilson 1927; equal to statsmodels' `proportion_confint(method="wilson")`.
 *
 * @example 68 right of 200
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { wilsonInterval } from "@lib/stats/mod.ts";
 *
 * const { estimate, low, high } = wilsonInterval(68, 200);
 * assertEquals([estimate, low, high].map((x) => x.toFixed(3)), ["0.340", "0.278", "0.408"]);
 * ```
 */
export function wilsonInterval(successes: number, n: number): Interval {
  if (!(n > 0) || !(successes >= 0 && successes <= n)) {
    throw new RangeError(`A share needs 0 <= successes <= n and n > 0; found ${successes} of ${n}.`);
  }
  return wilsonAt(successes / n, n, Z95);
}

/** Wilson's interval of the share p of n answers, at another point z of the distribution. */
export function wilsonAt(p: number, n: number, z: number): Interval {
  const z2 = z * z;
  const center = (p + z2 / (2 * n)) / (1 + z2 / n);
  const half = (z / (1 + z2 / n)) * Math.sqrt((p * (1 - p)) / n + z2 / (4 * n * n));
  return { estimate: p, low: Math.max(0, center - half), high: Math.min(1, center + half) };
}

/**
 * The smallest rise above `baseline` that a comparison of two independent samples of n items each detects with 80% power
 * (two-sided test at 5%, normal approximation, pooled variance under the null).
 *
 * @returns the difference of shares, or Infinity where even a rise to 1 stays undetected.
 * Equal to inverting statsmodels' `power_proportions_2indep`.
 */
export function smallestDetectableDifference(n: number, baseline: number): number {
  if (!(n > 0) || !(baseline >= 0 && baseline < 1)) {
    throw new RangeError(`Expected n > 0 and 0 <= baseline < 1; found n = ${n}, baseline = ${baseline}.`);
  }
  const shortfall = (d: number) => {
    const high = baseline + d;
    const pooled = baseline + d / 2;
    const underNull = Math.sqrt((2 * pooled * (1 - pooled)) / n);
    const underAlternative = Math.sqrt((baseline * (1 - baseline) + high * (1 - high)) / n);
    return d - Z95 * underNull - Z80 * underAlternative;
  };
  return bisect(shortfall, 0, 1 - baseline);
}

/** Where a function that is negative at `low` first turns positive; Infinity if it is still negative at `high`. */
export function bisect(f: (x: number) => number, low: number, high: number): number {
  if (f(high) < 0) return Infinity;
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    if (f(middle) < 0) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}
