import type { Tensor } from "@tensorflow/tfjs";
import type { DType } from "../tensor/mod.ts";
import type { PaliGemmaConfig } from "../weights/mod.ts";
import { decoderLayer, decoderLayerWeights } from "./gemma.ts";
import type { Weights } from "./layers.ts";
import { attentionInputs, mergeImageFeatures, type ModelInputs } from "./paligemma.ts";
import { projector } from "./projector.ts";
import { patchEmbeddings, visionEnd, visionLayer, visionLayerWeights } from "./siglip.ts";

/** A stretch of the model between two hidden states. */
export interface Block {
  /** The module whose weights it reads. */
  module: string;
  apply: (w: Weights, h: Tensor) => Tensor;
}

/**
 * The model from the pixel values to the output of the last decoder layer, as a chain of blocks; the output layer is left.
 *
 * @param dtype of the activations
 */
export function blocksOf(inputs: ModelInputs, config: PaliGemmaConfig, dtype: DType): Block[] {
  const batch = inputs.ids.shape[0], shared = attentionInputs(inputs, config, dtype);
  const layers = (path: string, n: number, apply: (w: Weights, k: number, h: Tensor) => Tensor): Block[] =>
    Array.from({ length: n }, (_, k) => ({ module: `${path}.${k}`, apply: (w, h) => apply(w, k, h) }));
  return [
    { module: "vision_tower.embeddings", apply: (w, h) => patchEmbeddings(w, h, config) },
    ...layers(
      "vision_tower.encoder.layers",
      config.vision.layers,
      (w, k, h) => visionLayer(visionLayerWeights(w, k), h, batch, config).h,
    ),
    { module: "vision_tower.post_layernorm", apply: (w, h) => visionEnd(w, h, config) },
    { module: "multi_modal_projector", apply: projector },
    { module: "language_model.embed_tokens", apply: (w, h) => mergeImageFeatures(w, h, inputs.ids, config) },
    ...layers(
      "language_model.layers",
      config.text.layers,
      (w, k, h) => decoderLayer(decoderLayerWeights(w, k), h, batch, config, shared).h,
    ),
  ];
}
