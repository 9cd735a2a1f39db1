import { join } from "@std/path";
import { z } from "zod";
import { cleanText } from "./clean.ts";
import { insideFolder, isThere, licenceOf, parseRow, readJsonList } from "./files.ts";
import { newImageCheck, requireAllImages, wantImage } from "./images.ts";
import { hasHubFiles, hubFiles } from "./hub_files.ts";
import { loadQuestionParquet } from "./parquet_questions.ts";
import {
  type Corpus,
  countRead,
  countRepair,
  drop,
  EMPTY_FIELDS,
  finishCorpus,
  keep,
  type LoadOptions,
  newTally,
  refuseTwice,
  type Split,
} from "./record.ts";

const JSON_FILE = "VQA_RAD Dataset Public.json";
const IMAGE_FOLDER = "VQA_RAD Image Folder";

/** One qid is a string, five answers are integers, two rows lack question_rephrase; missing text is "NULL". */
const Row = z.strictObject({
  qid: z.union([z.number().int().nonnegative(), z.string().regex(/^\d+$/)]),
  phrase_type: z.enum(["freeform", "para", "test_freeform", "test_para"]),
  qid_linked_id: z.string(),
  image_case_url: z.string(),
  image_name: z.string(),
  image_organ: z.enum(["HEAD", "CHEST", "ABD"]),
  evaluation: z.string(),
  question: z.string().min(1),
  question_rephrase: z.string().optional(),
  question_relation: z.string(),
  question_frame: z.string(),
  question_type: z.string(),
  answer: z.union([z.string(), z.number()]),
  answer_type: z.string().refine((t) => /^(OPEN|CLOSED)$/.test(t.trim()), "expected OPEN or CLOSED"),
});

/**
 * VQA-RAD (Lau et al. 2018), in its original layout ("VQA_RAD Dataset Public.json" and "VQA_RAD Image Folder/"), or
 * as the hub's parquet files (data/{train,test}-*.parquet). The split is the published one, by question: 202 of 203
 * test images occur in train too. For clean images use splitByGroup.
 *
 * The parquet files have no answer type, organ or image name: closed is inferred from a yes/no answer (about 106
 * closed questions are not yes/no and become open), and the image's hash is its identity.
 * @param options.layout "json" or "parquet"; default: what is there, json first
 * @param options.imageCache folder for the images that parquet files carry inside
 * @throws naming file and row
 */
export async function loadVqaRad(
  dir: string,
  { layout, imageCache, requireImages = true, signal }: LoadOptions & {
    layout?: "json" | "parquet";
    imageCache?: string;
  } = {},
): Promise<Corpus> {
  const path = join(dir, JSON_FILE);
  if (layout === "parquet" || (layout === undefined && !(await isThere(path)) && await hasHubFiles(dir))) {
    return await loadQuestionParquet({
      dataset: "vqa_rad",
      root: dir,
      files: await hubFiles(dir),
      image: "image",
      others: [],
      licence: await licenceOf(dir, "CC0 1.0"),
      imageCache,
      signal,
      identify: (_, { number, sha256 }) => ({
        sourceId: `parquet_${number}`,
        imageId: `vqa_rad/${sha256.slice(0, 16)}`,
      }),
    });
  }
  const tally = newTally(signal), images = newImageCheck(signal);
  const licence = await licenceOf(dir, "CC0 1.0");
  for (const [k, value] of (await readJsonList(path)).entries()) {
    const where = `${path}, row ${k + 1}`;
    await countRead(tally);
    const row = parseRow(Row, value, where);
    const imagePath = insideFolder(join(dir, IMAGE_FOLDER), row.image_name, where);
    const qid = String(row.qid);
    refuseTwice(tally, "qid", qid, where);
    if (typeof row.answer === "number") countRepair(tally, "number made a text");
    if (row.answer_type !== row.answer_type.trim()) countRepair(tally, "outer white space removed");
    const answer = cleanText(String(row.answer), tally), question = cleanText(row.question, tally);
    if (answer === "" || question === "") {
      drop(tally, answer === "" ? "empty answer" : "empty question", where);
      continue;
    }
    const split: Split = row.phrase_type.startsWith("test") ? "test" : "train";
    const rephrased = row.question_rephrase ?? "NULL";
    wantImage(images, imagePath, where);
    keep(tally, {
      ...EMPTY_FIELDS,
      id: `vqa_rad/${split}/${qid}`,
      dataset: "vqa_rad",
      split,
      sourceId: qid,
      imagePath,
      imageId: `vqa_rad/${row.image_name.replace(/\.jpg$/, "")}`,
      caseId: `vqa_rad/${row.image_case_url}`,
      question,
      answer,
      answerType: row.answer_type.trim() === "CLOSED" ? "closed" : "open",
      region: row.image_organ,
      contentType: row.question_type.trim(),
      licence,
      context: rephrased === "NULL" ? null : { rephrased: cleanText(rephrased, tally) },
    }, where);
  }
  if (requireImages) await requireAllImages(images, `Put the image folder "${IMAGE_FOLDER}" into ${dir}.`);
  return finishCorpus("vqa_rad", dir, tally);
}
