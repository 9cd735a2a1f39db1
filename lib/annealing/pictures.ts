import type { CorpusRecord } from "../corpus/mod.ts";
import type { QaPair } from "../synthesis/mod.ts";

/** Image id -> name of the picture it shows. Images of one picture have the same name. */
export type PictureOf = ReadonlyMap<string, string>;

/**
 * Which images show the same picture: those with the same bytes, and those that a look at the pixels found
 * near-identical, directly or through others.
 *
 * @param records of the images; without hash (inspectImages) only `near` joins an image with others
 * @param near groups of image ids that look near-identical (lib/corpus pictureGroups); images that are not among the records are left out
 * @returns a picture's name is the id of its first image in the order of the records
 */
export function picturesOf(
  records: readonly Pick<CorpusRecord, "imageId" | "imageSha256">[],
  near: readonly (readonly string[])[] = [],
): PictureOf {
  const order = new Map<string, number>();
  for (const { imageId } of records) if (!order.has(imageId)) order.set(imageId, order.size);
  const parent = new Map<string, string>();
  const root = (id: string): string => {
    let top = id;
    while (parent.has(top)) top = parent.get(top)!;
    if (top !== id) parent.set(id, top);
    return top;
  };
  const join = (a: string, b: string) => {
    const [first, second] = [root(a), root(b)].sort((x, y) => order.get(x)! - order.get(y)!);
    if (first !== second) parent.set(second, first);
  };
  const byBytes = new Map<string, string>();
  for (const { imageId, imageSha256 } of records) {
    if (!imageSha256) continue;
    if (byBytes.has(imageSha256)) join(byBytes.get(imageSha256)!, imageId);
    else byBytes.set(imageSha256, imageId);
  }
  for (const group of near) {
    const [first, ...others] = group.filter((id) => order.has(id));
    for (const other of others) join(first, other);
  }
  return new Map([...order.keys()].map((id) => [id, root(id)]));
}

/**
 * The image that stands for a picture within each data set and split: the first one in the order of the records.
 * Published evaluation sets keep their copies of training pictures: these are leaks, for checkLeakage to find.
 *
 * @returns image id -> id of the image that stands for it, itself for most
 */
export function standIns(records: readonly CorpusRecord[], pictures: PictureOf): Map<string, string> {
  const first = new Map<string, string>(), result = new Map<string, string>();
  for (const { dataset, split, imageId } of records) {
    const key = `${dataset}/${split}/${pictures.get(imageId) ?? imageId}`;
    if (!first.has(key)) first.set(key, imageId);
    result.set(imageId, first.get(key)!);
  }
  return result;
}

/**
 * The base pairs of a mixture without those on pictures that the enrichment set has too: its copy, of the data set of
 * higher quality, is the one that stays.
 */
export function withoutShared(
  base: readonly QaPair[],
  enrich: readonly QaPair[],
  pictures: PictureOf,
): QaPair[] {
  const pictureOf = ({ imageId }: QaPair) => pictures.get(imageId) ?? imageId;
  const shown = new Set(enrich.map(pictureOf));
  return base.filter((pair) => !shown.has(pictureOf(pair)));
}
