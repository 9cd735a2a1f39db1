import type { Config } from "../config/mod.ts";
import { setMatmulPrecision } from "../tensor/mod.ts";
import { loadTokenizer, type Tokenizer } from "../text/mod.ts";
import {
  loadCheckpoint,
  loadModelConfig,
  type ModelCard,
  type PaliGemmaConfig,
  resolveModel,
} from "../weights/mod.ts";
import { type ImageStore, imageStore } from "./image_store.ts";
import type { Model } from "./paligemma.ts";

/** A model with everything that is needed to ask it. */
export interface OpenModel {
  /** The model; its tensors live as long as the process. */
  model: Model;
  /** Its tokenizer. */
  tokenizer: Tokenizer;
  /** Images in its size. */
  store: ImageStore;
  /** What it says of itself. */
  card: ModelCard;
  /** Folder of the checkpoint. */
  dir: string;
}

/** Whether a tokenizer is the model's. @throws if the tokenizer's ids are not those that the model's configuration and embedding table know */
export function checkTokenizer(tokenizer: Tokenizer, shape: PaliGemmaConfig, dir: string): void {
  const pairs: [string, number, number][] = [
    ["<image>", tokenizer.imageId, shape.imageTokenId],
    ["<bos>", tokenizer.bosId, shape.bosId],
    ["<eos>", tokenizer.eosId, shape.eosId],
    ["<pad>", tokenizer.padId, shape.padId],
  ];
  const problems = pairs.filter(([, here, there]) => here !== there)
    .map(([token, here, there]) => `${token} is ${here} in tokenizer.json and ${there} in config.json`);
  const rows = Math.max(shape.text.vocabSize, shape.imageTokenId + 1);
  if (tokenizer.vocabSize > rows) {
    problems.push(
      `tokenizer.json has ids up to ${tokenizer.vocabSize - 1}, the embedding table rows up to ${rows - 1}`,
    );
  }
  if (problems.length) {
    throw new Error(`The tokenizer and the model in ${dir} do not belong together: ${problems.join("; ")}.`);
  }
}

/**
 * Loads the checkpoint of a configuration: a folder, or an id on the Hugging Face hub, which is downloaded once. From then
 * on this process multiplies matrices in the configuration's precision.
 *
 * @throws when there is no such checkpoint, or when its weights, tokenizer and config.json disagree; the reason of `signal`, which
 * ends a download and the reading
 *
 * @example The nano model answers about a phantom
 * ```ts
 * import { assert } from "@std/assert";
 * import { loadConfig } from "@lib/config/mod.ts";
 * import { answerPrompts, openModel } from "@lib/model/mod.ts";
 * import { phantomStore } from "@lib/nano/mod.ts";
 *
 * const { model, tokenizer } = await openModel(loadConfig({ LAB_SET: "model.compiler=graph" }));
 * const prompts = [{ imagePath: "generic/7", prefix: "answer en which modality is this?" }];
 * const store = phantomStore(model.config.vision.imageSize);
 * const [[answer]] = await answerPrompts(model, tokenizer, store, prompts, { batchSize: 1, maxNewTokens: 4 });
 * assert(answer.logprob < 0);
 * ```
 */
export async function openModel(
  config: Config,
  { signal }: { signal?: AbortSignal } = {},
): Promise<OpenModel> {
  const { checkpoint, dtype, matmulPrecision } = config.model;
  setMatmulPrecision(matmulPrecision);
  const dir = await resolveModel(checkpoint, { signal });
  const tokenizer = await loadTokenizer(dir);
  checkTokenizer(tokenizer, await loadModelConfig(dir), dir); // before gigabytes are read
  const { params, config: shape, card } = await loadCheckpoint(dir, { dtype, signal });
  return {
    model: { params, config: shape, dtype },
    tokenizer,
    store: imageStore(shape.vision.imageSize),
    card,
    dir,
  };
}
