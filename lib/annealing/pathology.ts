import type { CorpusRecord } from "../corpus/mod.ts";

/** What the pathology filter keeps. */
export interface PathologyResult {
  /** Records of the locations that are kept. */
  kept: CorpusRecord[];
  /** Images left of images in. */
  images: { kept: number; of: number };
  /**
   * Locations as the data set writes them, null for records without one: their images, and whether these are enough.
   * Largest first.
   */
  classes: { location: string | null; images: number; kept: boolean }[];
}

/**
 * The class by which the paper sorts MedPix: the field "Location" of Descriptions.json (22 values such as "Brain and
 * Neuro" and "Chest, Pulmonary", those of figure 4), which the loader keeps as `region`. It is not "Location Category"
 * (five values such as "Head"; `context.locationCategory`): none of these has the counts of figure 4.
 *
 * @returns the location without outer spaces; null where there is none
 */
export function pathologyClass({ region }: Pick<CorpusRecord, "region">): string | null {
  return region?.trim() || null;
}

/**
 * Keeps the records whose class (`pathologyClass`) has at least `minImages` different images: common pathologies are
 * reinforced, rare ones left out (paper section 4.3 and figure 4; there 100, which leaves 1,474 of 2,050 images).
 *
 * The records count as they are given. The real MedPix has 21 images with a placeholder for a caption, which the loader
 * drops: with them the same five classes stay, and as many images fewer as lie in these.
 *
 * @throws if no record has a location
 */
export function pathologyFilter(
  records: readonly CorpusRecord[],
  { minImages }: { minImages: number },
): PathologyResult {
  const imagesOf = new Map<string | null, Set<string>>();
  for (const record of records) {
    const location = pathologyClass(record), images = imagesOf.get(location) ?? new Set();
    imagesOf.set(location, images.add(record.imageId));
  }
  if (records.length > 0 && ![...imagesOf.keys()].some((location) => location !== null)) {
    throw new Error(`pathology filter: expected records with a location, found none among ${records.length}`);
  }
  const classes = [...imagesOf].map(([location, images]) => ({
    location,
    images: images.size,
    kept: location !== null && images.size >= minImages,
  })).sort((a, b) => b.images - a.images || (String(a.location) < String(b.location) ? -1 : 1));
  const common = new Set(classes.filter((c) => c.kept).map((c) => c.location));
  const kept = records.filter((record) => common.has(pathologyClass(record)));
  const count = (rows: readonly CorpusRecord[]) => new Set(rows.map((row) => row.imageId)).size;
  return { kept, images: { kept: count(kept), of: count(records) }, classes };
}
