import { rng } from "../config/mod.ts";
import { tf, upload } from "../tensor/mod.ts";
import { expectedShapes, type PaliGemmaConfig, type Params } from "../weights/mod.ts";

/** A normal number cut at two standard deviations (Box-Muller, redrawn). */
function truncatedNormal(random: () => number): number {
  for (;;) {
    const x = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
    if (Math.abs(x) <= 2) return x;
  }
}

/**
 * Random weights to pre-train from: fan-in scaled truncated normals; what writes into the residual stream is scaled
 * down by sqrt(2 * layers); norms start as identity, biases at zero.
 */
export function initialWeights(config: PaliGemmaConfig, seed: number): Params {
  const params: Params = {};
  for (const [name, shape] of Object.entries(expectedShapes(config))) {
    const size = shape.reduce((a, b) => a * b, 1);
    const values = new Float32Array(size);
    const isNorm = name.includes("norm");
    if (isNorm && name.startsWith("vision_tower") && name.endsWith(".weight")) values.fill(1);
    else if (!isNorm && !name.endsWith(".bias")) {
      const layers = name.startsWith("vision_tower") ? config.vision.layers : config.text.layers;
      const residual = /(out_proj|o_proj|fc2|down_proj)\.weight$/.test(name) ? 1 / Math.sqrt(2 * layers) : 1;
      const fanIn = shape.slice(1).reduce((a, b) => a * b, 1);
      const deviation = name.includes("position_embedding") ? 0.3 : residual / Math.sqrt(fanIn);
      const random = rng(`init/${seed}/${name}`);
      for (let i = 0; i < size; i++) values[i] = truncatedNormal(random) * deviation;
    }
    params[name] = tf.keep(tf.tensor(values, shape));
  }
  upload(Object.values(params));
  return params;
}
