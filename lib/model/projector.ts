import type { Tensor } from "@tensorflow/tfjs";
import { linear, type Weights } from "./layers.ts";

/** The two tensors that stage 1 trains. */
export const PROJECTOR: readonly string[] = [
  "multi_modal_projector.linear.weight",
  "multi_modal_projector.linear.bias",
];

/**
 * The connector, all that stage 1 trains: one linear layer with bias, features `[B * N, Dv]` -> `[B * N, D]`.
 * No scaling before or after: image features enter Gemma as they are, text embeddings times sqrt(D).
 */
export function projector(w: Weights, features: Tensor): Tensor {
  return linear(w, features, "multi_modal_projector.linear");
}
