/** How the nano base model is made and what it can do: tokenizer training, pre-training, and measurements on phantoms. */
export type { NanoMeasurement } from "./card.ts";
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
