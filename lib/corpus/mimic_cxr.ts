import { join } from "@std/path";
import { type CsvRow, readCsv } from "./csv.ts";
import { firstThere, insideFolder, splitNamed } from "./files.ts";
import { newImageCheck, requireAllImages, wantImage } from "./images.ts";
import {
  type Corpus,
  countRead,
  type DroppedRow,
  EMPTY_FIELDS,
  finishCorpus,
  keep,
  type LoadOptions,
  newTally,
  refuseTwice,
} from "./record.ts";

/** The 14 columns of mimic-cxr-2.0.0-chexpert.csv and the question each answers. */
const CHEXPERT_QUESTIONS: Readonly<Record<string, string>> = {
  "Atelectasis": "Is there atelectasis?",
  "Cardiomegaly": "Is there cardiomegaly?",
  "Consolidation": "Is there consolidation?",
  "Edema": "Is there pulmonary edema?",
  "Enlarged Cardiomediastinum": "Is the cardiomediastinum enlarged?",
  "Fracture": "Is there a fracture?",
  "Lung Lesion": "Is there a lung lesion?",
  "Lung Opacity": "Is there a lung opacity?",
  "No Finding": "Is this chest radiograph without any finding?",
  "Pleural Effusion": "Is there a pleural effusion?",
  "Pleural Other": "Is there a pleural abnormality other than an effusion?",
  "Pneumonia": "Is there pneumonia?",
  "Pneumothorax": "Is there a pneumothorax?",
  "Support Devices": "Are there support devices?",
};
const FINDINGS = Object.keys(CHEXPERT_QUESTIONS);
/** What a label means; the files write "1.0", tools that rewrite them often "1". */
const ANSWERS: Readonly<Record<string, string>> = { "1.0": "yes", "1": "yes", "0.0": "no", "0": "no" };
const UNASKED: Readonly<Record<string, string>> = {
  "": "label blank: not mentioned in the report",
  "-1.0": "label -1: uncertain",
  "-1": "label -1: uncertain",
};
const LICENCE = "PhysioNet Credentialed Health Data License 1.5.0";

/**
 * MIMIC-CXR-JPG 2 (Johnson et al. 2019) as PhysioNet lays it out: files/p10/p10000032/s50414267/{dicom_id}.jpg and the
 * tables mimic-cxr-2.0.0-{split,metadata,chexpert}.csv, packed (.gz) or not. Each of the 14 CheXpert labels of a study
 * asks one yes/no question about each of its images: 1.0 is yes, 0.0 no; -1.0 (uncertain) and blank ask nothing and are
 * counted. So a row here is one label of one image. The case is the patient.
 *
 * The data use agreement forbids sending any of it to a server of somebody else: `noThirdParty` is true.
 * @throws naming file and row
 */
export async function loadMimicCxr(
  dir: string,
  { requireImages = true, signal }: LoadOptions = {},
): Promise<Corpus> {
  const tally = newTally(signal), images = newImageCheck(signal), unasked = new Map<string, DroppedRow>();
  const leaveOut = (reason: string, where: string, labels = 1) => {
    const entry = unasked.get(reason) ?? { reason, where, count: 0 };
    unasked.set(reason, { ...entry, count: entry.count! + labels });
  };
  const labels = await byId(await table(dir, "chexpert"), "study_id", ["subject_id", ...FINDINGS], signal);
  const views = await byId(await table(dir, "metadata"), "dicom_id", ["ViewPosition"], signal);
  const path = await table(dir, "split"), studies = new Set<string>();
  for (
    const [k, row] of (await readCsv(path, ["dicom_id", "study_id", "subject_id", "split"], [], signal))
      .entries()
  ) {
    const where = `${path}, row ${k + 1}`, { dicom_id, study_id, subject_id } = row;
    await countRead(tally, FINDINGS.length);
    refuseTwice(tally, "dicom_id", dicom_id, where);
    const split = splitNamed(row.split), view = views.get(dicom_id), study = labels.get(study_id);
    if (!split) throw new Error(`${where}: expected train, validate or test, found "${row.split}".`);
    if (!view) throw new Error(`${where}: expected ${dicom_id} in the metadata table; it is missing.`);
    const folder = `files/p${subject_id.slice(0, 2)}/p${subject_id}/s${study_id}`;
    const imagePath = insideFolder(dir, `${folder}/${dicom_id}.jpg`, where);
    studies.add(study_id);
    wantImage(images, imagePath, where);
    if (!study) {
      leaveOut("study without a row of labels", where, FINDINGS.length);
      continue;
    }
    if (study.row.subject_id !== subject_id) {
      throw new Error(
        `${where}: expected subject ${study.row.subject_id}, as ${study.where} has it, found ${subject_id}.`,
      );
    }
    const context = { study: `s${study_id}`, view: view.row.ViewPosition };
    for (const finding of FINDINGS) {
      const label = study.row[finding], answer = ANSWERS[label];
      if (answer === undefined) {
        const reason = UNASKED[label];
        if (!reason) {
          throw new Error(
            `${study.where}: expected 1.0, 0.0, -1.0 or nothing as ${finding}, found "${label}".`,
          );
        }
        leaveOut(reason, study.where);
        continue;
      }
      const sourceId = `${dicom_id}_${finding.replaceAll(" ", "_")}`;
      keep(tally, {
        ...EMPTY_FIELDS,
        id: `mimic_cxr/${split}/${sourceId}`,
        dataset: "mimic_cxr",
        split,
        sourceId,
        imagePath,
        imageId: `mimic_cxr/${dicom_id}`,
        caseId: `mimic_cxr/p${subject_id}`,
        question: CHEXPERT_QUESTIONS[finding],
        answer,
        answerType: "closed",
        modality: "X-Ray",
        region: "Chest",
        contentType: finding,
        licence: LICENCE,
        noThirdParty: true,
        context,
      }, where);
    }
  }
  for (const [study, { where }] of labels) {
    if (studies.has(study)) continue;
    await countRead(tally, FINDINGS.length);
    leaveOut("labels of a study without images", where, FINDINGS.length);
  }
  tally.dropped.push(...unasked.values());
  if (requireImages) await requireAllImages(images, `Download files/ of MIMIC-CXR-JPG into ${dir}.`);
  return finishCorpus("mimic_cxr", dir, tally);
}

/** Path of one of the tables, unpacked or packed. */
async function table(dir: string, name: string): Promise<string> {
  const file = `mimic-cxr-2.0.0-${name}.csv`;
  return await firstThere(dir, [file, `${file}.gz`]) ?? join(dir, `${file}.gz`);
}

/** Rows of a table by a key that every row has once. */
async function byId(
  path: string,
  key: string,
  columns: string[],
  signal?: AbortSignal,
): Promise<Map<string, { row: CsvRow; where: string }>> {
  const rows = new Map<string, { row: CsvRow; where: string }>();
  for (const [k, row] of (await readCsv(path, [key, ...columns], [], signal)).entries()) {
    const where = `${path}, row ${k + 1}`, earlier = rows.get(row[key]);
    if (earlier) {
      throw new Error(
        `${where}: expected a new ${key}, found "${row[key]}", which ${earlier.where} has too.`,
      );
    }
    rows.set(row[key], { row, where });
  }
  return rows;
}
