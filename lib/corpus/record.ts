import { resolve } from "@std/path";
import { z } from "zod";
import { paths, sha256 } from "../config/mod.ts";
import { checkpoint } from "../jupyter/mod.ts";

/** A data set that a loader reads, or one of the user's own. */
const CorpusDataset = z.union([
  z.enum([
    "slake",
    "pmc_vqa",
    "roco_v1",
    "roco_v2",
    "medpix2",
    "mimic_cxr",
    "vqa_rad",
    "medpix_short_qa",
    "roco_qa",
  ]),
  z.templateLiteral(["own_", z.string()]),
]);
/** Name of a data set. */
export type CorpusDataset = z.infer<typeof CorpusDataset>;
/** The splits, in order. */
export const SPLITS = ["train", "validation", "test"] as const;
/** One of {@linkcode SPLITS}. */
export type Split = typeof SPLITS[number];

/**
 * Absolute path of an image. A table holds it relative to the data folder (LAB_DATA_LOCAL) if it lies there, so that a
 * finished run may be moved together with its data.
 */
export const ImagePath = z.codec(z.string(), z.string(), {
  decode: (path) => resolve(paths.local, path),
  encode: (path) => path.startsWith(`${paths.local}/`) ? path.slice(paths.local.length + 1) : path,
});

/** One question on one image, or one captioned image. The same shape for every data set. */
export const CorpusRecord = z.object({
  /** `${dataset}/${split}/${sourceId}`; unique over all corpora. */
  id: z.string(),
  /** The data set it comes from. */
  dataset: CorpusDataset,
  /** Its published split, or the one that was made. */
  split: z.enum(SPLITS),
  /** Id that the data set itself gives it, or its row. */
  sourceId: z.string(),
  /** Absolute path. */
  imagePath: ImagePath,
  /**
   * Identity of the image ("slake/xmlab12"): the unit of splits and of the bootstrap. Question sets made from another
   * data set's images (medpix_short_qa, roco_qa) use that data set's identity.
   */
  imageId: z.string(),
  /** Identity of the patient's case, where the data set tells. */
  caseId: z.string().nullable(),
  /** Set by inspectImages, and where parquet files carry the image. */
  imageSha256: z.string().nullable(),
  /** Null for caption rows. */
  question: z.string().nullable(),
  /** The right answer; null for a caption without a question. */
  answer: z.string().nullable(),
  /** Options without their letters. */
  choices: z.array(z.string()).nullable(),
  /** Closed questions have few possible answers; null without a question. */
  answerType: z.enum(["closed", "open"]).nullable(),
  /** Null for question rows, but for PMC-VQA 2, which has both. */
  caption: z.string().nullable(),
  /** Modality and location or organ as the data set writes them. */
  modality: z.string().nullable(),
  /** Part of the body, as the data set names it; null where it does not. */
  region: z.string().nullable(),
  /** What the question is about, likewise. */
  contentType: z.string().nullable(),
  /** Language of question and answer. */
  language: z.enum(["en", "zh"]),
  /** Licence of image and text. */
  licence: z.string(),
  /** The data use agreement forbids sending the row to a server of somebody else (MIMIC-CXR). */
  noThirdParty: z.boolean(),
  /** Other text the data set gives about the image (MedPix: plane, history, ...; ROCOv2: cuis). */
  context: z.record(z.string(), z.string()).nullable(),
});
/** A record that {@linkcode CorpusRecord} accepts. */
export type CorpusRecord = z.infer<typeof CorpusRecord>;

/** A row, or rows, left out. */
export interface DroppedRow {
  /** Why it was dropped. */
  reason: string;
  /** File and row, of the first where there are several. */
  where: string;
  /** Rows this stands for, where it is not one: MIMIC-CXR has millions of empty cells. */
  count?: number;
}

/** A loaded data set and what was done to its rows. */
export interface Corpus {
  /** The data set. */
  dataset: CorpusDataset;
  /** Folder, or file, that it was read from. */
  root: string;
  /** Rows that are usable. */
  records: CorpusRecord[];
  /** Rows that are not. */
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
