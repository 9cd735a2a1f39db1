/**
 * PaliGemma: SigLIP tower, projector, Gemma decoder, LoRA, loss, gradients, generation.
 * Free functions over a flat record of tensors, eager or traced.
 * @module
 */
export { gelu, layerNorm, linear, rmsNorm, type Weights, weightsOf } from "./layers.ts";
export { decodeMask, prefixMask } from "./mask.ts";
export { patchEmbeddings, visionTower } from "./siglip.ts";
export { PROJECTOR, projector } from "./projector.ts";
export { attend, type Attended } from "./attention.ts";
export {
  type AttentionInputs,
  decoder,
  embedTokens,
  type KVCache,
  lmHead,
  type Past,
  rotary,
} from "./gemma.ts";
export { attentionGradients } from "./attention_gradients.ts";
export { notFinite } from "./finite.ts";
export {
  type Capture,
  type FeatureInputs,
  featureInputs,
  forward,
  type ForwardOptions,
  type ForwardOutput,
  mergeImageFeatures,
  type Model,
  type ModelInputs,
  modelInputs,
  modelWeights,
  type TokenInputs,
  visionFeatures,
} from "./paligemma.ts";
export { crossEntropy, type LabelRows, labelRows, type LabelRowsOptions, tokenLosses } from "./loss.ts";
export { type GradientOptions, type LossAndGradients, lossAndGradients } from "./gradients.ts";
export {
  type ExampleSize,
  type ForwardFlops,
  forwardFlops,
  tokenBytes,
  type Trained,
  trainedNumbers,
  trainingFlops,
} from "./cost.ts";
export {
  type AdaptedModule,
  attentionModules,
  initAdapter,
  mergeAdapter,
  targetPattern,
  type Towers,
} from "./lora.ts";
export { answerNoise, chooseTokens, filterLogits, type Sampling, type SamplingInputs } from "./sampling.ts";
export { decode, generate, type Generated, type GenerateOptions, prefill } from "./generate.ts";
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
export { checkTokenizer, type OpenModel, openModel } from "./open.ts";
export type { Captured } from "./captured.ts";
