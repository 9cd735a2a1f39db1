import { join } from "@std/path";
import { z } from "zod";
import { paths } from "../config/mod.ts";
import { captionFault, cleanText } from "./clean.ts";
import { licenceOf, parseRow } from "./files.ts";
import { cacheImage, openImageCache, UNKNOWN_FORMAT } from "./images.ts";
import { hubFiles } from "./hub_files.ts";
import { imageCell, parquetRows } from "./parquet.ts";
import { type Corpus, countRead, drop, EMPTY_FIELDS, finishCorpus, keep, newTally } from "./record.ts";

const LICENCE = {
  roco_v1: "per figure, see licences.txt of ROCO v1 (the hub's copy has none)",
  roco_v2: "CC BY-NC-SA 4.0 (hub card); per image in license_information.csv",
} as const;

const Row = z.looseObject({
  image_id: z.string().min(1),
  caption: z.string().nullish(),
  cui: z.array(z.string()).nullish(),
});

/**
 * ROCO from the hub: parquet files of image, image_id, caption and, in ROCOv2, cui. Images are written to `imageCache`.
 * The cards count more rows than ROCOv2 has images (59,962 to 59,958), so an id that comes again is counted, not refused.
 */
export async function loadRocoParquet(
  dataset: "roco_v1" | "roco_v2",
  dir: string,
  { imageCache = join(paths.local, `${dataset}_images`), signal }: {
    imageCache?: string;
    signal?: AbortSignal;
  } = {},
): Promise<Corpus> {
  const tally = newTally(signal), licence = await licenceOf(dir, LICENCE[dataset]);
  const cache = await openImageCache(imageCache);
  for (const { split, path } of await hubFiles(dir)) {
    let k = 0;
    for await (const value of parquetRows(path, ["image", "image_id", "caption"], ["cui"])) {
      const where = `${path}, row ${++k}`;
      await countRead(tally);
      const row = parseRow(Row, value, where), id = row.image_id.replace(/\.(jpe?g|png)$/i, "");
      const caption = cleanText(row.caption ?? "", tally), cell = imageCell(value.image);
      const image = cell && await cacheImage(cache, cell.bytes);
      const reason = tally.ids.has(id)
        ? "image_id of an earlier row"
        : captionFault(caption) ?? (cell === null ? "no image" : null);
      if (image === null || reason !== null) {
        drop(tally, reason ?? UNKNOWN_FORMAT, where);
        continue;
      }
      tally.ids.set(id, where);
      keep(tally, {
        ...EMPTY_FIELDS,
        id: `${dataset}/${split}/${id}`,
        dataset,
        split,
        sourceId: id,
        imagePath: image.path,
        imageId: `${dataset}/${id}`,
        imageSha256: image.sha256,
        caption,
        licence,
        context: row.cui?.length ? { cuis: row.cui.join(";") } : null,
      }, where);
    }
  }
  return finishCorpus(dataset, dir, tally);
}
