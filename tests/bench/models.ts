/** The models that benchmarks of training and generation run, with random weights. */
import { NANO_CONFIG } from "@lib/nano/config.ts";
import type { PaliGemmaConfig } from "@lib/weights/mod.ts";
import { type BenchModel, MODELS, type Size } from "./cases.ts";

/** 50.37 million parameters at 224 px: small enough for eager steps on any machine, large enough to be bound by compute. */
const SMALL: PaliGemmaConfig = {
  vision: {
    hiddenSize: 384,
    layers: 6,
    heads: 6,
    intermediateSize: 1536,
    imageSize: 224,
    patchSize: 14,
    layerNormEps: 1e-6,
  },
  text: {
    hiddenSize: 512,
    layers: 6,
    heads: 8,
    kvHeads: 1,
    headDim: 64,
    intermediateSize: 2048,
    rmsNormEps: 1e-6,
    ropeTheta: 10_000,
    vocabSize: 32_768,
  },
  imageTokenId: 32_767,
  bosId: 2,
  eosId: 1,
  padId: 0,
  imageTokens: 256,
};

/** PaliGemma-3B at 448 px. */
export const PALIGEMMA_3B_448: PaliGemmaConfig = {
  vision: {
    hiddenSize: 1152,
    layers: 27,
    heads: 16,
    intermediateSize: 4304,
    imageSize: 448,
    patchSize: 14,
    layerNormEps: 1e-6,
  },
  text: {
    hiddenSize: 2048,
    layers: 18,
    heads: 8,
    kvHeads: 1,
    headDim: 256,
    intermediateSize: 16384,
    rmsNormEps: 1e-6,
    ropeTheta: 10_000,
    vocabSize: 257_216,
  },
  imageTokenId: 257_152,
  bosId: 2,
  eosId: 1,
  padId: 0,
  imageTokens: 1024,
};

/** Models by name. */
export const CONFIGS: Record<BenchModel, PaliGemmaConfig> = {
  nano: NANO_CONFIG,
  "50m": SMALL,
  "3b": PALIGEMMA_3B_448,
};

/** The 50 m model in another size. */
function sized({ layers, width, tokens }: Size): PaliGemmaConfig {
  const heads = width / 64, intermediateSize = 4 * width, { vision, text } = SMALL;
  const tower = { layers, heads, intermediateSize, hiddenSize: width };
  return {
    ...SMALL,
    vision: { ...vision, ...tower, imageSize: vision.patchSize * Math.sqrt(tokens) },
    text: { ...text, ...tower, vocabSize: 4096 },
    imageTokenId: 4095,
    imageTokens: tokens,
  };
}

/** What a case is about: the named model, or one of the given size. */
export function subjectOf({ model, size }: { model: BenchModel; size?: Size }) {
  const { batch, ...named } = MODELS[model];
  return { ...named, batch: size?.batch ?? batch, config: size ? sized(size) : CONFIGS[model] };
}
