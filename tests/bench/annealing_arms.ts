import { z } from "zod";
import type { Config, GridCell } from "@lib/config/mod.ts";

/** One way of giving stage 2 the pairs of ROCO and MedPix. */
export interface Arm {
  name: string;
  /** Data set, and the name under which its training is kept. */
  cell: GridCell;
  /** How the share of MedPix pairs goes; null: one data set alone. */
  annealing: Config["annealing"] | null;
}

/** The end phase: its share of the steps, and of MedPix in it. */
export const PHASE = 0.2, LATE = 0.7;

/**
 * Seven arms of the same number of steps, after stage 1. Those that mix draw the same number of MedPix pairs, by the mean of
 * the configuration's ramp, so that they differ in when alone. An end phase has two parts, the late share and the learning
 * rate that falls to 0 (Grattafiori et al. 2024, arXiv 2407.21783, section 3.4.3); one arm has the second alone.
 */
export function annealingArms({ annealing }: Pick<Config, "annealing">): Arm[] {
  const { startRatio, endRatio } = annealing, share = (startRatio + endRatio) / 2;
  const early = (share - PHASE * LATE) / (1 - PHASE);
  const mixed = (
    name: string,
    changed: Partial<Config["annealing"]>,
    cell = name.replaceAll(/\W+/g, "_"),
  ): Arm => ({
    name,
    cell: { name: `roco_medpix__${cell}`, dataset: "roco_medpix", stage1: true },
    annealing: { ...annealing, startRatio: share, endRatio: share, endPhase: PHASE, ...changed },
  });
  const ramp = { startRatio, endRatio };
  return [
    {
      name: "ROCO alone",
      cell: { name: "roco_v2__with", dataset: "roco_v2", stage1: true },
      annealing: null,
    },
    {
      name: "MedPix alone",
      cell: { name: "medpix2__with", dataset: "medpix2", stage1: true },
      annealing: null,
    },
    mixed("constant", { shape: "constant" }),
    mixed("linear", { shape: "linear", ...ramp }, "with"), // as notebook 05 trains it
    mixed("falling", { shape: "linear", startRatio: endRatio, endRatio: startRatio }),
    mixed("end phase", { shape: "end-phase", startRatio: early, endRatio: LATE }),
    mixed("constant, rate falls", { shape: "end-phase" }),
  ];
}

/** Test sets that the arms are asked about. */
export const ARM_TESTS = ["roco_v2", "medpix2"] as const;
export type ArmTest = typeof ARM_TESTS[number];

/** What one arm of a trial found. */
export const ArmResult = z.object({
  name: z.string(),
  /** Pairs of MedPix among all that were drawn, and how often each of them was drawn. */
  share: z.number(),
  uses: z.number(),
  /** Least loss on the validation pairs that all arms share, half of either data set, in nats per token, and the last. */
  leastLoss: z.number(),
  lastLoss: z.number(),
  /** Whether each short test question was answered word for word, greedily. */
  right: z.record(z.enum(ARM_TESTS), z.array(z.union([z.literal(0), z.literal(1)]))),
  seconds: z.number(),
});
export type ArmResult = z.infer<typeof ArmResult>;

/** A trial: a course with a seed of its own, its phantoms, teacher pairs, stage 1 and the arms' initial weights and order. */
export const AnnealingTrial = z.object({ seed: z.number(), arms: z.array(ArmResult) });
export type AnnealingTrial = z.infer<typeof AnnealingTrial>;
