import { lossAndGradients } from "../model/mod.ts";
import type { PaliGemmaConfig } from "../weights/mod.ts";
import type { TrainingBatch } from "./batches.ts";
import type { Objective } from "./step.ts";

/**
 * Cross entropy of the next token at every label, of both stages and of language pre-training: which tensors are trained
 * (the projector, LoRA matrices, all weights but a tower's) is said by the parameters' names.
 *
 * @param options `loraScale`: alpha / r, where LoRA matrices are among the tensors; `recompute`: see `lossAndGradients`
 */
export const nextTokenObjective = (
  config: PaliGemmaConfig,
  options: { loraScale?: number; recompute?: boolean } = {},
): Objective<TrainingBatch> =>
(params, frozen, { inputs, labels }) => {
  const { loraScale = 0, ...rest } = options, weights = { loraScale, tensors: { ...frozen, ...params } };
  return lossAndGradients(weights, Object.keys(params), inputs, labels, config, rest);
};
