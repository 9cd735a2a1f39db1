import { join } from "@std/path";
import { z } from "zod";
import { captionFault, cleanText } from "./clean.ts";
import { insideFolder, isThere, licenceOf, parseRow, readJson, readJsonList } from "./files.ts";
import { newImageCheck, requireAllImages, wantImage } from "./images.ts";
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
  type Tally,
} from "./record.ts";

const Description = z.looseObject({
  Type: z.enum(["CT", "MR"]),
  U_id: z.string().regex(/^MPX\d+$/),
  image: z.string().min(1),
  Location: z.string().min(1),
  "Location Category": z.string().min(1),
  Description: z.looseObject({
    Age: z.string(),
    Caption: z.string(),
    Modality: z.string(),
    Plane: z.string().nullable(),
    Sex: z.string(),
  }),
});

/** Keys of Case may be missing (Case_topic.json) or null (splitted_dataset). */
const text = z.string().nullish();
const Case = z.looseObject({
  U_id: z.string(),
  Case: z.looseObject({ Title: text, History: text, Exam: text, Findings: text, "Case Diagnosis": text }),
});
const names = z.array(z.string());
const UidList = z.looseObject({ train: names, dev: names, test: names });

/**
 * MedPix 2.0 (Siragusa et al. 2025): Descriptions.json, Case_topic.json, splitted_dataset/uid_list.json and
 * images/*.png, in `dir` or `dir`/MedPix-2-0. One record an image, with its caption; the official split, by case.
 * Placeholder captions are dropped. `context` has plane, age, sex, location category and the case's texts.
 * @throws naming file and row
 */
export async function loadMedPix2(
  dir: string,
  { requireImages = true, signal }: LoadOptions = {},
): Promise<Corpus> {
  const tally = newTally(signal), images = newImageCheck(signal);
  const root = await medPix2Root(dir);
  const licence = await licenceOf(root, "not stated in the files; MedPix terms of use (NLM)");
  const splitOf = await officialSplits(dir);
  const cases = await readCases(join(root, "Case_topic.json"));
  const path = join(root, "Descriptions.json");
  for (const [k, value] of (await readJsonList(path)).entries()) {
    const where = `${path}, row ${k + 1}`;
    await countRead(tally);
    const row = parseRow(Description, value, where);
    const imagePath = insideFolder(join(root, "images"), `${row.image}.png`, where);
    const split = splitOf.get(row.U_id), about = cases.get(row.U_id);
    if (!split) {
      throw new Error(`${where}: expected ${row.U_id} in splitted_dataset/uid_list.json; it is missing.`);
    }
    if (!about) throw new Error(`${where}: expected ${row.U_id} in Case_topic.json; it is missing.`);
    refuseTwice(tally, "image", row.image, where);
    const caption = cleanText(row.Description.Caption, tally);
    const fault = captionFault(caption);
    if (fault !== null) {
      drop(tally, fault, where);
      continue;
    }
    wantImage(images, imagePath, where);
    keep(tally, {
      ...EMPTY_FIELDS,
      id: `medpix2/${split}/${row.image}`,
      dataset: "medpix2",
      split,
      sourceId: row.image,
      imagePath,
      imageId: `medpix2/${row.image}`,
      caseId: `medpix2/${row.U_id}`,
      caption,
      modality: row.Type,
      region: row.Location,
      licence,
      context: contextOf(row, about, tally),
    }, where);
  }
  if (requireImages) {
    await requireAllImages(images, `Copy the images folder of the MedPix-2.0 repository into ${root}.`);
  }
  return finishCorpus("medpix2", dir, tally);
}

const medPix2Root = async (dir: string): Promise<string> =>
  await isThere(join(dir, "MedPix-2-0")) ? join(dir, "MedPix-2-0") : dir;

/**
 * MedPix 2.0's own split of every case ("MPX1009"), from splitted_dataset/uid_list.json under `dir` or
 * `dir`/MedPix-2-0. train_1 and train_2 are halves of train and say nothing new.
 * @throws when a case is in two splits
 */
async function officialSplits(dir: string): Promise<Map<string, Split>> {
  const path = join(await medPix2Root(dir), "splitted_dataset", "uid_list.json");
  const lists = parseRow(UidList, await readJson(path), path);
  const splitOf = new Map<string, Split>();
  for (
    const [split, uids] of [["train", lists.train], ["validation", lists.dev], ["test", lists.test]] as const
  ) {
    for (const uid of uids) {
      const other = splitOf.get(uid);
      if (other) {
        throw new Error(`${path}: expected every case in one split, found ${uid} in ${other} and ${split}.`);
      }
      splitOf.set(uid, split);
    }
  }
  return splitOf;
}

async function readCases(path: string): Promise<Map<string, z.infer<typeof Case>["Case"]>> {
  const cases = new Map<string, z.infer<typeof Case>["Case"]>();
  for (const [k, value] of (await readJsonList(path)).entries()) {
    const row = parseRow(Case, value, `${path}, row ${k + 1}`);
    if (cases.has(row.U_id)) {
      throw new Error(`${path}, row ${k + 1}: expected a new case, found ${row.U_id} again.`);
    }
    cases.set(row.U_id, row.Case);
  }
  return cases;
}

/** The texts that are really there: null, missing, empty and "N/A" ones are left out and counted. */
function contextOf(
  row: z.infer<typeof Description>,
  about: z.infer<typeof Case>["Case"],
  tally: Tally,
): Record<string, string> {
  const given: Record<string, string | null | undefined> = {
    modality: row.Description.Modality,
    plane: row.Description.Plane,
    age: row.Description.Age,
    sex: row.Description.Sex,
    locationCategory: row["Location Category"],
    title: about.Title,
    history: about.History,
    exam: about.Exam,
    findings: about.Findings,
    diagnosis: about["Case Diagnosis"],
  };
  const context: Record<string, string> = {};
  for (const [key, raw] of Object.entries(given)) {
    const value = raw?.replace(/[\s\uE000-\uF8FF]+/gu, " ").trim() ?? "";
    if (value === "" || value === "N/A") countRepair(tally, `no ${key} given`);
    else context[key] = value;
  }
  return context;
}
