import { rng } from "../../config/mod.ts";
import { allocTensor, type DType, tf } from "../../tensor/mod.ts";
import { expectedShapes, fromFloat32, type PaliGemmaConfig, type Params } from "../../weights/mod.ts";

/** Numbers that are drawn for a weight; a larger one repeats them, since drawing billions takes a minute. */
const DRAWN = 2 ** 20;

/**
 * The range of a random weight: uniform in centre +- bound, scaled by fan-in, so that activations and loss have the
 * sizes of a model about to be trained. Gemma stores its norms as offsets from 1.
 */
export function weightRange(
  name: string,
  shape: readonly number[],
  config: PaliGemmaConfig,
): { centre: number; bound: number } {
  const isVision = name.startsWith("vision_tower.");
  if (name.includes("norm")) return { centre: isVision && name.endsWith(".weight") ? 1 : 0, bound: 0 };
  if (name.endsWith(".bias")) return { centre: 0, bound: 0 };
  const layers = isVision ? config.vision.layers : config.text.layers;
  const residual = /(out_proj|o_proj|fc2|down_proj)\.weight$/.test(name) ? 2 * layers : 1;
  const fanIn = shape.slice(1).reduce((a, b) => a * b, 1);
  return { centre: 0, bound: Math.sqrt(3 / (fanIn * residual)) };
}

/** A source of the numbers of one weight, in order; always the same for the same name. */
export function weightValues(
  name: string,
  shape: readonly number[],
  config: PaliGemmaConfig,
): (out: Float32Array) => void {
  const { centre, bound } = weightRange(name, shape, config), scale = bound / 2 ** 31;
  let state = Math.floor(rng(`weight/${name}`)() * 2 ** 32) | 0;
  return (out) => {
    let x = state;
    for (let i = 0; i < out.length; i++) {
      // A linear congruential generator (Numerical Recipes' constants): billions of these are drawn.
      x = (Math.imul(x, 1664525) + 1013904223) | 0;
      out[i] = centre + x * scale;
    }
    state = x;
  };
}

/** Random weights of a model, written straight into tensor memory. The caller owns them. */
export function randomWeights(config: PaliGemmaConfig, dtype: DType = "float32"): Params {
  return Object.fromEntries(
    Object.entries(expectedShapes(config)).map(([name, shape]) => {
      const size = shape.reduce((a, b) => a * b, 1), values = new Float32Array(Math.min(size, DRAWN));
      weightValues(name, shape, config)(values);
      const bytes = fromFloat32(values, dtype);
      const fill = (part: Uint8Array<ArrayBuffer>) => { // parts are whole multiples of what is drawn, but for the last
        for (let at = 0; at < part.length; at += bytes.length) {
          part.set(bytes.subarray(0, part.length - at), at);
        }
      };
      return [name, tf.keep(allocTensor(shape, dtype, fill))];
    }),
  );
}
