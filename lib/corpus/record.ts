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
  | "own";
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
  /** Identity of the image ("slake/xmlab12"): the unit of splits and of the bootstrap. */
  imageId: string;
  /** Identity of the patient's case, where the data set tells. */
  caseId: string | null;
  /** Set by hashImages, and by the parquet loader. */
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

/** A loaded data set and what was done to its rows. */
export interface Corpus {
  dataset: CorpusDataset;
  root: string;
  records: CorpusRecord[];
  /** Rows left out: why, and file and row. */
  dropped: { reason: string; where: string }[];
  /** Fields changed, by reason. */
  repaired: { reason: string; count: number }[];
}

/** What every loader can be told. */
export interface LoadOptions {
  /** False: image files may be missing (only the text is used). Default true. */
  requireImages?: boolean;
}

/** Counts what a loader drops and repairs. */
export interface Tally {
  dropped: Corpus["dropped"];
  repairs: Map<string, number>;
}

export const newTally = (): Tally => ({ dropped: [], repairs: new Map() });
export const countRepair = (tally: Tally, reason: string): void =>
  void tally.repairs.set(reason, (tally.repairs.get(reason) ?? 0) + 1);

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
 * Closes a corpus: drops train rows that repeat image, question, answer and caption (validation and test stay as
 * published).
 * @throws when two records have one id
 */
export function finishCorpus(
  dataset: CorpusDataset,
  root: string,
  records: CorpusRecord[],
  tally: Tally,
): Corpus {
  const ids = new Set<string>(), seen = new Set<string>();
  const kept = records.filter((record) => {
    if (ids.has(record.id)) {
      throw new Error(
        `${root}: expected every id once, found ${record.id} twice. Restore the original files.`,
      );
    }
    ids.add(record.id);
    if (record.split !== "train") return true;
    const content = JSON.stringify([
      record.imageId,
      record.question,
      record.answer,
      record.caption,
      record.choices,
    ]);
    if (!seen.has(content)) return !!seen.add(content);
    tally.dropped.push({ reason: "repeats an earlier row of train", where: record.id });
    return false;
  });
  const repaired = [...tally.repairs].map(([reason, count]) => ({ reason, count }))
    .sort((a, b) => (a.reason < b.reason ? -1 : 1));
  return { dataset, root, records: kept, dropped: tally.dropped, repaired };
}
