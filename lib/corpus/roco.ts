import { join } from "@std/path";
import { captionFault, cleanText } from "./clean.ts";
import { readCsv } from "./csv.ts";
import { firstThere, insideFolder, isThere, licenceOf, readText } from "./files.ts";
import { newImageCheck, requireAllImages, wantImage } from "./images.ts";
import { hasHubFiles } from "./hub_files.ts";
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
import { loadRocoParquet } from "./roco_parquet.ts";

const V2_NAME = { train: "train", validation: "valid", test: "test" } as const;

/** Where images out of parquet files go; default: a folder of data/local. */
export interface RocoOptions extends LoadOptions {
  /** Folder that images out of Parquet files are written to. */
  imageCache?: string;
}

/**
 * ROCOv2 (Rueckert et al. 2024): {train,valid,test}_captions.csv (ID,Caption), {..}_concepts.csv (ID,CUIs, optional)
 * and the images {split}/{ID}.jpg (or {split}_images/); or the hub's parquet files (eltorio/ROCOv2-radiology).
 * Captions only; concept identifiers go to context.cuis, separated by ";".
 * @throws naming file and row
 */
export async function loadRocoV2(dir: string, options: RocoOptions = {}): Promise<Corpus> {
  if (await hasHubFiles(dir)) return await loadRocoParquet("roco_v2", dir, options);
  const tally = newTally(options.signal), images = newImageCheck(options.signal);
  const licence = await licenceOf(dir, "CC BY-NC-SA 4.0 (hub card); per image in license_information.csv");
  for (const split of SPLITS) {
    const name = V2_NAME[split];
    const path = join(dir, `${name}_captions.csv`), conceptPath = join(dir, `${name}_concepts.csv`);
    const folder = await firstThere(dir, [`${name}_images/${name}`, `${name}_images`, name]) ??
      join(dir, name);
    const concepts = new Map<string, string>();
    if (await isThere(conceptPath)) {
      for (const row of await readCsv(conceptPath, ["ID", "CUIs"], [], options.signal)) {
        concepts.set(row.ID, row.CUIs);
      }
    }
    for (const [k, row] of (await readCsv(path, ["ID", "Caption"], [], options.signal)).entries()) {
      const where = `${path}, row ${k + 1}`;
      await countRead(tally);
      const imagePath = insideFolder(folder, `${row.ID}.jpg`, where);
      refuseTwice(tally, "ID", row.ID, where);
      const caption = cleanText(row.Caption, tally);
      const fault = captionFault(caption);
      if (fault !== null) {
        drop(tally, fault, where);
        continue;
      }
      wantImage(images, imagePath, where);
      const cuis = concepts.get(row.ID);
      keep(tally, {
        ...EMPTY_FIELDS,
        id: `roco_v2/${split}/${row.ID}`,
        dataset: "roco_v2",
        split,
        sourceId: row.ID,
        imagePath,
        imageId: `roco_v2/${row.ID}`,
        caption,
        licence,
        context: cuis ? { cuis } : null,
      }, where);
    }
  }
  if (options.requireImages ?? true) {
    await requireAllImages(images, `Unpack the image archives into ${dir}/{train,valid,test}.`);
  }
  return finishCorpus("roco_v2", dir, tally);
}

/**
 * ROCO v1 (Pelka et al. 2018), radiology part: {split}/radiology/captions.txt (id TAB caption), licences.txt and
 * images/{id}.jpg, under `dir` or `dir`/data; or its twin on the hub, which the paper's authors used
 * (mdwiratathya/ROCO-radiology: parquet, without articles and licences). Splits that are not there are left out; the
 * article (PMC id) is the case.
 * @throws naming file and row
 */
export async function loadRocoV1(dir: string, options: RocoOptions = {}): Promise<Corpus> {
  if (await hasHubFiles(dir)) return await loadRocoParquet("roco_v1", dir, options);
  const tally = newTally(options.signal), images = newImageCheck(options.signal);
  const root = await isThere(join(dir, "data")) ? join(dir, "data") : dir;
  let found = false;
  for (const split of SPLITS) {
    const folder = join(root, split, "radiology"), path = join(folder, "captions.txt");
    if (!(await isThere(path))) continue;
    found = true;
    const sources = new Map(
      (await readCsv(join(folder, "licences.txt"), ["ROCO_ID", "PMC_ID", "CC"], [], options.signal))
        .map((row) => [row.ROCO_ID, row]),
    );
    for (const [k, line] of (await readText(path)).split(/\r?\n/).entries()) {
      if (line === "") continue;
      const where = `${path}, row ${k + 1}`;
      await countRead(tally);
      const tab = line.indexOf("\t");
      if (tab < 1) {
        throw new Error(
          `${where}: expected an id, a tab and a caption, found ${JSON.stringify(line.slice(0, 300))}.`,
        );
      }
      const id = line.slice(0, tab);
      const imagePath = insideFolder(join(folder, "images"), `${id}.jpg`, where);
      refuseTwice(tally, "ID", id, where);
      // The space before every caption is the layout's, no oddity.
      const caption = cleanText(line.slice(tab + 1).replace(/^ /, ""), tally);
      const fault = captionFault(caption);
      if (fault !== null) {
        drop(tally, fault, where);
        continue;
      }
      wantImage(images, imagePath, where);
      const source = sources.get(id), article = source?.PMC_ID.split("_")[0];
      keep(tally, {
        ...EMPTY_FIELDS,
        id: `roco_v1/${split}/${id}`,
        dataset: "roco_v1",
        split,
        sourceId: id,
        imagePath,
        imageId: `roco_v1/${id}`,
        caseId: article ? `roco_v1/${article}` : null,
        caption,
        licence: source?.CC ?? "unknown",
      }, where);
    }
  }
  if (!found) {
    throw new Error(
      `Expected ${root}/{train,validation,test}/radiology/captions.txt, or the hub's parquet files; none is there.`,
    );
  }
  if (options.requireImages ?? true) {
    await requireAllImages(images, `Fetch the figures with ROCO's own script into ${root}.`);
  }
  return finishCorpus("roco_v1", dir, tally);
}
