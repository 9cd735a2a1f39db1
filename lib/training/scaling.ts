import type { Model } from "../model/mod.ts";
import { attentionModules } from "../model/mod.ts";
import type { ScalingPoint } from "../stats/mod.ts";
import { labelCount } from "./batches.ts";
import type { Example } from "./examples.ts";
import type { TrainingRecord } from "./fit.ts";

/**
 * Points of equation 1 (X trained parameters, D label tokens seen so far, L validation loss) from runs over the same
 * batches with adapters of different rank.
 */
export function scalingPoints(
  model: Model,
  batches: readonly (readonly Example[])[],
  runs: readonly { rank: number; records: readonly TrainingRecord[] }[],
): ScalingPoint[] {
  const tokens: number[] = [];
  batches.forEach((batch, i) => tokens.push((tokens[i - 1] ?? 0) + labelCount(batch)));
  return runs.flatMap(({ rank, records }) => {
    const parameters = attentionModules(model.config, "both").reduce(
      (sum, { inputs, outputs }) => sum + rank * (inputs + outputs),
      0,
    );
    return records.flatMap(({ step, validationLoss }) =>
      validationLoss === null ? [] : [{ parameters, tokens: tokens[step - 1], loss: validationLoss }]
    );
  });
}
