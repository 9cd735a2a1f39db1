import { bootstrapInterval, clusteredDifference, clusteredShare, type Interval } from "../stats/mod.ts";

/** A saliency map over patches with the lesion's mask over pixels. */
export interface LocalisationExample {
  /** Image identity, the cluster of the intervals. */
  imageId: string;
  /** [rows * columns], not negative. */
  map: Float32Array;
  /** Patches from top to bottom. */
  rows: number;
  /** Patches from left to right. */
  columns: number;
  /** [maskRows * maskColumns], non-zero on the lesion. */
  mask: Uint8Array;
  /** Pixels of the mask from top to bottom. */
  maskRows: number;
  /** Pixels of the mask from left to right. */
  maskColumns: number;
}

/** Share of each patch's area that the mask covers, [rows * columns]. */
export function patchCoverage(example: Omit<LocalisationExample, "imageId" | "map">): Float32Array {
  const { rows, columns, mask, maskRows, maskColumns } = example;
  if (mask.length !== maskRows * maskColumns || maskRows % rows !== 0 || maskColumns % columns !== 0) {
    throw new RangeError(
      `Expected a mask whose sides are multiples of ${rows} x ${columns} patches; found ${maskRows} x ${maskColumns} with ${mask.length} pixels.`,
    );
  }
  const [height, width] = [maskRows / rows, maskColumns / columns];
  const out = new Float32Array(rows * columns);
  for (let y = 0; y < maskRows; y++) {
    for (let x = 0; x < maskColumns; x++) {
      if (mask[y * maskColumns + x]) out[Math.floor(y / height) * columns + Math.floor(x / width)]++;
    }
  }
  for (let p = 0; p < out.length; p++) out[p] /= height * width;
  return out;
}

/**
 * Pointing game: 1 if the map's strongest patch touches the lesion, else 0; of several equally strong patches the share
 * that does, so that a constant map scores what a random point would.
 *
 * @example The strongest patch lies on the lesion
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { pointingGame } from "@lib/saliency/mod.ts";
 *
 * const patches = { map: new Float32Array([0.1, 0.9]), rows: 1, columns: 2 };
 * assertEquals(pointingGame({ ...patches, mask: new Uint8Array([0, 1]), maskRows: 1, maskColumns: 2 }), 1);
 * ```
 */
export function pointingGame(example: Omit<LocalisationExample, "imageId">): number {
  const coverage = patchCoverage(example);
  const strongest = example.map.reduce((a, b) => Math.max(a, b), -Infinity);
  let [ties, hits] = [0, 0];
  example.map.forEach((value, p) => {
    if (value !== strongest) return;
    ties++;
    if (coverage[p] > 0) hits++;
  });
  return hits / ties;
}

/** Share of the map's mass on the lesion, each patch's mass taken as spread evenly over its area. NaN of an empty map. */
export function massInside(example: Omit<LocalisationExample, "imageId">): number {
  const coverage = patchCoverage(example);
  let [inside, total] = [0, 0];
  example.map.forEach((value, p) => {
    inside += value * coverage[p];
    total += value;
  });
  return inside / total;
}

/** A map that knows nothing about the image but that lesions tend to be central: a Gaussian around the middle. */
export function centreMap(rows: number, columns: number): Float32Array {
  const out = new Float32Array(rows * columns);
  for (let y = 0; y < rows; y++) {
    for (let x = 0; x < columns; x++) {
      const dy = (y - (rows - 1) / 2) / (rows / 4);
      const dx = (x - (columns - 1) / 2) / (columns / 4);
      out[y * columns + x] = Math.exp(-(dx * dx + dy * dy) / 2);
    }
  }
  return out;
}

/** How well one kind of map finds the lesions; 95 % intervals of the images. */
export interface LocalisationRow {
  /** Name of the map. */
  map: string;
  /** Different images. */
  images: number;
  /** Share of questions where the strongest patch lies on the lesion. */
  pointing: Interval;
  /** Share of the map that lies on the lesion. */
  mass: Interval;
}

/**
 * Pointing game and mask mass of one kind of map.
 *
 * @throws without examples.
 */
export function localisationRow(map: string, examples: readonly LocalisationExample[]): LocalisationRow {
  if (examples.length === 0) throw new Error("Localisation needs at least one example; found none.");
  const images = examples.map((example) => example.imageId), hits = examples.map(pointingGame);
  const mass = examples.map((example) => massInside(example) || 0); // NaN of an empty map
  // Mass, and the score expected of a random point, are not shares of questions but measurements: images are resampled.
  const measured = (values: number[]) => bootstrapInterval(values, images, "localisation");
  const counted = hits.some((hit) => hit === 0 || hit === 1);
  const { estimate, low, high } = counted ? clusteredShare(hits, images) : measured(hits);
  return { map, images: new Set(images).size, pointing: { estimate, low, high }, mass: measured(mass) };
}

/** Share of one kind of map that points at the lesion minus that of another, paired; 95 % interval of the images. */
export function pointingDifference(
  first: readonly LocalisationExample[],
  second: readonly LocalisationExample[],
): Interval {
  const differences = first.map((example, i) => pointingGame(example) - pointingGame(second[i]));
  return clusteredDifference(differences, first.map((example) => example.imageId));
}
