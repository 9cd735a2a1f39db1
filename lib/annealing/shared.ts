import type { PictureOf } from "../audit/mod.ts";
import type { QaPair } from "../synthesis/mod.ts";

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
