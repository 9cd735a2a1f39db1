import { z } from "zod";
import { type Config, datasetTitle } from "../config/mod.ts";
import { PAPER_TRAINING } from "./paper_values.ts";

/** A point of a training curve, as notebook 05 writes it. */
export const CurveRow = z.object({
  /** Name of the training. */
  cell: z.string(),
  /** Steps done. */
  step: z.number(),
  /** Epochs done. */
  epoch: z.number(),
  /** Loss on held-out examples, in nats per label token; null where it was not measured. */
  validationLoss: z.number().nullable(),
});
/** A row that {@linkcode CurveRow} accepts. */
export type CurveRow = z.infer<typeof CurveRow>;

/** The points of one cell ("roco_v2__with") at which the validation loss was measured. */
export const validated = (
  curves: readonly CurveRow[],
  cell: string,
): (CurveRow & { validationLoss: number })[] =>
  curves.filter((row) =>
    row.cell === cell && row.validationLoss !== null
  ) as (CurveRow & { validationLoss: number })[];

/** First and last validation loss per cell, and the first measured step at which it was as low as its twin's last. */
export function lastLosses(curves: readonly CurveRow[]): Record<string, string | number | null>[] {
  return [...new Set(curves.map((row) => row.cell))].map((cell) => {
    const own = validated(curves, cell), [dataset, stage1] = cell.split("__");
    const twin = validated(curves, `${dataset}__${stage1 === "with" ? "without" : "with"}`).at(-1);
    const reached = twin && own.find((row) => row.validationLoss <= twin.validationLoss);
    return {
      dataset: datasetTitle(dataset),
      "stage 1": stage1,
      "first loss": own[0]?.validationLoss ?? null,
      "last loss": own.at(-1)?.validationLoss ?? null,
      "step that reaches the twin's last loss": reached?.step ?? null,
    };
  });
}

/** The paper's training arguments beside those of a configuration. */
export function trainingArguments(config: Config): Record<string, string | number>[] {
  const { stage2, model } = config;
  const ours: Record<string, string | number> = {
    learningRate: stage2.learningRate,
    schedule: "constant",
    labelSmoothing: 0,
    weightDecay: stage2.weightDecay,
    precision: model.dtype,
    batchSize: stage2.batchSize,
    accumulation: stage2.accumulation,
    loraRank: stage2.rank,
    loraAlpha: stage2.alpha,
  };
  const paper = PAPER_TRAINING as unknown as Record<string, string | number>;
  return Object.entries(ours).map(([argument, value]) => ({
    argument,
    paper: paper[argument] ?? "not given",
    here: value,
  }));
}
