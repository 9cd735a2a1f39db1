import { z } from "zod";
import type { QaPair } from "../synthesis/mod.ts";
import type { Mixture } from "./mix.ts";
import { ratioAt, type Schedule } from "./schedule.ts";

/** One place of the training order. */
export const ScheduleRow = z.object({
  /** Optimizer step, from 0. */
  step: z.number(),
  /** Place in the step's batch, from 0. */
  position: z.number(),
  /** Id of the drawn pair. */
  pairId: z.string(),
  /** Data set of the pair. */
  source: z.string(),
});
/** A row that {@linkcode ScheduleRow} accepts. */
export type ScheduleRow = z.infer<typeof ScheduleRow>;

/** A mixture as the table that training reads. */
export function scheduleRows(mixture: Mixture<QaPair>): ScheduleRow[] {
  const places = new Map<number, number>();
  return mixture.draws.map(({ pair, step }) => {
    const position = places.get(step) ?? 0;
    places.set(step, position + 1);
    return { step, position, pairId: pair.id, source: pair.dataset };
  });
}

/** Asked and drawn share of one source, over a window of steps. */
export interface ShareWindow {
  /** First step of the window. */
  step: number;
  /** Share of enrichment pairs that the schedule asks for, mean over the window. */
  target: number;
  /** Share that was drawn. */
  measured: number;
}

/**
 * Counts the written order, without the mixer's own account: shares in windows of steps, and the largest difference
 * between pairs asked for and pairs drawn up to any step.
 *
 * @param sourceOf data set by pair id, so that the table's own column is not trusted
 */
export function auditSchedule(
  rows: readonly ScheduleRow[],
  sourceOf: (pairId: string) => string,
  options: { source: string; schedule: Schedule; window: number },
): { windows: ShareWindow[]; largestGap: number } {
  const { source, schedule, window } = options;
  const steps = [...Map.groupBy(rows, (row) => row.step)].sort(([a], [b]) => a - b).map(([, own]) => ({
    size: own.length,
    drawn: own.filter((row) => sourceOf(row.pairId) === source).length,
  }));
  const asked = steps.map(({ size }, step) => size * ratioAt(schedule, step, steps.length));
  const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);
  const windows: ShareWindow[] = [];
  for (let step = 0; step < steps.length; step += window) {
    const part = steps.slice(step, step + window), pairs = sum(part.map((s) => s.size));
    const target = sum(asked.slice(step, step + window)) / pairs;
    windows.push({ step, target, measured: sum(part.map((s) => s.drawn)) / pairs });
  }
  let gap = 0, largestGap = 0;
  steps.forEach(({ drawn }, step) => {
    gap += drawn - asked[step];
    largestGap = Math.max(largestGap, Math.abs(gap));
  });
  return { windows, largestGap };
}
