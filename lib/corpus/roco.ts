import { join } from "@std/path";
import { cleanText } from "./clean.ts";
import {
  firstThere,
  insideFolder,
  isThere,
  licenceOf,
  newImageCheck,
  readCsv,
  readText,
  requireAllImages,
  wantImage,
} from "./files.ts";
import {
  type Corpus,
  type CorpusRecord,
  EMPTY_FIELDS,
  finishCorpus,
  type LoadOptions,
  newTally,
  SPLITS,
} from "./record.ts";

const V2_NAME = { train: "train", validation: "valid", test: "test" } as const;

/**
 * ROCOv2 (Rueckert et al. 2024): {train,valid,test}_captions.csv (ID,Caption), {..}_concepts.csv (ID,CUIs, optional)
 * and the images {split}/{ID}.jpg (or {split}_images/). Captions only; concept identifiers go to context.cuis.
 * @throws naming file and row
 */
export async function loadRocoV2(dir: string, { requireImages = true }: LoadOptions = {}): Promise<Corpus> {
  const tally = newTally(), records: CorpusRecord[] = [], images = newImageCheck();
  const licence = await licenceOf(dir, "CC BY-NC-SA 4.0 (hub card); per image in license_information.csv");
  for (const split of SPLITS) {
    const name = V2_NAME[split];
    const path = join(dir, `${name}_captions.csv`), conceptPath = join(dir, `${name}_concepts.csv`);
    const folder = await firstThere(dir, [name, `${name}_images/${name}`, `${name}_images`]) ??
      join(dir, name);
    const concepts = new Map<string, string>();
    if (await isThere(conceptPath)) {
      for (const row of await readCsv(conceptPath, ["ID", "CUIs"])) concepts.set(row.ID, row.CUIs);
    }
    const ids = new Map<string, string>();
    for (const [k, row] of (await readCsv(path, ["ID", "Caption"])).entries()) {
      const where = `${path}, row ${k + 1}`;
      const imagePath = insideFolder(folder, `${row.ID}.jpg`, where);
      refuseTwice(ids, row.ID, where);
      const caption = cleanText(row.Caption, tally);
      if (caption === "") {
        tally.dropped.push({ reason: "empty caption", where });
        continue;
      }
      wantImage(images, imagePath, where);
      const cuis = concepts.get(row.ID);
      records.push({
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
      });
    }
  }
  if (requireImages) {
    await requireAllImages(images, `Unpack the image archives into ${dir}/{train,valid,test}.`);
  }
  return finishCorpus("roco_v2", dir, records, tally);
}

/**
 * ROCO v1 (Pelka et al. 2018), radiology part: {split}/radiology/captions.txt (id TAB caption), licences.txt and
 * images/{id}.jpg, under `dir` or `dir`/data. What the paper's code calls ROCO. Splits that are not there are left out;
 * the article (PMC id) is the case.
 * @throws naming file and row
 */
export async function loadRocoV1(dir: string, { requireImages = true }: LoadOptions = {}): Promise<Corpus> {
  const tally = newTally(), records: CorpusRecord[] = [], images = newImageCheck();
  const root = await isThere(join(dir, "data")) ? join(dir, "data") : dir;
  let found = false;
  for (const split of SPLITS) {
    const folder = join(root, split, "radiology"), path = join(folder, "captions.txt");
    if (!(await isThere(path))) continue;
    found = true;
    const licences = new Map(
      (await readCsv(join(folder, "licences.txt"), ["ROCO_ID", "PMC_ID", "CC"])).map((
        row,
      ) => [row.ROCO_ID, row]),
    );
    const ids = new Map<string, string>();
    for (const [k, line] of (await readText(path)).split(/\r?\n/).entries()) {
      if (line === "") continue;
      const where = `${path}, row ${k + 1}`;
      const tab = line.indexOf("\t");
      if (tab < 1) {
        throw new Error(`${where}: expected an id, a tab and a caption, found ${JSON.stringify(line)}.`);
      }
      const id = line.slice(0, tab);
      const imagePath = insideFolder(join(folder, "images"), `${id}.jpg`, where);
      refuseTwice(ids, id, where);
      const caption = cleanText(line.slice(tab + 1).replace(/^ /, ""), tally);
      if (caption === "") {
        tally.dropped.push({ reason: "empty caption", where });
        continue;
      }
      wantImage(images, imagePath, where);
      const source = licences.get(id);
      const article = source?.PMC_ID.split("_")[0];
      records.push({
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
      });
    }
  }
  if (!found) {
    throw new Error(`Expected ${root}/{train,validation,test}/radiology/captions.txt; none is there.`);
  }
  if (requireImages) await requireAllImages(images, `Fetch the figures with ROCO's own script into ${root}.`);
  return finishCorpus("roco_v1", dir, records, tally);
}

function refuseTwice(seen: Map<string, string>, id: string, where: string): void {
  const earlier = seen.get(id);
  if (earlier) throw new Error(`${where}: expected a new ID, found "${id}", which ${earlier} has too.`);
  seen.set(id, where);
}
