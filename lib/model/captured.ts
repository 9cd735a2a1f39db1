import type { Tensor } from "@tensorflow/tfjs";
import { tidy } from "../tensor/mod.ts";
import type { LayerAttended } from "./attention.ts";

/** Collects what a forward pass computes on the way, for those who asked. */
export interface Captured {
  /** float32 `[B, H, L, M]` of each layer. */
  attentions?: Tensor[];
  /** The same before mask and softmax. */
  scores?: Tensor[];
  /** The input of every layer and the output of the last. */
  hiddenStates?: Tensor[];
  /** Told of every layer's attention when the pass reaches it, first layer first. It is freed when this returns. */
  onLayer?: (layer: LayerAttended) => void;
}

/**
 * Runs one layer and frees what it computed on the way, but for its result, to which attention probabilities and scores
 * belong only if they are captured. (Under gradients, TensorFlow.js keeps what the backward pass needs.) At 448 px the 3B model
 * would else hold 15 GB of intermediates in an eager forward pass.
 */
export function inLayer<T extends LayerAttended>(
  layer: () => T,
  seen: Captured,
): Omit<T, keyof LayerAttended> {
  const { attention, scores, rest } = tidy(() => {
    const { attention, scores, ...rest } = layer();
    seen.onLayer?.({ attention, scores });
    return {
      rest,
      attention: seen.attentions ? attention : undefined,
      scores: seen.scores ? scores : undefined,
    };
  });
  if (attention) seen.attentions?.push(attention);
  if (scores) seen.scores?.push(scores);
  return rest;
}
