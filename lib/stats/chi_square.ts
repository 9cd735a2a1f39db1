/** Logarithm of the gamma function of n / 2, for whole n >= 1. */
function lnGammaHalf(n: number): number {
  let sum = n % 2 ? Math.log(Math.PI) / 2 : 0;
  for (let k = n - 2; k > 0; k -= 2) sum += Math.log(k / 2);
  return sum;
}

/**
 * Upper regularised incomplete gamma function Q(n / 2, x), for whole n >= 1: by its power series where x is small, else
 * by its continued fraction (Abramowitz and Stegun 6.5.29 and 6.5.31, the latter by Lentz's method).
 */
function upperGamma(n: number, x: number): number {
  const a = n / 2, scale = Math.exp(a * Math.log(x) - x - lnGammaHalf(n));
  if (x < a + 1) {
    let term = 1 / a, sum = term;
    for (let k = 1; term > sum * 1e-16; k++) sum += term *= x / (a + k);
    return 1 - sum * scale;
  }
  let b = x + 1 - a, c = 1e300, d = 1 / b, h = d;
  for (let k = 1, change = 0; Math.abs(change - 1) > 1e-15 && k < 10_000; k++) {
    const an = -k * (k - a);
    b += 2;
    d = 1 / (an * d + b);
    c = b + an / c;
    change = d * c;
    h *= change;
  }
  return h * scale;
}

/** Chance that a chi-square variable of so many degrees of freedom (whole, >= 1) is at least `statistic`. */
export const chiSquareAbove = (statistic: number, degrees: number): number =>
  statistic === 0 ? 1 : upperGamma(degrees, statistic / 2);

/**
 * Pearson's chi-square test that every category is equally likely.
 *
 * @returns the statistic, its degrees of freedom, and the chance of one at least as large; 1 without observations
 */
export function chiSquareUniform(
  counts: readonly number[],
): { statistic: number; degrees: number; p: number } {
  const total = counts.reduce((sum, n) => sum + n, 0), degrees = counts.length - 1;
  if (total === 0 || degrees < 1) return { statistic: 0, degrees: Math.max(degrees, 0), p: 1 };
  const expected = total / counts.length;
  const statistic = counts.reduce((sum, n) => sum + (n - expected) ** 2 / expected, 0);
  return { statistic, degrees, p: chiSquareAbove(statistic, degrees) };
}
