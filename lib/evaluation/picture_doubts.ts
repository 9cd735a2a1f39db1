import { decodeImage, doubtsAbout } from "../image/mod.ts";
import { checkpoint } from "../jupyter/mod.ts";
import type { GridItems } from "./cells.ts";

/** Doubtful pictures that a row names. */
const NAMED = 3;

/** Pictures of one test set that may be no medical image, or none that a model can answer about. */
export interface PictureDoubts {
  /** The data set. */
  dataset: string;
  /** Images that were looked at. */
  images: number;
  /** Images with at least one doubt. */
  doubtful: number;
  /** The first few: "image_7: it is tiny (8x8 pixels)". */
  examples: string;
}

/** Looks at every picture that is asked about, once. All are asked about: a doubt does not refuse. */
export async function pictureDoubts(
  items: GridItems,
  signal?: AbortSignal,
): Promise<PictureDoubts[]> {
  const rows: PictureDoubts[] = [];
  for (const [dataset, { short, open }] of Object.entries(items)) {
    const images = new Map([...short, ...open].map(({ imageId, imagePath }) => [imageId, imagePath]));
    const found: string[] = [];
    for (const [imageId, imagePath] of images) {
      await checkpoint(signal);
      const doubts = doubtsAbout(await decodeImage(imagePath));
      if (doubts.length) found.push(`${imageId}: ${doubts.join(", ")}`);
    }
    rows.push({
      dataset,
      images: images.size,
      doubtful: found.length,
      examples: found.slice(0, NAMED).join("; "),
    });
  }
  return rows;
}
