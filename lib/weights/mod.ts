/** Weights: PaliGemma checkpoints and PEFT adapters in Hugging Face's formats, in and out of tensor memory. */
export { type Adapter, loadAdapter, type LoraConfig, saveAdapter } from "./adapter.ts";
export { type ModelCard } from "./card.ts";
export { type Checkpoint, loadCheckpoint, loadModelConfig, saveCheckpoint } from "./checkpoint.ts";
export { type PaliGemmaConfig } from "./config.ts";
export { BYTES, fromFloat32 } from "./elements.ts";
export { readHeader, type StoredTensor } from "./header.ts";
export { resolveModel } from "./hub.ts";
export { expectedShapes } from "./names.ts";
export {
  type Params,
  paramsSha256,
  type ReadOptions,
  readSafetensors,
  writeSafetensors,
} from "./safetensors.ts";
