import { join } from "@std/path";
import { z } from "zod";
import { paths } from "../config/mod.ts";
import { cleanText, isYesNo } from "./clean.ts";
import { licenceOf, parseRow } from "./files.ts";
import { cacheImage, openImageCache, UNKNOWN_FORMAT } from "./images.ts";
import { hubFiles, imageCell, parquetRows } from "./parquet.ts";
import { type Corpus, countRepair, drop, EMPTY_FIELDS, finishCorpus, keep, newTally } from "./record.ts";

const Row = z.looseObject({ question: z.string().nullish(), answer: z.string().nullish() });

/** VQA-RAD from the hub's parquet files; their images are written to `imageCache`, named by hash. */
export async function loadVqaRadParquet(
  dir: string,
  imageCache = join(paths.local, "vqa_rad_images"),
): Promise<Corpus> {
  const tally = newTally(), cache = await openImageCache(imageCache);
  const licence = await licenceOf(dir, "CC0 1.0");
  for (const { split, path } of await hubFiles(dir)) {
    let k = 0;
    for await (const value of parquetRows(path, ["image", "question", "answer"])) {
      const where = `${path}, row ${++k}`;
      tally.read++;
      const row = parseRow(Row, value, where), cell = imageCell(value.image);
      const question = cleanText(row.question ?? "", tally), answer = cleanText(row.answer ?? "", tally);
      const image = cell && await cacheImage(cache, cell.bytes);
      const reason = question === ""
        ? "empty question"
        : answer === ""
        ? "empty answer"
        : cell === null
        ? "no image"
        : null;
      if (image === null || reason !== null) {
        drop(tally, reason ?? UNKNOWN_FORMAT, where);
        continue;
      }
      countRepair(tally, "answer type inferred from yes or no");
      const sourceId = `parquet_${tally.read - 1}`;
      keep(tally, {
        ...EMPTY_FIELDS,
        id: `vqa_rad/${split}/${sourceId}`,
        dataset: "vqa_rad",
        split,
        sourceId,
        imagePath: image.path,
        imageId: `vqa_rad/${image.sha256.slice(0, 16)}`,
        imageSha256: image.sha256,
        question,
        answer,
        answerType: isYesNo(answer) ? "closed" : "open",
        licence,
      }, where);
    }
  }
  return finishCorpus("vqa_rad", dir, tally);
}
