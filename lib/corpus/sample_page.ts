import { basename } from "@std/path";
import { decodeImage } from "../image/mod.ts";
import { checkpoint, fillPage, jpegDataUri } from "../jupyter/mod.ts";
import { sampleRecords } from "./collection.ts";
import type { CorpusRecord } from "./record.ts";

/** Longer side of a thumbnail in pixels. */
const SIDE = 160;
const MAX_BYTES = 5e6;

/**
 * A page on which a person looks through records: pictures with their words in a grid, by data set and split, with a
 * search and each record's fields. One HTML file that asks no server for anything; what it shows of the data reaches
 * it as text, never as markup.
 *
 * @param records of any data sets
 * @param options.perSplit records of each split of each data set, chosen by seed (all where there are fewer)
 * @param options.notice shown above the grid; "" for none
 * @throws naming the file when a picture cannot be decoded; when the page would be larger than 5 MB; the reason of
 * `signal` between two pictures
 */
export async function samplePage(
  records: readonly CorpusRecord[],
  { title, seed, perSplit, notice, signal }: {
    title: string;
    seed: number;
    perSplit: number;
    notice: string;
    signal?: AbortSignal;
  },
): Promise<string> {
  const splits = [...Map.groupBy(records, ({ dataset, split }) => `${dataset}/${split}`).values()];
  const shown = splits.flatMap((rows) => sampleRecords(rows, perSplit, seed));
  const images = new Map<string, string>();
  for (const { imageId, imagePath } of shown) {
    await checkpoint(signal);
    if (!images.has(imageId)) images.set(imageId, await jpegDataUri(await decodeImage(imagePath), SIDE));
  }
  // The path says where this machine keeps its files, which a page that is handed on should not.
  const rows = shown.map(({ imagePath, ...fields }) => ({ ...fields, file: basename(imagePath) }));
  const counts = splits.map((of) => ({ dataset: of[0].dataset, split: of[0].split, records: of.length }));
  const page = await fillPage(import.meta.dirname!, "sample_page", {
    title,
    notice,
    counts,
    records: rows,
    images: Object.fromEntries(images),
  });
  const bytes = new TextEncoder().encode(page).length;
  if (bytes > MAX_BYTES) {
    throw new Error(
      `Expected a page of at most ${MAX_BYTES / 1e6} MB, found ${
        (bytes / 1e6).toFixed(1)
      } MB with ${shown.length} records: ask for fewer than ${perSplit} a split.`,
    );
  }
  return page;
}
