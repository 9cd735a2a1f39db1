import { type Corpus, type CorpusRecord, type Split, SPLITS } from "./record.ts";

/** One row of the corpus table: a data set's split in numbers. Lengths are means in words. */
export interface CorpusSummary extends Record<string, string | number | null> {
  dataset: string;
  split: Split;
  rows: number;
  images: number;
  cases: number;
  closed: number;
  open: number;
  captions: number;
  questionWords: number | null;
  answerWords: number | null;
  captionWords: number | null;
  longestAnswerWords: number | null;
}

/** Summary statistics per split; splits without rows are left out. */
export function summarize(corpus: Pick<Corpus, "dataset" | "records">): CorpusSummary[] {
  return SPLITS.map((split) =>
    summary(corpus.dataset, split, corpus.records.filter((r) => r.split === split))
  )
    .filter((row) => row.rows > 0);
}

function summary(dataset: string, split: Split, records: CorpusRecord[]): CorpusSummary {
  const distinct = (values: (string | null)[]) => new Set(values.filter((v) => v !== null)).size;
  const words = (values: (string | null)[]) =>
    values.filter((v) => v !== null).map((v) => v.split(/\s+/).length);
  const answers = words(records.map((r) => r.answer));
  return {
    dataset,
    split,
    rows: records.length,
    images: distinct(records.map((r) => r.imageId)),
    cases: distinct(records.map((r) => r.caseId)),
    closed: records.filter((r) => r.answerType === "closed").length,
    open: records.filter((r) => r.answerType === "open").length,
    captions: records.filter((r) => r.caption !== null).length,
    questionWords: mean(words(records.map((r) => r.question))),
    answerWords: mean(answers),
    captionWords: mean(words(records.map((r) => r.caption))),
    longestAnswerWords: answers.length > 0 ? answers.reduce((a, b) => Math.max(a, b)) : null,
  };
}

const mean = (values: number[]): number | null =>
  values.length === 0 ? null : values.reduce((a, b) => a + b, 0) / values.length;
