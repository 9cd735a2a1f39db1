import { join } from "@std/path";
import { z } from "zod";
import { yesOrNo } from "../stats/mod.ts";
import { cleanText } from "./clean.ts";
import { readCsv } from "./csv.ts";
import { firstThere, insideFolder, isThere, licenceOf, parseRow, splitNamed } from "./files.ts";
import { newImageCheck, requireAllImages, wantImage } from "./images.ts";
import { hasHubFiles, hubFiles } from "./hub_files.ts";
import { loadQuestionParquet } from "./parquet_questions.ts";
import {
  type Corpus,
  countRead,
  drop,
  EMPTY_FIELDS,
  finishCorpus,
  keep,
  type LoadOptions,
  newTally,
} from "./record.ts";

const SHORT_QA_LICENCE = "not stated; made with Llama 3.1 from MedPix 2.0 (MedPix terms of use, NLM)";
const ROCO_QA_LICENCE = "not stated; made with Llama 3.1 from ROCO (per figure, see licences.txt of ROCO v1)";

const ShortQa = z.looseObject({ case_id: z.string().regex(/^MPX\d+$/) });
const RocoQa = z.looseObject({ image_id: z.string().min(1) });

/** "sample/MPX1007_synpic46722.png" is MedPix 2.0's image MPX1007_synpic46722. */
const medPixImage = (name: string): string => `medpix2/${name.replace(/^.*\//, "").replace(/\.png$/i, "")}`;

/**
 * The questions about MedPix that the paper's authors released: the hub's parquet files (adishourya/MEDPIX-ShortQA,
 * splits Train, Valid and Test; the image is the column image_id), or their repository's dataset_sa.csv (images in
 * sample/), or its sample.parquet (plain bytes, no split: all train). Images and cases keep MedPix 2.0's names, so that an
 * overlap with medpix2 is found; the splits are the authors' own, and their train split has rows of MedPix 2.0's
 * dev and test cases (2,215 of dataset_sa.csv).
 * @throws naming file and row
 */
export async function loadMedPixShortQa(
  dir: string,
  { requireImages = true, signal, imageCache }: LoadOptions & { imageCache?: string } = {},
): Promise<Corpus> {
  const licence = await licenceOf(dir, SHORT_QA_LICENCE), sample = join(dir, "sample.parquet");
  const common = { dataset: "medpix_short_qa", root: dir, licence, imageCache, signal } as const;
  if (await hasHubFiles(dir)) {
    return await loadQuestionParquet({
      ...common,
      files: await hubFiles(dir),
      image: "image_id",
      others: ["case_id"],
      optional: ["mode"],
      identify: (row, { number, imageName, sha256, where }) => ({
        sourceId: `hub_${number}`,
        imageId: imageName ? medPixImage(imageName) : `medpix_short_qa/${sha256.slice(0, 16)}`,
        caseId: `medpix2/${parseRow(ShortQa, row, where).case_id}`,
        contentType: typeof row.mode === "string" ? row.mode : null,
      }),
    });
  }
  if (!(await isThere(join(dir, "dataset_sa.csv"))) && await isThere(sample)) {
    return await loadQuestionParquet({
      ...common,
      files: [{ split: "train", path: sample }],
      image: "image",
      others: ["case_id"],
      identify: (row, { number, sha256, where }) => ({
        sourceId: `sample_${number}`,
        imageId: `medpix_short_qa/${sha256.slice(0, 16)}`,
        caseId: `medpix2/${parseRow(ShortQa, row, where).case_id}`,
      }),
    });
  }
  return await loadShortQaCsv(dir, licence, { requireImages, signal });
}

async function loadShortQaCsv(
  dir: string,
  licence: string,
  { requireImages, signal }: LoadOptions,
): Promise<Corpus> {
  const tally = newTally(signal), images = newImageCheck(signal), path = join(dir, "dataset_sa.csv");
  const folder = await firstThere(dir, ["sample", "images"]) ?? join(dir, "sample");
  const columns = ["image_id", "case_id", "question", "answer", "split"];
  for (const [k, value] of (await readCsv(path, columns, ["mode"], signal)).entries()) {
    const where = `${path}, row ${k + 1}`;
    await countRead(tally);
    const { case_id } = parseRow(ShortQa, value, where), split = splitNamed(value.split);
    if (!split) throw new Error(`${where}: expected the split Train, Valid or Test, found "${value.split}".`);
    const imagePath = insideFolder(folder, value.image_id.replace(/^sample\//, ""), where);
    const question = cleanText(value.question, tally), answer = cleanText(value.answer, tally);
    if (question === "" || answer === "") {
      drop(tally, question === "" ? "empty question" : "empty answer", where);
      continue;
    }
    wantImage(images, imagePath, where);
    keep(tally, {
      ...EMPTY_FIELDS,
      id: `medpix_short_qa/${split}/csv_${k}`,
      dataset: "medpix_short_qa",
      split,
      sourceId: `csv_${k}`,
      imagePath,
      imageId: medPixImage(value.image_id),
      caseId: `medpix2/${case_id}`,
      question,
      answer,
      answerType: yesOrNo(answer) ? "closed" : "open",
      contentType: value.mode || null,
      licence,
    }, where);
  }
  if (requireImages) await requireAllImages(images, `Copy MedPix 2.0's images into ${dir}/sample.`);
  return finishCorpus("medpix_short_qa", dir, tally);
}

/**
 * The questions about ROCO v1 that the paper's authors released on the hub: adishourya/ROCO-QA (splits "Vaild", as it is
 * spelled there, and Test) and ROCO-QA-Train. The caption is the answer. Images keep ROCO v1's names.
 * @throws naming file and row
 */
export async function loadRocoQa(
  dir: string,
  { imageCache, signal }: { imageCache?: string; signal?: AbortSignal } = {},
): Promise<Corpus> {
  return await loadQuestionParquet({
    dataset: "roco_qa",
    root: dir,
    files: await hubFiles(dir),
    image: "image",
    others: ["image_id"],
    licence: await licenceOf(dir, ROCO_QA_LICENCE),
    imageCache,
    signal,
    identify: (row, { number, where }) => {
      const id = parseRow(RocoQa, row, where).image_id.replace(/\.(jpe?g|png)$/i, "");
      return { sourceId: `${id}_${number}`, imageId: `roco_v1/${id}` };
    },
  });
}
