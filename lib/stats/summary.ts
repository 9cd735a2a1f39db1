/** A number with its 95% interval. */
export interface Interval {
  /** The value itself. */
  estimate: number;
  /** Lower end of its 95 % interval, unless said otherwise. */
  low: number;
  /** Upper end. */
  high: number;
}

/** Two-sided 95% point of the standard normal distribution. */
export const Z95 = 1.959963984540054;

/** 80% point of the standard normal distribution (power of the designs below). */
export const Z80 = 0.8416212335729143;

/** Arithmetic mean; NaN of nothing. */
export function mean(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i];
  return sum / values.length;
}

/** Sample standard deviation (n - 1 below the line); 0 of a single value. */
export function std(values: ArrayLike<number>): number {
  if (values.length < 2) return values.length === 1 ? 0 : NaN;
  const center = mean(values);
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += (values[i] - center) ** 2;
  return Math.sqrt(sum / (values.length - 1));
}

/** Quantile q in [0, 1] of values in rising order, linear between neighbours (numpy's default). */
export function quantileOfSorted(sorted: ArrayLike<number>, q: number): number {
  if (sorted.length === 0) return NaN;
  const at = q * (sorted.length - 1);
  const below = Math.floor(at);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below] + (sorted[above] - sorted[below]) * (at - below);
}

/** Median; NaN of nothing. */
export function median(values: ArrayLike<number>): number {
  return quantileOfSorted(Float64Array.from(values).sort(), 0.5);
}

/** A share in percent, with one digit and without the sign: 0.1234 is "12.3". */
export const percent = (share: number): string => (100 * share).toFixed(1);
