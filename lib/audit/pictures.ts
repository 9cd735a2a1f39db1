import type { CorpusRecord } from "../corpus/mod.ts";

/** Two images that show the same picture, by ids: what findCopies returns, or a row of the table that 01 writes. */
export interface ImagePair {
  /** Id of one image. */
  a: string;
  /** Id of the other. */
  b: string;
}

/** Image id -> ids of the images that were compared with it and show the same picture, in other bytes. */
export type Lookalikes = ReadonlyMap<string, readonly string[]>;

/** Of each image the others of its pairs. */
export function lookalikesOf(pairs: readonly ImagePair[]): Lookalikes {
  const others = new Map<string, string[]>();
  for (const { a, b } of pairs) {
    for (const [one, other] of [[a, b], [b, a]]) {
      if (!others.has(one)) others.set(one, []);
      others.get(one)!.push(other);
    }
  }
  return others;
}

/** Image id -> name of the picture it shows: the id of the first image that shows it. */
export type PictureOf = ReadonlyMap<string, string>;

/**
 * Which images show the same picture: those with the bytes of an earlier one, and those that were compared with it. Each
 * was itself compared with the one whose name it has: there are no chains, in which neighbouring slices of a scan would
 * make one picture of the whole scan.
 *
 * @param records of the images, in an order that decides which is the first; without hash (inspectImages) only
 * `lookalikes` counts. Lookalikes that are not among the records are left out.
 */
export function picturesOf(
  records: readonly Pick<CorpusRecord, "imageId" | "imageSha256">[],
  lookalikes: Lookalikes = new Map(),
): PictureOf {
  const pictures = new Map<string, string>(), firstOfBytes = new Map<string, string>();
  /** The first image that shows a picture, and those with its bytes. */
  const exact = new Set<string>();
  for (const { imageId, imageSha256 } of records) {
    if (pictures.has(imageId)) continue;
    const same = imageSha256 === null ? undefined : firstOfBytes.get(imageSha256);
    const first = same ?? lookalikes.get(imageId)?.find((other) => exact.has(other));
    pictures.set(imageId, first === undefined ? imageId : pictures.get(first)!);
    if (first === undefined || (same !== undefined && exact.has(same))) exact.add(imageId);
    if (imageSha256 !== null && same === undefined) firstOfBytes.set(imageSha256, imageId);
  }
  return pictures;
}

/**
 * The image that stands for a picture within each data set and split: the first one in the order of the records.
 * @returns image id -> id of the image that stands for it, itself for most
 */
export function representatives(records: readonly CorpusRecord[], pictures: PictureOf): Map<string, string> {
  const first = new Map<string, string>(), result = new Map<string, string>();
  for (const { dataset, split, imageId } of records) {
    const key = `${dataset}/${split}/${pictures.get(imageId) ?? imageId}`;
    if (!first.has(key)) first.set(key, imageId);
    result.set(imageId, first.get(key)!);
  }
  return result;
}
