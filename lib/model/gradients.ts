import type { Tensor } from "@tensorflow/tfjs";
import { barrier, gather, tf, tidy, valueAndGradients, vjp } from "../tensor/mod.ts";
import type { PaliGemmaConfig, Params } from "../weights/mod.ts";
import { blocksOf } from "./blocks.ts";
import { lmHead } from "./gemma.ts";
import { weight, type Weights } from "./layers.ts";
import { crossEntropy, type LabelRows } from "./loss.ts";
import { dtypeOf, type ModelInputs, run } from "./paligemma.ts";

/** A loss (float32 scalar) and its gradient for each trained tensor. */
export interface LossAndGradients {
  loss: Tensor;
  gradients: Params;
}

/**
 * Loss of a batch and its gradients for the tensors named in `trained`, and for no others: what is frozen is never
 * differentiated, and below the first trained tensor nothing is.
 *
 * With `recompute`, only the input of each block is kept, and each block is computed again when its gradient is
 * due: about a third more time for a fraction of the memory (18 + 27 blocks of 448 px activations would not fit).
 *
 * @param trained names among `w.tensors`: e.g. the projector's two (stage 1) or all LoRA matrices (stage 2)
 * @throws if a name is unknown or has no influence on the loss
 */
export function lossAndGradients(
  w: Weights,
  trained: readonly string[],
  inputs: ModelInputs,
  labels: LabelRows,
  config: PaliGemmaConfig,
  options: { recompute?: boolean } = {},
): LossAndGradients {
  if (trained.length === 0) throw new Error("Nothing to train: name at least one tensor.");
  const start = pick(w, trained);
  return tidy(() => {
    if (options.recompute) return byBlock(w, trained, inputs, labels, config);
    const f = (params: Params) =>
      crossEntropy(run(overlay(w, params), inputs, config, { logitsAt: labels.rows }).logits, labels);
    const { value: loss, gradients } = valueAndGradients(f, start);
    return { loss, gradients };
  });
}

const pick = (w: Weights, names: readonly string[]): Params =>
  Object.fromEntries(names.map((name) => [name, weight(w, name)]));

/** The same weights with some tensors replaced (by the tape's own). */
const overlay = (w: Weights, params: Params): Weights => ({ ...w, tensors: { ...w.tensors, ...params } });

function byBlock(
  w: Weights,
  trained: readonly string[],
  inputs: ModelInputs,
  labels: LabelRows,
  config: PaliGemmaConfig,
): LossAndGradients {
  const gradients: Params = {};
  const collect = (found: Params) => {
    for (const [n, g] of Object.entries(found)) gradients[n] = gradients[n] ? tf.add(gradients[n], g) : g;
  };
  const blocks = blocksOf(inputs, config, dtypeOf(w)).map(({ module, apply }) => (
    { apply, reads: trained.filter((n) => n.startsWith(`${module}.`)) }
  ));
  const first = blocks.findIndex(({ reads }) => reads.length > 0);

  // Forward, outside any tape: only the input of each block stays.
  const inputsOf = [inputs.pixelValues];
  for (const { apply } of blocks) inputsOf.push(tidy(() => apply(w, inputsOf.at(-1)!)));

  // The output layer reads the embedding table too (tied), so that tensor gets gradients from both ends.
  const ends = trained.filter((n) =>
    n.startsWith("language_model.norm.") || n.startsWith("language_model.embed_tokens.")
  );
  const head = valueAndGradients(
    ({ h, ...params }: Params) =>
      crossEntropy(lmHead(overlay(w, params), gather(h, labels.rows), config), labels),
    { h: inputsOf.at(-1)!, ...pick(w, ends) },
  );
  let { h: dy, ...rest } = head.gradients;
  collect(rest);
  for (let i = blocks.length - 1; first >= 0 && i >= first; i--) {
    const { reads, apply } = blocks[i];
    // Without the barrier the compilers would find the repetition and merge it away, memory and all.
    const before = barrier(inputsOf[i], dy);
    const f = ({ h = before, ...params }: Params) => apply(overlay(w, params), h);
    const at: Params = i === first ? pick(w, reads) : { h: before, ...pick(w, reads) };
    ({ h: dy, ...rest } = vjp(f, at, dy));
    collect(rest);
  }
  const missing = trained.filter((n) => !gradients[n]);
  if (missing.length) {
    throw new Error(`No part of the model reads ${missing.join(", ")}: nothing to train there.`);
  }
  return { loss: head.value, gradients };
}
