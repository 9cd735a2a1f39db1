import { levenbergMarquardt } from "ml-levenberg-marquardt";
import { rng } from "../config/mod.ts";
import { type Interval, mean, quantileOfSorted } from "./summary.ts";

/** One trained run: trainable parameters, training tokens, evaluation loss. */
export interface ScalingPoint {
  parameters: number;
  tokens: number;
  loss: number;
}

/** L = A * X^-alpha * D^-beta + E with X trainable parameters and D tokens. */
export interface ScalingLaw {
  A: number;
  alpha: number;
  beta: number;
  E: number;
}

/** A fitted law with what is known of its uncertainty. */
export interface ScalingFit {
  law: ScalingLaw;
  /** 95% residual-bootstrap intervals. */
  intervals: { alpha: Interval; beta: Interval; E: Interval };
  /** Exponents held at zero because the points have a single value of that variable. */
  held: ("alpha" | "beta")[];
  points: number;
  /** Root mean square error on the points of the fit, and on each point left out of it in turn. */
  trainingError: number;
  heldOutError: number;
  /** What a constant, the mean of the other points, scores on the points left out. */
  constantError: number;
  resamples: number;
}

/** Each bootstrap resample is a full fit, so there are fewer than for intervals of means. */
const FIT_RESAMPLES = 1000;
const EXPONENT_LIMIT = 5;

/** Loss that a law predicts. */
export function scalingLoss(law: ScalingLaw, parameters: number, tokens: number): number {
  return law.A * parameters ** -law.alpha * tokens ** -law.beta + law.E;
}

/**
 * Fits the paper's equation 1 by least squares (Levenberg-Marquardt from a grid of starts), 0 <= alpha, beta <= 5, E >= 0.
 *
 * @throws with fewer than five points, or when neither variable varies.
 */
export function fitScalingLaw(points: readonly ScalingPoint[], seed: number | string): ScalingFit {
  const variables = (["parameters", "tokens"] as const).map((name) =>
    new Set(points.map((p) => p[name])).size
  );
  if (points.length < 5) {
    throw new RangeError(
      `A scaling law with four unknowns needs at least five runs; found ${points.length}: train more sizes or token counts.`,
    );
  }
  if (variables[0] < 2 && variables[1] < 2) {
    throw new RangeError(
      "A scaling law needs runs of different sizes or token counts; all runs given have the same of both.",
    );
  }
  const free: [boolean, boolean] = [variables[0] > 1, variables[1] > 1];
  const law = solve(points, free, null);
  const fitted = points.map((p) => scalingLoss(law, p.parameters, p.tokens));
  const residuals = points.map((p, i) => p.loss - fitted[i]);
  const random = rng(seed);
  const draws: ScalingLaw[] = [];
  for (let r = 0; r < FIT_RESAMPLES; r++) {
    const again = points.map((p, i) => ({
      ...p,
      loss: fitted[i] + residuals[Math.floor(random() * residuals.length)],
    }));
    draws.push(solve(again, free, law));
  }
  const interval = (name: "alpha" | "beta" | "E"): Interval => {
    const sorted = draws.map((draw) => draw[name]).sort((a, b) => a - b);
    return {
      estimate: law[name],
      low: quantileOfSorted(sorted, 0.025),
      high: quantileOfSorted(sorted, 0.975),
    };
  };
  const outOfFit = points.map((p, i) => {
    const others = points.filter((_, j) => j !== i);
    const without = solve(others, free, law);
    return {
      law: p.loss - scalingLoss(without, p.parameters, p.tokens),
      constant: p.loss - mean(others.map((o) => o.loss)),
    };
  });
  return {
    law,
    intervals: { alpha: interval("alpha"), beta: interval("beta"), E: interval("E") },
    held: (["alpha", "beta"] as const).filter((_, i) => !free[i]),
    points: points.length,
    trainingError: rms(residuals),
    heldOutError: rms(outOfFit.map((o) => o.law)),
    constantError: rms(outOfFit.map((o) => o.constant)),
    resamples: FIT_RESAMPLES,
  };
}

const rms = (errors: readonly number[]) => Math.sqrt(mean(errors.map((e) => e * e)));

/**
 * Least squares in [log K, alpha, beta, E], where K is the reducible loss at the points' geometric mean: centred logarithms
 * keep K and the exponents from trading off.
 */
function solve(
  points: readonly ScalingPoint[],
  free: [boolean, boolean],
  near: ScalingLaw | null,
): ScalingLaw {
  const logX = points.map((p) => Math.log(p.parameters));
  const logD = points.map((p) => Math.log(p.tokens));
  const [centerX, centerD] = [mean(logX), mean(logD)];
  const y = points.map((p) => p.loss);
  const floor = Math.min(...y);
  const reducible = ([k, a, b]: number[], i: number) =>
    Math.exp(k - a * (logX[i] - centerX) - b * (logD[i] - centerD));
  const model = (theta: number[]) => (i: number) => reducible(theta, i) + theta[3];
  const jacobianFunction = (theta: number[]) => (i: number) => {
    const value = reducible(theta, i);
    return [value, -value * (logX[i] - centerX), -value * (logD[i] - centerD), 1];
  };
  // A held exponent's bounds leave it no room; its derivative is then harmless.
  const tiny = 1e-12;
  const minValues = [-50, 0, 0, 0];
  const maxValues = [50, free[0] ? EXPONENT_LIMIT : tiny, free[1] ? EXPONENT_LIMIT : tiny, floor];
  const starts = near
    ? [[
      Math.log(near.A) - near.alpha * centerX - near.beta * centerD,
      near.alpha,
      near.beta,
      Math.min(near.E, floor),
    ]]
    : gridOfStarts(y, free);
  let best: { error: number; theta: number[] } | null = null;
  for (const initialValues of starts) {
    const fit = levenbergMarquardt({ x: points.map((_, i) => i), y }, model, {
      initialValues,
      jacobianFunction,
      minValues,
      maxValues,
      maxIterations: near ? 25 : 150,
      errorTolerance: 1e-14,
      improvementThreshold: 1e-9,
    });
    if (!best || fit.parameterError < best.error) {
      best = { error: fit.parameterError, theta: fit.parameterValues };
    }
  }
  const [k, alpha, beta, E] = best!.theta;
  return { A: Math.exp(k + alpha * centerX + beta * centerD), alpha, beta, E };
}

function gridOfStarts(losses: readonly number[], free: [boolean, boolean]): number[][] {
  const floor = Math.min(...losses);
  const level = mean(losses);
  const exponents = [0.05, 0.2, 0.6];
  const starts: number[][] = [];
  for (const alpha of free[0] ? exponents : [0]) {
    for (const beta of free[1] ? exponents : [0]) {
      for (const share of [0.2, 0.8]) {
        starts.push([Math.log(level - share * floor), alpha, beta, share * floor]);
      }
    }
  }
  return starts;
}
