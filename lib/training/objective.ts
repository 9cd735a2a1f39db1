import { type GradientOptions, lossAndGradients } from "../model/mod.ts";
import type { PaliGemmaConfig } from "../weights/mod.ts";
import type { TrainingBatch } from "./batches.ts";
import type { Objective, StepSettings } from "./step.ts";

/**
 * Whether a step is compiled block by block (GradientOptions.compiler) instead of as one function: with XLA, whose time to
 * compile and whose memory grow with the whole step otherwise (50 M parameters, three rounds in turn: 990 for 1,280 MiB in
 * equal time; 3 B on an H100: the whole step was not compiled in two minutes). TensorFlow's graph, tried so, saved no memory
 * and took up to 12 % longer, so it stays one function.
 */
export const isByBlock = (recompute: boolean, compiler: StepSettings["compiler"]): boolean =>
  recompute && compiler === "xla";

/**
 * Cross entropy of the next token at every label, of both stages and of language pre-training: which tensors are trained
 * (the projector, LoRA matrices, all weights but a tower's) is said by the parameters' names.
 *
 * @param options `loraScale`: alpha / r, where LoRA matrices are among the tensors; the others: see `lossAndGradients`
 */
export const nextTokenObjective = (
  config: PaliGemmaConfig,
  options: GradientOptions & { loraScale?: number } = {},
): Objective<TrainingBatch> =>
(params, frozen, { inputs, labels }) => {
  const { loraScale = 0, ...rest } = options, weights = { loraScale, tensors: { ...frozen, ...params } };
  return lossAndGradients(weights, Object.keys(params), inputs, labels, config, rest);
};
