import type { ImageFacts } from "../image/mod.ts";
import { quantileOfSorted } from "../stats/mod.ts";
import { type Corpus, type CorpusDataset, type CorpusRecord, type Split, SPLITS } from "./record.ts";

/** A loaded data set, with the sizes of its images where they were inspected. */
export type Summarized = Pick<Corpus, "dataset" | "records"> & { facts?: ReadonlyMap<string, ImageFacts> };

/**
 * One row of the corpus table: a data set's split in numbers, as a person reads them. Lengths are the median number of
 * words with the 5% and 95% points, "6 (4–9)"; sizes are pixels, "512 × 480", width and height each by itself. Null:
 * the data set has no such field, or its images were not inspected.
 */
export interface CorpusSummary extends Record<string, string | number | null> {
  /** The data set. */
  dataset: CorpusDataset;
  /** Its split. */
  split: Split;
  /** Records. */
  rows: number;
  /** Different images. */
  images: number;
  /** Different cases. */
  cases: number;
  /** Closed questions. */
  closed: number;
  /** Open questions. */
  open: number;
  /** Words of a question. */
  questionWords: string | null;
  /** Words of an answer. */
  answerWords: string | null;
  /** Words of a caption. */
  captionWords: string | null;
  /** Median sides. */
  medianSize: string | null;
  /** Least sides. */
  smallestSize: string | null;
  /** Greatest sides. */
  largestSize: string | null;
}

/** What is measured of a row (words) and of an image (pixels). */
export const MEASURES = ["question", "answer", "caption", "image width", "image height"] as const;

/** Five points of the distribution of one measure over a data set: 5%, 25%, 50%, 75%, 95%. */
export interface LengthSpread {
  /** The data set. */
  dataset: CorpusDataset;
  /** What is measured. */
  measure: typeof MEASURES[number];
  /** Its unit. */
  unit: "words" | "pixels";
  /** 5%, 25%, 50%, 75% and 95% points. */
  points: [low: number, q1: number, median: number, q3: number, high: number];
}

/**
 * Words between white space, of any kind and length. Chinese, which is written without it, counts as one word.
 *
 * @example White space of any kind
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { wordCount } from "@lib/corpus/statistics.ts";
 *
 * assertEquals(wordCount(" left\n lower  lobe "), 3);
 * ```
 */
export const wordCount = (text: string): number =>
  text.trim().split(/\s+/).filter((word) => word !== "").length;

/** Summary statistics per split; splits without rows are left out. */
export function summarize({ dataset, records, facts }: Summarized): CorpusSummary[] {
  return SPLITS.map((split) => summary(dataset, split, records.filter((r) => r.split === split), facts))
    .filter((row) => row.rows > 0);
}

/** How long the words and how large the images of a data set are, all splits together; for `lengthsFigure`. */
export function lengthSpreads({ dataset, records, facts }: Summarized): LengthSpread[] {
  const measured = measure(records, facts);
  return MEASURES.filter((name) => measured[name].length > 0).map((name) => ({
    dataset,
    measure: name,
    unit: name.startsWith("image") ? "pixels" : "words",
    points: [0.05, 0.25, 0.5, 0.75, 0.95].map((q) =>
      quantileOfSorted(measured[name], q)
    ) as LengthSpread["points"],
  }));
}

/** Every value of each measure, in rising order. Words are counted once a row, an image once however many rows it has. */
function measure(records: readonly CorpusRecord[], facts: Summarized["facts"]) {
  const words = (field: "question" | "answer" | "caption") =>
    Float64Array.from(records.flatMap((r) => r[field] === null ? [] : [wordCount(r[field])])).sort();
  const ids = new Set(records.map((r) => r.imageId));
  const pixels = (side: "width" | "height") =>
    Float64Array.from([...ids].flatMap((id) => facts?.get(id)?.[side] ?? [])).sort();
  return {
    question: words("question"),
    answer: words("answer"),
    caption: words("caption"),
    "image width": pixels("width"),
    "image height": pixels("height"),
  };
}

function summary(
  dataset: CorpusDataset,
  split: Split,
  records: readonly CorpusRecord[],
  facts: Summarized["facts"],
): CorpusSummary {
  const distinct = (values: (string | null)[]) => new Set(values.filter((v) => v !== null)).size;
  const measured = measure(records, facts);
  const point = (values: Float64Array, q: number) => Number(quantileOfSorted(values, q).toFixed(1));
  const lengths = (values: Float64Array) =>
    values.length === 0 ? null : `${point(values, 0.5)} (${point(values, 0.05)}–${point(values, 0.95)})`;
  const size = (q: number) => {
    const [width, height] = [measured["image width"], measured["image height"]];
    return width.length === 0 ? null : `${point(width, q)} × ${point(height, q)}`;
  };
  return {
    dataset,
    split,
    rows: records.length,
    images: distinct(records.map((r) => r.imageId)),
    cases: distinct(records.map((r) => r.caseId)),
    closed: records.filter((r) => r.answerType === "closed").length,
    open: records.filter((r) => r.answerType === "open").length,
    questionWords: lengths(measured.question),
    answerWords: lengths(measured.answer),
    captionWords: lengths(measured.caption),
    medianSize: size(0.5),
    smallestSize: size(0),
    largestSize: size(1),
  };
}
