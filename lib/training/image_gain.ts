import type { Config } from "../config/mod.ts";
import type { ImageStore, Model } from "../model/mod.ts";
import { bootstrapTotals } from "../stats/mod.ts";
import { type BatchShape, labelCount, wholeBatches } from "./batches.ts";
import type { Example } from "./examples.ts";
import { meanLoss } from "./loss.ts";

/** Mean losses in nats per token. */
export interface ImageGain {
  rightImage: number;
  otherImage: number;
  /** The second minus the first, and the lower end of its interval. */
  gain: number;
  low: number;
}

/**
 * What a model reads from the image: its mean loss on examples with their own image, and with the image of the example
 * half the list away (whose image is another one in a shuffled list), with the lower end of the gain's 95 % interval by
 * resampling batches. Null of no examples.
 */
export async function imageGain(
  model: Model,
  examples: readonly Example[],
  store: ImageStore,
  shape: BatchShape,
  config: Config,
  { signal }: { signal?: AbortSignal } = {},
): Promise<ImageGain | null> {
  const { batchSize } = config.stage2, used = wholeBatches(examples, batchSize);
  if (used.length === 0) return null;
  const half = Math.floor(used.length / 2);
  const exchanged = used.map((example, i) => ({
    ...example,
    imagePath: used[(i + half) % used.length].imagePath,
  }));
  const options = { batchSize, shape, compiler: config.model.compiler, signal };
  const labels: number[] = [], right: number[] = [], other: number[] = [];
  for (let start = 0; start < used.length; start += batchSize) {
    const part = used.slice(start, start + batchSize), count = labelCount(part);
    labels.push(count);
    right.push(count * await meanLoss(model, part, store, options));
    other.push(count * await meanLoss(model, exchanged.slice(start, start + batchSize), store, options));
  }
  const share = (sums: ArrayLike<number>[]) => bootstrapTotals([...sums, labels], (t) => t[0] / t[1], "gain");
  const rightImage = share([right]).estimate, otherImage = share([other]).estimate;
  const { estimate: gain, low } = share([right.map((loss, i) => other[i] - loss)]);
  return { rightImage, otherImage, gain, low };
}
