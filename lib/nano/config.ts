import { PHANTOM_SIZE } from "../phantom/mod.ts";
import type { PaliGemmaConfig } from "../weights/mod.ts";

/** Vocabulary of the nano model's own BPE tokenizer; `<image>` is its last id. */
export const NANO_VOCABULARY = 1024;

/** Patch width in pixels: 112 / 14 = 8 x 8 = 64 image tokens. */
const PATCH = 14;

/** The nano PaliGemma: the architecture of the 3B model, 4,000 times smaller. */
export const NANO_CONFIG: PaliGemmaConfig = {
  vision: {
    hiddenSize: 96,
    layers: 3,
    heads: 4,
    intermediateSize: 256,
    imageSize: PHANTOM_SIZE,
    patchSize: PATCH,
    layerNormEps: 1e-6,
  },
  text: {
    hiddenSize: 96,
    layers: 3,
    heads: 4,
    kvHeads: 1,
    headDim: 24,
    intermediateSize: 256,
    rmsNormEps: 1e-6,
    ropeTheta: 10_000,
    vocabSize: NANO_VOCABULARY,
  },
  imageTokenId: NANO_VOCABULARY - 1,
  bosId: 2,
  eosId: 1,
  padId: 0,
  imageTokens: (PHANTOM_SIZE / PATCH) ** 2,
};
