import type { Config } from "../config/mod.ts";
import type { ImageStore, Model } from "../model/mod.ts";
import { bootstrapTotals } from "../stats/mod.ts";
import { type BatchShape, labelCount, pixelsFrom, wholeBatches } from "./batches.ts";
import type { Example } from "./examples.ts";
import { exampleLosses } from "./loss.ts";

/** Mean losses in nats per token. */
export interface ImageGain {
  /** Loss with the example's own image, in nats per label token. */
  rightImage: number;
  /** Loss with another example's image. */
  otherImage: number;
  /** The second minus the first, and the lower end of its interval. */
  gain: number;
  /** See `gain`. */
  low: number;
}

/**
 * What a model reads from the image: its mean loss on examples with their own image, and with the image of the example
 * half the list away (whose image is another one in a shuffled list), with the lower end of the gain's 95 % interval by
 * resampling images. Null of no examples.
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
  const options = { batchSize, shape, compiler: config.model.compiler, signal }, read = pixelsFrom(store);
  const right = await exampleLosses(model, used, read, options);
  const other = await exampleLosses(model, exchanged, read, options);
  const byImage = Map.groupBy(used.keys(), (i) => used[i].imagePath);
  const totals = (of: (i: number) => number) =>
    [...byImage.values()].map((own) => own.reduce((sum, i) => sum + of(i), 0));
  const labels = totals((i) => labelCount([used[i]]));
  const perToken = (of: (i: number) => number) =>
    bootstrapTotals([totals(of), labels], ([nats, tokens]) => nats / tokens, "gain");
  const rightImage = perToken((i) => right[i]).estimate, otherImage = perToken((i) => other[i]).estimate;
  const { estimate: gain, low } = perToken((i) => other[i] - right[i]);
  return { rightImage, otherImage, gain, low };
}
