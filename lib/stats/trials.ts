import { chiSquareAbove } from "./chi_square.ts";
import { studentT975 } from "./student.ts";
import { type Interval, mean, std } from "./summary.ts";

/** What one trial (a seed) found. */
export interface TrialEstimate {
  /** What the trial found. */
  estimate: number;
  /** Of the estimate within its trial (of the questions that were drawn). */
  variance: number;
}

/** What several trials found together; the trial is the random unit. */
export interface TrialSummary {
  /** Mean of the trials, each counted once, with its 95 % interval by Student's t; no bounds (NaN) of one trial. */
  mean: Interval;
  /** Between the trials; NaN of one. */
  sd: number;
  /** Whether trials differ by more than their questions explain: Cochran's Q and its p-value; 1 of one trial. */
  q: number;
  /** See `q`. */
  p: number;
  /** Share of the spread that the questions do not explain (I squared), 0 to 1. */
  unexplained: number;
}

/**
 * Sums up trials. Questions of one trial share its training data, initial weights and order: pooling the questions of all
 * trials would take three trained models for thousands.
 *
 * @throws without trials, or when a variance is not positive.
 * Source: W. G. Cochran, Biometrics 1954;10:101-129; J. P. T. Higgins, S. G. Thompson, Statistics in Medicine 2002;21:1539-1558.
 */
export function acrossTrials(trials: readonly TrialEstimate[]): TrialSummary {
  if (trials.length === 0 || trials.some(({ variance }) => !(variance > 0))) {
    throw new RangeError(
      `Expected at least one trial, each with a variance above 0; found ${
        trials.map(({ variance }) => variance).join(", ") || "none"
      }.`,
    );
  }
  const n = trials.length, estimates = trials.map(({ estimate }) => estimate), center = mean(estimates);
  const sd = n > 1 ? std(estimates) : NaN, half = studentT975(n - 1) * sd / Math.sqrt(n);
  const weights = trials.map(({ variance }) => 1 / variance);
  const weighted = trials.reduce((sum, { estimate }, i) => sum + weights[i] * estimate, 0) /
    weights.reduce((a, b) => a + b, 0);
  const q = trials.reduce((sum, { estimate }, i) => sum + weights[i] * (estimate - weighted) ** 2, 0);
  return {
    mean: { estimate: center, low: center - half, high: center + half },
    sd,
    q,
    p: n > 1 ? chiSquareAbove(q, n - 1) : 1,
    unexplained: n > 1 && q > n - 1 ? (q - (n - 1)) / q : 0, // of one trial q is rounding alone
  };
}
