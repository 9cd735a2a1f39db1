import type { Tensor } from "@tensorflow/tfjs";
import type { PaliGemmaConfig, Params } from "../weights/mod.ts";
import { type AttentionInputs, decoderLayer } from "./gemma.ts";
import type { Weights } from "./layers.ts";
import { mergeImageFeatures } from "./paligemma.ts";
import { projector } from "./projector.ts";
import { patchEmbeddings, visionEnd, visionLayer } from "./siglip.ts";

/** What blocks read besides weights and hidden state. */
export interface BlockContext {
  /** int32 `[B, L]` */
  ids: Tensor;
  shared: AttentionInputs;
}

/** A block's output from its own weights and the hidden state before it. */
export type Apply = (w: Weights, h: Tensor, context: BlockContext, config: PaliGemmaConfig) => Tensor;

/** What blocks compute; all layers of a tower are of one kind. A layer's weights go by their names within the layer. */
export const BLOCK_KINDS = {
  patches: (w, h, _, config) => patchEmbeddings(w, h, config),
  visionLayer: (w, h, { ids }, config) => visionLayer(w, h, ids.shape[0]!, config).h,
  visionEnd: (w, h, _, config) => visionEnd(w, h, config),
  projector: (w, h) => projector(w, h),
  merge: (w, h, { ids }, config) => mergeImageFeatures(w, h, ids, config),
  textLayer: (w, h, { ids, shared }, config) => decoderLayer(w, h, ids.shape[0]!, config, shared).h,
} satisfies Record<string, Apply>;

/** A stretch of the model between two hidden states. */
export interface Block {
  kind: keyof typeof BLOCK_KINDS;
  /** The module whose weights it reads. */
  module: string;
}

/**
 * The model from the pixel values to the output of the last decoder layer, as a chain of blocks; the output layer is left.
 */
export function blocksOf({ vision, text }: PaliGemmaConfig): Block[] {
  const layers = (kind: Block["kind"], path: string, n: number): Block[] =>
    Array.from({ length: n }, (_, k) => ({ kind, module: `${path}.${k}` }));
  return [
    { kind: "patches", module: "vision_tower.embeddings" },
    ...layers("visionLayer", "vision_tower.encoder.layers", vision.layers),
    { kind: "visionEnd", module: "vision_tower.post_layernorm" },
    { kind: "projector", module: "multi_modal_projector" },
    { kind: "merge", module: "language_model.embed_tokens" },
    ...layers("textLayer", "language_model.layers", text.layers),
  ];
}

/** What stands before the names of a block's tensors: layers go by the names within them, the same for each. */
export const prefixOf = ({ kind, module }: Block): string => kind.endsWith("Layer") ? `${module}.` : "";

/** What each block reads of the tensors, under the names by which it reads them. */
export function tensorsByBlock(blocks: readonly Block[], tensors: Params): Params[] {
  const own = blocks.map((): Params => ({})), indexOf = new Map(blocks.map(({ module }, i) => [module, i]));
  for (const [name, x] of Object.entries(tensors)) {
    for (let end = name.indexOf("."); end >= 0; end = name.indexOf(".", end + 1)) {
      const i = indexOf.get(name.slice(0, end));
      if (i !== undefined) own[i][name.slice(prefixOf(blocks[i]).length)] = x;
    }
  }
  return own;
}
