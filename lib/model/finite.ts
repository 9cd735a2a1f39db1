import type { Tensor } from "@tensorflow/tfjs";
import { realType, tf } from "../tensor/mod.ts";
import type { PaliGemmaConfig } from "../weights/mod.ts";
import { lmHead, textBlock } from "./gemma.ts";
import { f32, type Weights } from "./layers.ts";
import { joinSequence, type ModelInputs, surroundings } from "./paligemma.ts";
import { projector } from "./projector.ts";
import { patchEmbeddings, visionBlock, visionEnd } from "./siglip.ts";

const allFinite = (x: Tensor): boolean => tf.tidy(() => tf.all(tf.isFinite(f32(x))).dataSync()[0] !== 0);

/** A part of the model by the path of its weights, from the output of the part before it to its own. */
type Stage = readonly [module: string, apply: (h: Tensor) => Tensor];

function stagesOf(w: Weights, inputs: ModelInputs, config: PaliGemmaConfig): Stage[] {
  const batch = inputs.ids.shape[0], stages: Stage[] = [];
  stages.push(["vision_tower.embeddings", (h) => patchEmbeddings(w, h, config)]);
  for (let k = 0; k < config.vision.layers; k++) {
    stages.push([`vision_tower.encoder.layers.${k}`, (h) => visionBlock(w, k, h, batch, config)]);
  }
  stages.push(["vision_tower.post_layernorm", (h) => visionEnd(w, h, config)]);
  stages.push(["multi_modal_projector", (h) => projector(w, h)]);
  stages.push(["language_model.embed_tokens", (h) => joinSequence(w, h, inputs.ids, config)]);
  for (let k = 0; k < config.text.layers; k++) {
    const apply = (h: Tensor) =>
      textBlock(w, k, h, batch, config, surroundings(inputs, config, realType(h))).h;
    stages.push([`language_model.layers.${k}`, apply]);
  }
  stages.push(["language_model.norm", (h) => lmHead(w, h, config)]);
  return stages;
}

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
  for (const [module, apply] of stagesOf(w, inputs, config)) {
    const before = h;
    h = tf.tidy(() => apply(before));
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
  const where = tf.tidy(() => ({ found: beginning(w, inputs, config) }) as never) as { found: string | null };
  return new Error(
    `The model gives logits that are not finite (NaN or infinite); ${
      where.found === null
        ? "run op by op it does not, so the compiled function is at fault"
        : `they begin in ${where.found}`
    }. Load the checkpoint again, or use a wider type (float32, bfloat16).`,
  );
}
