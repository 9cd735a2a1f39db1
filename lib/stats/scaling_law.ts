import { levenbergMarquardt } from "ml-levenberg-marquardt";
import { studentT975 } from "./student.ts";
import { type Interval, mean } from "./summary.ts";

/** One trained run: trainable parameters, training tokens, final evaluation loss. */
export interface ScalingPoint {
  /** Trained parameters. */
  parameters: number;
  /** Label tokens that were trained on. */
  tokens: number;
  /** Final loss, in nats per label token. */
  loss: number;
}

/** L = A * X^-alpha * D^-beta + E with X trainable parameters and D tokens. */
export interface ScalingLaw {
  /** Factor. */
  A: number;
  /** Exponent of the parameters. */
  alpha: number;
  /** Exponent of the tokens. */
  beta: number;
  /** Loss that no size and no length gets below. */
  E: number;
}

/** Error on what was left out of a fit: of the law, and of a constant, the mean of the other points. */
export interface LeftOut {
  /** Error of the law, root mean square of the losses. */
  law: number;
  /** Error of the mean loss of the others. */
  constant: number;
}

/** A fitted law with what is known of its uncertainty. */
export interface ScalingFit {
  /** The fitted law. */
  law: ScalingLaw;
  /** 95 % profile intervals; their coverage is simulated in the tests. */
  intervals: Record<"alpha" | "beta" | "E", Interval>;
  /** Exponents held at zero because the points have a single value of that variable. */
  held: ("alpha" | "beta")[];
  /** Trainings that it was fitted to. */
  points: number;
  /** Root mean square error on the points of the fit. */
  trainingError: number;
  /** Root mean square error on each point left out in turn. */
  pointOut: LeftOut;
  /** The same on all points of one size left out together; null of fewer than three sizes. */
  sizeOut: LeftOut | null;
  /** What the points cannot tell: unknowns at a bound, unknowns that are not determined. One sentence each. */
  warnings: string[];
}

/** What has an interval. */
type Unknown = "alpha" | "beta" | "E";
const UNKNOWNS = ["alpha", "beta", "E"] as const;

const EXPONENT_LIMIT = 5;

/** Loss that a law predicts. */
export function scalingLoss(law: ScalingLaw, parameters: number, tokens: number): number {
  return law.A * parameters ** -law.alpha * tokens ** -law.beta + law.E;
}

/**
 * Fits the paper's equation 1 by least squares (Levenberg-Marquardt from a grid of starts), 0 <= alpha, beta <= 5, and E from
 * 0 to the least loss. The points must be final losses of independent runs: those of one training curve hang together, and
 * no interval of them means anything.
 *
 * Intervals hold every value with which the best law fits no worse than by chance: SSE at most (1 + t^2 / (n - p)) times the
 * least. They may reach a bound, and then say so in `warnings`.
 *
 * @throws with fewer than five points, or when neither variable varies.
 * Source of the intervals: D. M. Bates, D. G. Watts, Nonlinear Regression Analysis (1988), section 6.1.
 */
export function fitScalingLaw(points: readonly ScalingPoint[]): ScalingFit {
  const sizes = distinct(points, "parameters"), counts = distinct(points, "tokens");
  if (points.length < 5) {
    throw new RangeError(
      `A scaling law with four unknowns needs at least five runs; found ${points.length}: train more sizes or token counts.`,
    );
  }
  if (sizes.length < 2 && counts.length < 2) {
    throw new RangeError(
      "A scaling law needs runs of different sizes or token counts; all runs given have the same of both.",
    );
  }
  const { law, sse } = solveLaw(points), bounds = boundsOf(points);
  const without = (leftOut: (p: ScalingPoint) => boolean) => {
    const others = points.filter((p) => !leftOut(p)), own = points.filter(leftOut);
    const { law: rest } = solveLaw(others, {}, law), level = mean(others.map((p) => p.loss));
    return own.map((p) => ({
      law: p.loss - scalingLoss(rest, p.parameters, p.tokens),
      constant: p.loss - level,
    }));
  };
  const errors = (parts: { law: number; constant: number }[][]): LeftOut => ({
    law: rms(parts.flat().map((e) => e.law)),
    constant: rms(parts.flat().map((e) => e.constant)),
  });
  const intervals = Object.fromEntries(
    UNKNOWNS.map((name) => [name, profileInterval(points, law, sse, name)]),
  ) as Record<Unknown, Interval>;
  return {
    law,
    intervals,
    held: (["alpha", "beta"] as const).filter((name) => bounds[name][1] === 0),
    points: points.length,
    trainingError: Math.sqrt(sse / points.length),
    pointOut: errors(points.map((one) => without((p) => p === one))),
    sizeOut: sizes.length < 3 ? null : errors(sizes.map((size) => without((p) => p.parameters === size))),
    warnings: warningsOf(intervals, bounds, sizes.length, counts.length),
  };
}

const rms = (errors: readonly number[]) => Math.sqrt(mean(errors.map((e) => e * e)));
const distinct = (points: readonly ScalingPoint[], name: "parameters" | "tokens") => [
  ...new Set(points.map((p) => p[name])),
];

type Bounds = Record<Unknown, readonly [number, number]>;

function boundsOf(points: readonly ScalingPoint[]): Bounds {
  const exponent = (name: "parameters" | "tokens") =>
    [0, distinct(points, name).length > 1 ? EXPONENT_LIMIT : 0] as const;
  return {
    alpha: exponent("parameters"),
    beta: exponent("tokens"),
    E: [0, Math.min(...points.map((p) => p.loss))],
  };
}

/** How near to a bound is at it, as a share of the range. */
const AT_BOUND = 1e-4;

function warningsOf(
  intervals: Record<Unknown, Interval>,
  bounds: Bounds,
  sizes: number,
  counts: number,
): string[] {
  const few = [["alpha", sizes, "sizes"], ["beta", counts, "token counts"]] as const;
  return [
    ...few.flatMap(([name, n, what]) =>
      n === 2 ? [`${name} rests on two ${what}: any two can be joined.`] : []
    ),
    ...UNKNOWNS.flatMap((name) => {
      const { estimate, low, high } = intervals[name], [least, most] = bounds[name], range = most - least;
      if (range === 0) return [`${name} was not fitted: there is one value of its variable.`];
      const near = (x: number, bound: number) => Math.abs(x - bound) <= AT_BOUND * range;
      const end = name === "E" ? "the least loss" : `${most}`;
      const at = near(estimate, least) ? "0" : near(estimate, most) ? end : null;
      const open = near(low, least) && near(high, most)
        ? `${name} is not determined: every value from 0 to ${end} fits.`
        : near(low, least)
        ? `${name} cannot be told from 0.`
        : near(high, most)
        ? `${name} has no upper end below ${end}.`
        : null;
      return [at && `${name} lies at its bound, ${at}.`, open].filter((text) => text !== null);
    }),
  ];
}

/** Whether the best law with this value of one unknown fits no worse than chance explains (95 %). */
export function isCompatible(
  points: readonly ScalingPoint[],
  { law, sse }: { law: ScalingLaw; sse: number },
  name: Unknown,
  value: number,
): boolean {
  const bounds = boundsOf(points);
  const unknowns = 1 + UNKNOWNS.filter((one) => bounds[one][1] > bounds[one][0]).length;
  const degrees = points.length - unknowns;
  const most = sse * (1 + studentT975(degrees) ** 2 / degrees);
  return solveLaw(points, { [name]: value }, { ...law, [name]: value }).sse <= most;
}

function profileInterval(
  points: readonly ScalingPoint[],
  law: ScalingLaw,
  sse: number,
  name: Unknown,
): Interval {
  const [least, most] = boundsOf(points)[name], estimate = law[name];
  const end = (bound: number) => {
    const fits = (value: number) => isCompatible(points, { law, sse }, name, value);
    if (bound === estimate || fits(bound)) return bound;
    let [inside, outside] = [estimate, bound];
    for (let i = 0; i < 16; i++) {
      const middle = (inside + outside) / 2;
      if (fits(middle)) inside = middle;
      else outside = middle;
    }
    return inside;
  };
  return { estimate, low: end(least), high: end(most) };
}

/**
 * Least squares in [log K, alpha, beta, E], where K is the reducible loss at the points' geometric mean: centred logarithms
 * keep K and the exponents from trading off.
 *
 * @param held unknowns that keep a value
 * @param near a law to start from in place of a grid
 */
export function solveLaw(
  points: readonly ScalingPoint[],
  held: Partial<Record<Unknown, number>> = {},
  near?: ScalingLaw,
): { law: ScalingLaw; sse: number } {
  const logX = points.map((p) => Math.log(p.parameters));
  const logD = points.map((p) => Math.log(p.tokens));
  const [centerX, centerD] = [mean(logX), mean(logD)];
  const y = points.map((p) => p.loss), bounds = boundsOf(points);
  const ranges = UNKNOWNS.map((name) => {
    const value = held[name];
    return value === undefined ? bounds[name] : [value, value] as const;
  });
  const fixed = ranges.map(([least, most]) => most === least);
  const reducible = ([k, a, b]: number[], i: number) =>
    Math.exp(k - a * (logX[i] - centerX) - b * (logD[i] - centerD));
  const model = (theta: number[]) => (i: number) => reducible(theta, i) + theta[3];
  const jacobianFunction = (theta: number[]) => (i: number) => {
    const value = reducible(theta, i);
    const own = [-value * (logX[i] - centerX), -value * (logD[i] - centerD), 1];
    return [value, ...own.map((derivative, j) => fixed[j] ? 0 : derivative)];
  };
  const room = 1e-12; // the bounds of a held unknown must differ
  const minValues = [-50, ...ranges.map(([least]) => least)];
  const maxValues = [50, ...ranges.map(([least, most]) => Math.max(most, least + room))];
  const within = (theta: number[]) => theta.map((x, j) => Math.min(maxValues[j], Math.max(minValues[j], x)));
  const starts = near
    ? [[
      Math.log(near.A) - near.alpha * centerX - near.beta * centerD,
      near.alpha,
      near.beta,
      near.E,
    ]]
    : gridOfStarts(y, bounds);
  let best: { error: number; theta: number[] } | null = null;
  for (const start of starts) {
    const fit = levenbergMarquardt({ x: points.map((_, i) => i), y }, model, {
      initialValues: within(start),
      jacobianFunction,
      minValues,
      maxValues,
      maxIterations: near ? 60 : 150,
      errorTolerance: 1e-14,
      improvementThreshold: 1e-9,
    });
    if (!best || fit.parameterError < best.error) {
      best = { error: fit.parameterError, theta: fit.parameterValues };
    }
  }
  const [k, alpha, beta, E] = best!.theta;
  const law = { A: Math.exp(k + alpha * centerX + beta * centerD), alpha, beta, E };
  const sse = points.reduce((sum, p) => sum + (p.loss - scalingLoss(law, p.parameters, p.tokens)) ** 2, 0);
  return { law, sse };
}

function gridOfStarts(losses: readonly number[], bounds: Bounds): number[][] {
  const floor = Math.min(...losses);
  const level = mean(losses);
  const exponents = [0.05, 0.2, 0.6];
  const starts: number[][] = [];
  for (const alpha of bounds.alpha[1] > 0 ? exponents : [0]) {
    for (const beta of bounds.beta[1] > 0 ? exponents : [0]) {
      for (const share of [0.2, 0.8]) {
        starts.push([Math.log(level - share * floor), alpha, beta, share * floor]);
      }
    }
  }
  return starts;
}
