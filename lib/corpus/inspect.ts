import { type ImageFacts, imagePool } from "../image/mod.ts";
import type { Corpus } from "./record.ts";

/** Why rows are dropped whose image cannot be decoded; where they were says which file, and what is wrong with it. */
export const UNDECODABLE = "image cannot be decoded";

/** A corpus whose images were all read: records carry their hashes. */
export interface InspectedCorpus extends Corpus {
  /** By image id. */
  facts: Map<string, ImageFacts>;
}

/**
 * Reads every image once, on other threads: hash, size and fingerprint. Rows of images that cannot be decoded are
 * dropped and counted like those that a loader drops; what decoding did to others is counted among the repairs.
 *
 * @param onImage called after each image; awaited
 * @throws the signal's reason, once it is aborted
 */
export async function inspectImages<C extends Corpus>(
  corpus: C,
  onImage?: (done: number, images: number) => void | Promise<void>,
  { signal }: { signal?: AbortSignal } = {},
): Promise<C & InspectedCorpus> {
  const pathOf = new Map(corpus.records.map((record) => [record.imageId, record.imagePath]));
  const facts = new Map<string, ImageFacts>(), failures = new Map<string, string>();
  const notes = new Map(corpus.repaired.map(({ reason, count }) => [reason, count]));
  await using pool = imagePool(undefined, { signal });
  const inspected = pool.map(pathOf, async ([id, path]) => {
    try {
      return { id, facts: await pool.inspect(path) };
    } catch (error) {
      signal?.throwIfAborted();
      return { id, failure: (error as Error).message };
    }
  });
  for await (const { id, facts: found, failure } of inspected) {
    if (found) {
      facts.set(id, found);
      for (const note of found.notes) notes.set(`image: ${note}`, (notes.get(`image: ${note}`) ?? 0) + 1);
    } else failures.set(id, failure);
    await onImage?.(facts.size + failures.size, pathOf.size);
  }
  const lost = corpus.records.filter(({ imageId }) => failures.has(imageId))
    .map(({ id, imageId }) => ({
      reason: UNDECODABLE,
      where: `${id}: ${failures.get(imageId)}`,
    }));
  const records = corpus.records.filter(({ imageId }) => facts.has(imageId))
    .map((record) => ({ ...record, imageSha256: facts.get(record.imageId)!.sha256 }));
  const repaired = [...notes].map(([reason, count]) => ({ reason, count }));
  return { ...corpus, records, repaired, dropped: [...corpus.dropped, ...lost], facts };
}
