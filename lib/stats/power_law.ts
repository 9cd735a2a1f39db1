import { studentT975 } from "./student.ts";
import { type Interval, mean } from "./summary.ts";

/** y = factor * x^exponent, as points say it. */
export interface PowerLaw {
  /** The exponent, with its 95 % interval. */
  exponent: Interval;
  /** y at x = 1. */
  factor: number;
}

/**
 * Fits y = factor * x^exponent by least squares of logarithms: points that are off by the same share weigh the same. The
 * interval is Student's, of points that scatter about one such law; where none holds over the whole range, it is too narrow.
 *
 * @param points independent of each other, all numbers above 0; of two points nothing is known of the spread (infinite ends)
 * @throws without two different x, or with a number that is not above 0
 *
 * @example A square
 * ```ts
 * import { assertAlmostEquals } from "@std/assert";
 * import { fitPowerLaw } from "@lib/stats/power_law.ts";
 *
 * assertAlmostEquals(fitPowerLaw([[1, 3], [2, 12], [4, 48]]).exponent.estimate, 2);
 * ```
 */
export function fitPowerLaw(points: readonly (readonly [x: number, y: number])[]): PowerLaw {
  const wrong = points.find(([x, y]) => !(x > 0 && y > 0 && Number.isFinite(x * y)));
  if (wrong) throw new RangeError(`Expected numbers above 0, found the point (${wrong.join(", ")}).`);
  if (new Set(points.map(([x]) => x)).size < 2) {
    throw new RangeError("Expected points at two different x at least.");
  }
  const xs = points.map(([x]) => Math.log(x)), ys = points.map(([, y]) => Math.log(y));
  const [x0, y0] = [mean(xs), mean(ys)], spread = xs.reduce((sum, x) => sum + (x - x0) ** 2, 0);
  const estimate = xs.reduce((sum, x, i) => sum + (x - x0) * (ys[i] - y0), 0) / spread;
  const residual = xs.reduce((sum, x, i) => sum + (ys[i] - y0 - estimate * (x - x0)) ** 2, 0);
  const degrees = points.length - 2;
  const half = degrees < 1 ? Infinity : studentT975(degrees) * Math.sqrt(residual / degrees / spread);
  return {
    exponent: { estimate, low: estimate - half, high: estimate + half },
    factor: Math.exp(y0 - estimate * x0),
  };
}
