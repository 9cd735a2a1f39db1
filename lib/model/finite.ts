import type { Tensor } from "@tensorflow/tfjs";
import { tf, tidy } from "../tensor/mod.ts";
import type { PaliGemmaConfig } from "../weights/mod.ts";
import { type Apply, BLOCK_KINDS, blocksOf, tensorsByBlock } from "./blocks.ts";
import { lmHead } from "./gemma.ts";
import { f32, type Weights } from "./layers.ts";
import { attentionInputs, dtypeOf, type ModelInputs } from "./paligemma.ts";

const allFinite = (x: Tensor): boolean => tf.tidy(() => tf.all(tf.isFinite(f32(x))).dataSync()[0] !== 0);

function causeIn(w: Weights, module: string): string {
  const damaged = Object.keys(w.tensors).filter((n) =>
    n.startsWith(`${module}.`) && !allFinite(w.tensors[n])
  );
  if (!damaged.length) return "whose weights are finite";
  return `where ${damaged.map((n) => `"${n}"`).join(", ")} ${damaged.length > 1 ? "are" : "is"} not finite`;
}

/** Where values that are not finite begin; null if all are finite. */
function beginning(w: Weights, inputs: ModelInputs, config: PaliGemmaConfig): string | null {
  if (!allFinite(inputs.pixelValues)) return "the pixel values";
  let h = tf.clone(inputs.pixelValues);
  const context = { ids: inputs.ids, shared: attentionInputs(inputs, config, dtypeOf(w)) };
  const blocks = blocksOf(config), own = tensorsByBlock(blocks, w.tensors);
  const parts = blocks.map(({ kind, module }, i) => {
    const { loraScale } = w, apply: Apply = BLOCK_KINDS[kind];
    return { module, apply: (h: Tensor) => apply({ tensors: own[i], loraScale }, h, context, config) };
  });
  const head = { module: "language_model.norm", apply: (h: Tensor) => lmHead(w, h, config) };
  for (const { module, apply } of [...parts, head]) {
    const before = h;
    h = tidy(() => apply(before));
    before.dispose();
    if (!allFinite(h)) return `${module}, ${causeIn(w, module)}`;
  }
  return null;
}

/**
 * The error for logits that are not finite: runs the model again, op by op, to name the layer where that begins and its
 * weights that are not finite, if there are any.
 */
export function notFinite(w: Weights, inputs: ModelInputs, config: PaliGemmaConfig): Error {
  const where = tidy(() => beginning(w, inputs, config));
  return new Error(
    `The model gives logits that are not finite (NaN or infinite); ${
      where === null
        ? "run op by op it does not, so the compiled function is at fault"
        : `they begin in ${where}`
    }. Load the checkpoint again, or use a wider type (float32, bfloat16).`,
  );
}
