import { join } from "@std/path";
import { z } from "zod";
import { cleanText } from "./clean.ts";
import { firstThere, insideFolder, licenceOf, parseRow, readJsonList } from "./files.ts";
import { newImageCheck, requireAllImages, wantImage } from "./images.ts";
import {
  type Corpus,
  countRead,
  drop,
  EMPTY_FIELDS,
  finishCorpus,
  keep,
  type LoadOptions,
  newTally,
  refuseTwice,
  SPLITS,
} from "./record.ts";

/** The validation file has another name in the hub's copy. */
const FILES = {
  train: ["train.json"],
  validation: ["validate.json", "validation.json"],
  test: ["test.json"],
} as const;

/** All 12 keys are in every row of the published files. */
const Row = z.strictObject({
  img_id: z.number().int().nonnegative(),
  img_name: z.string(),
  question: z.string().min(1),
  answer: z.string(),
  q_lang: z.enum(["en", "zh"]),
  location: z.string().min(1),
  modality: z.string().min(1),
  answer_type: z.enum(["OPEN", "CLOSED"]),
  base_type: z.enum(["vqa", "kvqa"]),
  content_type: z.string().min(1),
  triple: z.array(z.string()).length(3),
  qid: z.number().int().nonnegative(),
});

/**
 * SLAKE (Liu et al. 2021): {train,validate,test}.json and imgs/xmlab{N}/source.jpg.
 *
 * Within one language the splits share no image; over both they do (142 between train and test), so the default is
 * English alone.
 * @param options.language "en" (default), "zh" or "all"
 * @throws naming file and row
 */
export async function loadSlake(
  dir: string,
  { language = "en", requireImages = true, signal }: LoadOptions & { language?: "en" | "zh" | "all" } = {},
): Promise<Corpus> {
  const tally = newTally(signal), images = newImageCheck(signal);
  const licence = await licenceOf(dir, "CC BY 4.0");
  for (const split of SPLITS) {
    const path = await firstThere(dir, FILES[split]) ?? join(dir, FILES[split][0]);
    for (const [k, value] of (await readJsonList(path)).entries()) {
      const where = `${path}, row ${k + 1}`;
      await countRead(tally);
      const row = parseRow(Row, value, where);
      const imagePath = insideFolder(join(dir, "imgs"), row.img_name, where);
      if (row.img_name !== `xmlab${row.img_id}/source.jpg`) {
        throw new Error(
          `${where}: expected img_name "xmlab${row.img_id}/source.jpg", found "${row.img_name}".`,
        );
      }
      refuseTwice(tally, "qid", row.qid, where);
      if (language !== "all" && row.q_lang !== language) {
        drop(tally, `in another language (${row.q_lang})`, where);
        continue;
      }
      const question = cleanText(row.question, tally), answer = cleanText(row.answer, tally);
      if (question === "" || answer === "") {
        drop(tally, question === "" ? "empty question" : "empty answer", where);
        continue;
      }
      wantImage(images, imagePath, where);
      keep(tally, {
        ...EMPTY_FIELDS,
        id: `slake/${split}/${row.qid}`,
        dataset: "slake",
        split,
        sourceId: String(row.qid),
        imagePath,
        imageId: `slake/xmlab${row.img_id}`,
        question,
        answer,
        answerType: row.answer_type === "CLOSED" ? "closed" : "open",
        modality: row.modality,
        region: row.location,
        contentType: row.content_type,
        language: row.q_lang,
        licence,
      }, where);
    }
  }
  if (requireImages) await requireAllImages(images, `Unpack imgs.zip into ${dir}.`);
  return finishCorpus("slake", dir, tally);
}
