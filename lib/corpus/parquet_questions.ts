import { join } from "@std/path";
import { z } from "zod";
import { paths } from "../config/mod.ts";
import { yesOrNo } from "../stats/mod.ts";
import { cleanText } from "./clean.ts";
import { parseRow } from "./files.ts";
import { cacheImage, openImageCache, UNKNOWN_FORMAT } from "./images.ts";
import type { HubFile } from "./hub_files.ts";
import { imageCell, parquetRows } from "./parquet.ts";
import {
  type Corpus,
  type CorpusDataset,
  type CorpusRecord,
  countRead,
  countRepair,
  drop,
  EMPTY_FIELDS,
  finishCorpus,
  keep,
  newTally,
} from "./record.ts";

const Row = z.looseObject({ question: z.string().nullish(), answer: z.string().nullish() });

/** What parquet files of questions have in common, and what a data set says about its own. */
export interface QuestionFiles {
  dataset: CorpusDataset;
  root: string;
  files: readonly HubFile[];
  /** Column of the encoded image. */
  image: string;
  /** Columns that `identify` needs. */
  others: readonly string[];
  /** Columns that it uses where they are there. */
  optional?: readonly string[];
  licence: string;
  imageCache?: string;
  signal?: AbortSignal;
  /** What a row says about itself. @throws naming `where` */
  identify(
    row: Record<string, unknown>,
    about: { number: number; imageName: string | null; sha256: string; where: string },
  ): Pick<CorpusRecord, "sourceId" | "imageId"> & Partial<CorpusRecord>;
}

/**
 * Questions with the images beside them in parquet files. Images are written to `imageCache` (default: a folder of
 * data/local), named by hash. A yes/no answer makes a closed question, any other an open one.
 * @throws naming file and row
 */
export async function loadQuestionParquet(source: QuestionFiles): Promise<Corpus> {
  const { dataset, root, files, licence, imageCache = join(paths.local, `${dataset}_images`) } = source;
  const tally = newTally(source.signal), cache = await openImageCache(imageCache);
  for (const { split, path } of files) {
    let k = 0;
    const required = [source.image, "question", "answer", ...source.others];
    for await (const value of parquetRows(path, required, source.optional)) {
      const where = `${path}, row ${++k}`;
      await countRead(tally);
      const row = parseRow(Row, value, where), cell = imageCell(value[source.image]);
      const question = cleanText(row.question ?? "", tally), answer = cleanText(row.answer ?? "", tally);
      const image = cell && await cacheImage(cache, cell.bytes);
      const reason = question === ""
        ? "empty question"
        : answer === ""
        ? "empty answer"
        : cell === null
        ? "no image"
        : null;
      if (cell === null || image === null || reason !== null) {
        drop(tally, reason ?? UNKNOWN_FORMAT, where);
        continue;
      }
      const about = { number: tally.read - 1, imageName: cell.name, sha256: image.sha256, where };
      const identity = source.identify(value, about);
      countRepair(tally, "answer type inferred from yes or no");
      keep(tally, {
        ...EMPTY_FIELDS,
        id: `${dataset}/${split}/${identity.sourceId}`,
        dataset,
        split,
        imagePath: image.path,
        imageSha256: image.sha256,
        question,
        answer,
        answerType: yesOrNo(answer) ? "closed" : "open",
        licence,
        ...identity,
      }, where);
    }
  }
  return finishCorpus(dataset, root, tally);
}
