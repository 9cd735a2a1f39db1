import type { Config } from "../config/mod.ts";

/**
 * Share of enrichment pairs over a run.
 *
 * - constant: `start` throughout.
 * - linear, cosine: from `start` at the first step to `end` at the last, straight or as half a cosine wave.
 * - end-phase: `start`, and `end` in the last `endPhase` of the steps, in which the learning rate falls to 0
 *   (learningRateScale). So Llama 3 anneals (Grattafiori et al. 2024, arXiv 2407.21783, section 3.4.3): over the last
 *   40M tokens the learning rate falls linearly to 0 and sources of very high quality get more weight; section 3.1.3
 *   gives a new data set 30% of the mix.
 */
export interface Schedule {
  /** How the share goes from `start` to `end`. */
  shape: Config["annealing"]["shape"];
  /** Shares in [0, 1]. */
  start: number;
  /** See `start`. */
  end: number;
  /** Share of the steps that are the end phase, in (0, 1]. */
  endPhase: number;
}

/** The schedule of a configuration. */
export function scheduleOf({ annealing }: Pick<Config, "annealing">): Schedule {
  const { shape, startRatio: start, endRatio: end, endPhase } = annealing;
  return { shape, start, end, endPhase };
}

/** First step of the end phase, which has at least one. */
const phaseStart = ({ endPhase }: Schedule, steps: number): number =>
  steps - Math.max(1, Math.round(endPhase * steps));

/**
 * The share that a schedule asks for at a step.
 *
 * @param step 0..steps-1
 *
 * @example A line from none to 30 %
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { ratioAt } from "@lib/annealing/mod.ts";
 *
 * const schedule = { shape: "linear", start: 0, end: 0.3, endPhase: 0.1 } as const;
 * assertEquals([0, 50, 100].map((step) => ratioAt(schedule, step, 101)), [0, 0.15, 0.3]);
 * ```
 */
export function ratioAt(schedule: Schedule, step: number, steps: number): number {
  const { shape, start, end } = schedule;
  const t = steps > 1 ? step / (steps - 1) : 0;
  switch (shape) {
    case "constant":
      return start;
    case "linear":
      return start + (end - start) * t;
    case "cosine":
      return start + (end - start) * (1 - Math.cos(Math.PI * t)) / 2;
    case "end-phase":
      return step < phaseStart(schedule, steps) ? start : end;
  }
}

/**
 * The factor of the learning rate at a step: 1, and in an end phase linearly from 1 at its first step towards 0, which it
 * would reach at the step after the last. The paper's other schedules leave the learning rate as it is.
 *
 * @param step 0..steps-1
 */
export function learningRateScale(schedule: Schedule, step: number, steps: number): number {
  const first = phaseStart(schedule, steps);
  return schedule.shape !== "end-phase" || step < first ? 1 : (steps - step) / (steps - first);
}
