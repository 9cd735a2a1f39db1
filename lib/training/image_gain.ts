import type { Config } from "../config/mod.ts";
import type { ImageStore, Model } from "../model/mod.ts";
import { type BatchShape, wholeBatches } from "./batches.ts";
import type { Example } from "./examples.ts";
import { meanLoss } from "./loss.ts";

/**
 * What a model reads from the image: its mean loss on examples with their own image, and with the image of the example
 * half the list away (whose image is another one in a shuffled list).
 */
export async function imageGain(
  model: Model,
  examples: readonly Example[],
  store: ImageStore,
  shape: BatchShape,
  config: Config,
  { signal }: { signal?: AbortSignal } = {},
): Promise<{ rightImage: number; otherImage: number; gain: number }> {
  const { batchSize } = config.stage2, used = wholeBatches(examples, batchSize);
  const half = Math.floor(used.length / 2);
  const exchanged = used.map((example, i) => ({
    ...example,
    imagePath: used[(i + half) % used.length].imagePath,
  }));
  const options = { batchSize, shape, compiler: config.model.compiler, signal };
  const rightImage = await meanLoss(model, used, store, options);
  const otherImage = await meanLoss(model, exchanged, store, options);
  return { rightImage, otherImage, gain: otherImage - rightImage };
}
