import { parquetReadObjects } from "hyparquet";
import { join } from "@std/path";
import { z } from "zod";
import { paths, sha256 } from "../config/mod.ts";
import { cleanText, isYesNo } from "./clean.ts";
import { isThere, licenceOf, parseRow } from "./files.ts";
import {
  type Corpus,
  type CorpusRecord,
  countRepair,
  EMPTY_FIELDS,
  finishCorpus,
  newTally,
  type Split,
} from "./record.ts";

const Row = z.looseObject({
  image: z.looseObject({ bytes: z.instanceof(Uint8Array) }),
  question: z.string().min(1),
  answer: z.string(),
});

/** VQA-RAD from the hub's parquet files; their images are written to `imageCache`, named by hash. */
export async function loadVqaRadParquet(
  dir: string,
  imageCache = join(paths.local, "vqa_rad_images"),
): Promise<Corpus> {
  const tally = newTally(), records: CorpusRecord[] = [];
  const licence = await licenceOf(dir, "CC0 1.0");
  await Deno.mkdir(imageCache, { recursive: true });
  const files = await parquetFiles(join(dir, "data"));
  for (const { split, path } of files) {
    for (const [k, value] of (await readParquet(path)).entries()) {
      const where = `${path}, row ${k + 1}`;
      const row = parseRow(Row, value, where);
      const hash = sha256(row.image.bytes), imagePath = join(imageCache, `${hash}.jpg`);
      const question = cleanText(row.question, tally), answer = cleanText(row.answer, tally);
      if (answer === "" || question === "") {
        tally.dropped.push({ reason: answer === "" ? "empty answer" : "empty question", where });
        continue;
      }
      if (!(await isThere(imagePath))) {
        await Deno.writeFile(`${imagePath}.tmp`, row.image.bytes);
        await Deno.rename(`${imagePath}.tmp`, imagePath);
      }
      countRepair(tally, "answer type inferred from yes or no");
      records.push({
        ...EMPTY_FIELDS,
        id: `vqa_rad/${split}/parquet_${records.length}`,
        dataset: "vqa_rad",
        split,
        sourceId: `parquet_${records.length}`,
        imagePath,
        imageId: `vqa_rad/${hash.slice(0, 16)}`,
        imageSha256: hash,
        question,
        answer,
        answerType: isYesNo(answer) ? "closed" : "open",
        licence,
      });
    }
  }
  return finishCorpus("vqa_rad", dir, records, tally);
}

/** Files of the hub's naming, train before test, in order. */
async function parquetFiles(folder: string): Promise<{ split: Split; path: string }[]> {
  const files: { split: Split; path: string }[] = [];
  if (await isThere(folder)) {
    for await (const { name } of Deno.readDir(folder)) {
      const match = name.match(/^(train|test)-\d+-of-\d+.*\.parquet$/);
      if (match) files.push({ split: match[1] as Split, path: join(folder, name) });
    }
  }
  if (files.length === 0) {
    throw new Error(`Expected ${folder}/{train,test}-*.parquet; no such file is there.`);
  }
  return files.sort((
    a,
    b,
  ) => (a.split === b.split ? (a.path < b.path ? -1 : 1) : a.split === "train" ? -1 : 1));
}

async function readParquet(path: string): Promise<unknown[]> {
  const bytes = await Deno.readFile(path);
  try {
    return await parquetReadObjects({
      file: bytes.buffer,
      columns: ["image", "question", "answer"],
      utf8: false,
    });
  } catch (error) {
    throw new Error(
      `${path}: expected a parquet file with image, question and answer, found: ${
        (error as Error).message
      }. ` +
        "Download the file again.",
    );
  }
}
