/** How the nano base model is made and what it can do: tokenizer training, pre-training, and trials of both stages on phantoms. */
export { type AdaptationTrial, adaptationTrial } from "./adaptation.ts";
export { type AddedToken, type TokenizerJson, trainBpe, writeTokenizer } from "./bpe_train.ts";
export type { NanoMeasurement } from "./card.ts";
export { NANO_CONFIG } from "./config.ts";
export {
  type Accuracy,
  accuracyByType,
  greedyRight,
  type PhantomItem,
  phantomItems,
  phantomStore,
  pictureEffect,
} from "./measure.ts";
export { pretrainNano } from "./pretrain.ts";
export { scalingPoint, type ScalingRun } from "./scaling.ts";
