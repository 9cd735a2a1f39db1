import type { Config } from "../config/mod.ts";
import { loadTokenizer, type Tokenizer } from "../text/mod.ts";
import { loadCheckpoint, type ModelCard, resolveModel } from "../weights/mod.ts";
import { type ImageStore, imageStore } from "./image_store.ts";
import type { Model } from "./paligemma.ts";

/** A model with everything that is needed to ask it. */
export interface OpenModel {
  model: Model;
  tokenizer: Tokenizer;
  store: ImageStore;
  card: ModelCard;
  /** Folder of the checkpoint. */
  dir: string;
}

/**
 * Loads the checkpoint of a configuration: a folder, or an id on the Hugging Face hub, which is downloaded once.
 *
 * @throws when there is no such checkpoint, or when its weights and its config.json disagree; the reason of `signal`, which
 * ends a download
 */
export async function openModel(
  config: Config,
  { signal }: { signal?: AbortSignal } = {},
): Promise<OpenModel> {
  const { checkpoint, dtype } = config.model;
  const dir = await resolveModel(checkpoint, { signal });
  const [{ params, config: shape, card }, tokenizer] = await Promise.all([
    loadCheckpoint(dir, { dtype }),
    loadTokenizer(dir),
  ]);
  return {
    model: { params, config: shape, dtype },
    tokenizer,
    store: imageStore(shape.vision.imageSize),
    card,
    dir,
  };
}
