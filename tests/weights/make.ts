import type { Tensor } from "@tensorflow/tfjs";
import { rng } from "@lib/config/mod.ts";
import { tf } from "@lib/tensor/mod.ts";
import { expectedShapes, type PaliGemmaConfig, type Params } from "@lib/weights/mod.ts";

/** A model with every kind of weight and no two sizes alike by chance. */
export const TINY: PaliGemmaConfig = {
  vision: {
    hiddenSize: 6,
    layers: 2,
    heads: 2,
    intermediateSize: 10,
    imageSize: 9,
    patchSize: 4,
    layerNormEps: 1e-6,
  },
  text: {
    hiddenSize: 8,
    layers: 2,
    heads: 3,
    kvHeads: 1,
    headDim: 4,
    intermediateSize: 14,
    rmsNormEps: 1e-6,
    ropeTheta: 10000,
    vocabSize: 21,
  },
  imageTokenId: 20,
  bosId: 2,
  eosId: 1,
  padId: 0,
  imageTokens: 4,
};

/** Random float32 weights of a configuration. */
export function randomParams(config: PaliGemmaConfig, seed: number): Params {
  const random = rng(seed);
  return Object.fromEntries(
    Object.entries(expectedShapes(config)).map(([name, shape]) => [
      name,
      randomTensor(shape, random),
    ]),
  );
}

/** A tensor of numbers in [-1, 1). */
export function randomTensor(shape: number[], random: () => number): Tensor {
  const values = Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random() * 2 - 1);
  return tf.tensor(values, shape, "float32");
}

/** The bytes of a safetensors file, header as given. */
export function rawSafetensors(header: unknown, data: Uint8Array | number): Uint8Array {
  const json = new TextEncoder().encode(typeof header === "string" ? header : JSON.stringify(header));
  const body = typeof data === "number" ? new Uint8Array(data) : data;
  const out = new Uint8Array(8 + json.length + body.length);
  new DataView(out.buffer).setBigUint64(0, BigInt(json.length), true);
  out.set(json, 8);
  out.set(body, 8 + json.length);
  return out;
}

/** Runs `work` in a temporary folder that is removed afterwards. */
export async function inTempDir(work: (dir: string) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir();
  try {
    await work(dir);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

/** Values of each tensor, for comparison. */
export const valuesOf = (params: Params) =>
  Object.fromEntries(Object.entries(params).map(([name, t]) => [name, [t.shape, Array.from(t.dataSync())]]));
