import type { Tensor } from "@tensorflow/tfjs";
import { tidy } from "../tensor/mod.ts";

/** Attention of one layer: one row-major [L, L] matrix per head, rows are queries, each row sums to 1. */
export type LayerAttention = readonly Float32Array[];

/** How the heads of a layer become one matrix: their mean, largest or smallest weight, or one head by number. */
export type HeadFusion = "mean" | "max" | "min" | number;

/** The values of a float32 tensor, of which nothing is left on the device. */
export function valuesOf(make: () => Tensor): Float32Array {
  const made = tidy(make), values = made.dataSync<"float32">();
  made.dispose();
  return values;
}

/**
 * Views of the heads of one layer, without copying.
 *
 * @param data the model's attention [1, H, L, L], row-major.
 * @throws when the length does not fit.
 */
export function headsOf(data: Float32Array, heads: number, length: number): Float32Array[] {
  const size = length * length;
  if (heads * size !== data.length) {
    throw new RangeError(
      `Expected attention of one example, ${
        heads * size
      } values for ${heads} heads of ${length} x ${length}; found ${data.length}.`,
    );
  }
  return Array.from({ length: heads }, (_, h) => data.subarray(h * size, (h + 1) * size));
}

/** Fuses the heads of a layer into one [L, L] matrix. */
export function fuseHeads(layer: LayerAttention, fusion: HeadFusion): Float32Array {
  if (typeof fusion === "number") {
    if (!layer[fusion]) {
      throw new RangeError(`Expected a head below ${layer.length}; found ${fusion}.`);
    }
    return layer[fusion].slice();
  }
  const out = layer[0].slice();
  for (const head of layer.slice(1)) {
    for (let i = 0; i < out.length; i++) {
      if (fusion === "mean") out[i] += head[i];
      else out[i] = fusion === "max" ? Math.max(out[i], head[i]) : Math.min(out[i], head[i]);
    }
  }
  if (fusion === "mean") { for (let i = 0; i < out.length; i++) out[i] /= layer.length; }
  return out;
}

/**
 * Which keys each query may see in PaliGemma: image, bos, question and newline (the prefix) see each other, an answer token
 * sees the prefix and the answer up to itself; padding sees and is seen by nothing but itself.
 *
 * @param prefix 1 for positions of the prefix, 0 for the answer; `present` 1 for real tokens, 0 for padding.
 * @returns [L, L], 1 where allowed.
 */
export function prefixLmMask(prefix: ArrayLike<number>, present: ArrayLike<number>): Uint8Array {
  const length = prefix.length;
  const mask = new Uint8Array(length * length);
  for (let i = 0; i < length; i++) {
    for (let j = 0; j < length; j++) {
      const seen = present[i] && present[j] && (prefix[j] || (!prefix[i] && j <= i));
      mask[i * length + j] = seen || i === j ? 1 : 0;
    }
  }
  return mask;
}

/**
 * How far captured attention is from being one: the largest distance of a row's sum from 1, or weight on a key that the mask
 * hides, over all layers and heads.
 *
 * @param mask [L, L], 1 where allowed (`prefixLmMask`)
 */
export function attentionError(layers: readonly LayerAttention[], mask: Uint8Array): number {
  const length = Math.sqrt(mask.length);
  let worst = layers.length > 0 ? 0 : NaN;
  for (const head of layers.flat()) {
    for (let query = 0; query < length; query++) {
      let sum = 0;
      for (let at = query * length; at < (query + 1) * length; at++) {
        sum += head[at];
        if (!mask[at]) worst = Math.max(worst, Math.abs(head[at]));
      }
      worst = Math.max(worst, Math.abs(sum - 1));
    }
  }
  return worst;
}

/** Half the summed difference of two maps that are scaled to sum 1: 0 of equal ones, 1 of maps without a common patch. */
export function mapDistance(a: Float32Array, b: Float32Array): number {
  const total = (map: Float32Array) => map.reduce((sum, weight) => sum + weight, 0);
  const [ofA, ofB] = [total(a), total(b)];
  return a.reduce((sum, weight, i) => sum + Math.abs(weight / ofA - b[i] / ofB), 0) / 2;
}

/**
 * Raw attention: heads fused within each layer, then the mean over the layers (or one of them).
 *
 * @param layers all layers; `layer` one of them by number, or "mean".
 * @returns [L, L]
 */
export function rawAttention(
  layers: readonly LayerAttention[],
  options: { layer?: number | "mean"; heads?: HeadFusion } = {},
): Float32Array {
  const { layer = "mean", heads = "mean" } = options;
  if (layer !== "mean") {
    if (!layers[layer]) throw new RangeError(`Expected a layer below ${layers.length}; found ${layer}.`);
    return fuseHeads(layers[layer], heads);
  }
  const out = fuseHeads(layers[0], heads);
  for (const other of layers.slice(1)) {
    const fused = fuseHeads(other, heads);
    for (let i = 0; i < out.length; i++) out[i] += fused[i];
  }
  for (let i = 0; i < out.length; i++) out[i] /= layers.length;
  return out;
}
