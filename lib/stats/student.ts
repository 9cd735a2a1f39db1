/**
 * Two-sided 95 % point of Student's t distribution, by bisection on its exact sum.
 *
 * @param degrees of freedom, whole; Infinity of none, since nothing is then known of the spread.
 * Source: Abramowitz and Stegun 26.7.3 and 26.7.4; equal to scipy's `t.ppf(0.975, degrees)`.
 */
export function studentT975(degrees: number): number {
  if (degrees < 1) return Infinity;
  let [low, high] = [0, Math.PI / 2];
  for (let i = 0; i < 55; i++) {
    const middle = (low + high) / 2;
    if (within(middle, degrees) < 0.95) low = middle;
    else high = middle;
  }
  return Math.sqrt(degrees) * Math.tan((low + high) / 2);
}

/** Chance that |t| is at most sqrt(degrees) tan(angle). */
function within(angle: number, degrees: number): number {
  const square = Math.cos(angle) ** 2, odd = degrees % 2;
  let term = odd ? Math.cos(angle) : 1, sum = degrees === 1 ? 0 : term;
  for (let k = odd + 2; k <= degrees - 2; k += 2) sum += term *= square * (k - 1) / k;
  return odd ? 2 / Math.PI * (angle + Math.sin(angle) * sum) : Math.sin(angle) * sum;
}
