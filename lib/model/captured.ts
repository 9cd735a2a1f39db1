import type { Tensor } from "@tensorflow/tfjs";
import { tidy } from "../tensor/mod.ts";

/** Collects what a forward pass computes on the way, for those who asked. */
export interface Captured {
  /** float32 `[B, H, L, M]` of each layer. */
  attentions?: Tensor[];
  hiddenStates?: Tensor[];
}

/**
 * Runs one layer and frees what it computed on the way, but for its result, to which the attention probabilities belong
 * only if they are captured. (Under gradients, TensorFlow.js keeps what the backward pass needs.) At 448 px the 3B model
 * would else hold 15 GB of intermediates in an eager forward pass.
 */
export function inLayer<T extends { attention: Tensor }>(
  layer: () => T,
  seen: Captured,
): Omit<T, "attention"> {
  const { attention, ...rest } = tidy((): Omit<T, "attention"> & { attention?: Tensor } => {
    const { attention, ...rest } = layer();
    return seen.attentions ? { attention, ...rest } : rest;
  });
  if (attention) seen.attentions?.push(attention);
  return rest as Omit<T, "attention">;
}
