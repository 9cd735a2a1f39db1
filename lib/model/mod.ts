/**
 * PaliGemma: SigLIP tower, projector, Gemma decoder, LoRA, loss, gradients, generation.
 * Free functions over a flat record of tensors, eager or traced.
 * @module
 */
export { linear, type Weights, weightsOf } from "./layers.ts";
export { prefixMask } from "./mask.ts";
export { visionTower } from "./siglip.ts";
export { PROJECTOR } from "./projector.ts";
export { attentionGradients, type ExplainedAttention } from "./attention_gradients.ts";
export {
  type Capture,
  type FeatureInputs,
  featureInputs,
  forward,
  type ForwardOptions,
  type ForwardOutput,
  type Model,
  type ModelInputs,
  modelInputs,
  modelWeights,
  type TokenInputs,
  visionFeatures,
} from "./paligemma.ts";
export { crossEntropy, type LabelRows, labelRows, tokenLosses } from "./loss.ts";
export { type GradientOptions, type LossAndGradients, lossAndGradients } from "./gradients.ts";
export { type AdaptedModule, attentionModules, initAdapter, mergeAdapter, type Towers } from "./lora.ts";
export { type Sampling } from "./sampling.ts";
export { generate, type Generated, type GenerateOptions, generateTokens } from "./generate.ts";
export { type Answer, type AnswerOptions, answerPrompts, type Prompt, promptInputs } from "./answer.ts";
export {
  imageState,
  type ImageStore,
  imageStore,
  type LoadImage,
  pixelValuesOf,
  type ReadAhead,
  readAhead,
} from "./image_store.ts";
export { type KeptItems, keptItems, keptResult, type NamedModel, weightsName } from "./kept_results.ts";
export { type OpenModel, openModel } from "./open.ts";
export type { LayerAttended } from "./attention.ts";
export type { Captured } from "./captured.ts";
