/**
 * A process of its own for `./lab rehearse`: writes a checkpoint of random weights into the folder of its first argument, with
 * the tokenizer of the second. Pictures and image tokens are those of PaliGemma-3B-mix-448, the towers narrow and shallow.
 */
import { loadTokenizer } from "../../text/mod.ts";
import { type PaliGemmaConfig, saveCheckpoint } from "../../weights/mod.ts";
import { randomWeights } from "./random_weights.ts";

const [dir, tokenizerDir] = Deno.args;
const { vocabSize, imageId: imageTokenId, bosId, eosId, padId } = await loadTokenizer(tokenizerDir);
const config: PaliGemmaConfig = {
  vision: {
    hiddenSize: 48,
    layers: 2,
    heads: 2,
    intermediateSize: 96,
    imageSize: 448,
    patchSize: 14,
    layerNormEps: 1e-6,
  },
  text: {
    hiddenSize: 64,
    layers: 2,
    heads: 2,
    kvHeads: 1,
    headDim: 32,
    intermediateSize: 128,
    rmsNormEps: 1e-6,
    ropeTheta: 10_000,
    vocabSize,
  },
  imageTokenId,
  bosId,
  eosId,
  padId,
  imageTokens: 1024,
};
await saveCheckpoint(dir, randomWeights(config), config, {
  from: tokenizerDir,
  dtype: "bfloat16",
  card: {
    demonstration: true,
    notice: "random weights, made for a rehearsal: what this model answers means nothing",
  },
});
