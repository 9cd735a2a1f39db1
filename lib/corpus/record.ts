import { sha256 } from "../config/mod.ts";
import { checkpoint } from "../jupyter/mod.ts";

export type CorpusDataset =
  | "slake"
  | "pmc_vqa"
  | "roco_v1"
  | "roco_v2"
  | "medpix2"
  | "mimic_cxr"
  | "vqa_rad"
  | "medpix_short_qa"
  | "roco_qa"
  | `own_${string}`;
export const SPLITS = ["train", "validation", "test"] as const;
export type Split = typeof SPLITS[number];

/** One question on one image, or one captioned image. The same shape for every data set. */
export interface CorpusRecord {
  /** `${dataset}/${split}/${sourceId}`; unique over all corpora. */
  id: string;
  dataset: CorpusDataset;
  split: Split;
  sourceId: string;
  /** Absolute path. */
  imagePath: string;
  /**
   * Identity of the image ("slake/xmlab12"): the unit of splits and of the bootstrap. Question sets made from another
   * data set's images (medpix_short_qa, roco_qa) use that data set's identity.
   */
  imageId: string;
  /** Identity of the patient's case, where the data set tells. */
  caseId: string | null;
  /** Set by inspectImages, and where parquet files carry the image. */
  imageSha256: string | null;
  /** Null for caption rows. */
  question: string | null;
  answer: string | null;
  /** Options without their letters. */
  choices: string[] | null;
  answerType: "closed" | "open" | null;
  /** Null for question rows, but for PMC-VQA 2, which has both. */
  caption: string | null;
  /** Modality and location or organ as the data set writes them. */
  modality: string | null;
  region: string | null;
  contentType: string | null;
  language: "en" | "zh";
  licence: string;
  /** The data use agreement forbids sending the row to a server of somebody else (MIMIC-CXR). */
  noThirdParty: boolean;
  /** Other text the data set gives about the image (MedPix: plane, history, ...; ROCOv2: cuis). */
  context: Record<string, string> | null;
}

/** A row, or rows, left out. */
export interface DroppedRow {
  reason: string;
  /** File and row, of the first where there are several. */
  where: string;
  /** Rows this stands for, where it is not one: MIMIC-CXR has millions of empty cells. */
  count?: number;
}

/** A loaded data set and what was done to its rows. */
export interface Corpus {
  dataset: CorpusDataset;
  root: string;
  records: CorpusRecord[];
  dropped: DroppedRow[];
  /** Fields changed, by reason. */
  repaired: { reason: string; count: number }[];
}

/** What every loader can be told. */
export interface LoadOptions {
  /** False: image files may be missing (only the text is used). Default true. */
  requireImages?: boolean;
  /** Ends the loading with its reason. */
  signal?: AbortSignal;
}

/** What a loader has read, kept, dropped and repaired so far. */
export interface Tally {
  /** Rows read: each is then kept or dropped. */
  read: number;
  records: CorpusRecord[];
  dropped: DroppedRow[];
  repairs: Map<string, number>;
  /** Where each source id was seen first. */
  ids: Map<string, string>;
  /** Contents of train rows. */
  contents: Set<string>;
  /** Ends the loading. */
  signal?: AbortSignal;
}

export const newTally = (signal?: AbortSignal): Tally => ({
  read: 0,
  records: [],
  dropped: [],
  repairs: new Map(),
  ids: new Map(),
  contents: new Set(),
  signal,
});

/** Counts a row, or `rows` that one line stands for, as read. @throws the reason of the loading's signal */
export async function countRead(tally: Tally, rows = 1): Promise<void> {
  tally.read += rows;
  await checkpoint(tally.signal);
}

export const countRepair = (tally: Tally, reason: string): void =>
  void tally.repairs.set(reason, (tally.repairs.get(reason) ?? 0) + 1);

export const drop = (tally: Tally, reason: string, where: string): void =>
  void tally.dropped.push({ reason, where });

/** Rows that a drop stands for. */
export const droppedCount = (dropped: readonly DroppedRow[]): number =>
  dropped.reduce((sum, { count }) => sum + (count ?? 1), 0);

/** @throws naming both rows when an id of the source is there twice */
export function refuseTwice(tally: Tally, what: string, id: string | number, where: string): void {
  const earlier = tally.ids.get(`${id}`);
  if (earlier) {
    throw new Error(
      `${where}: expected a new ${what}, found ${JSON.stringify(id)}, which ${earlier} has too.`,
    );
  }
  tally.ids.set(`${id}`, where);
}

/** Fields that most records leave empty. */
export const EMPTY_FIELDS = {
  caseId: null,
  imageSha256: null,
  question: null,
  answer: null,
  choices: null,
  answerType: null,
  caption: null,
  modality: null,
  region: null,
  contentType: null,
  language: "en",
  noThirdParty: false,
  context: null,
} as const;

/**
 * Keeps a record, or drops it when it is in train and repeats image, question, answer, options and caption of an
 * earlier one (validation and test stay as published).
 */
export function keep(tally: Tally, record: CorpusRecord, where: string): void {
  if (record.split === "train") {
    const { imageId, question, answer, caption, choices } = record;
    const content = sha256(JSON.stringify([imageId, question, answer, caption, choices]));
    if (tally.contents.has(content)) return drop(tally, "repeats an earlier row of train", where);
    tally.contents.add(content);
  }
  tally.records.push(record);
}

/** Closes a corpus. @throws when rows were neither kept nor dropped, which is a fault of the loader */
export function finishCorpus(dataset: CorpusDataset, root: string, tally: Tally): Corpus {
  const { read, records, dropped } = tally;
  const accounted = records.length + droppedCount(dropped);
  if (accounted !== read) {
    throw new Error(`${root}: ${read} rows were read, but ${accounted} kept or dropped.`);
  }
  const repaired = [...tally.repairs].map(([reason, count]) => ({ reason, count }))
    .sort((a, b) => (a.reason < b.reason ? -1 : 1));
  return { dataset, root, records, dropped, repaired };
}
