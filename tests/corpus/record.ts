import { EMPTY_FIELDS } from "../../lib/corpus/record.ts";
import type { CorpusRecord } from "../../lib/corpus/mod.ts";

/** A VQA-RAD record: question `n` about image `image`. */
export const record = (n: number, image: number, about: Partial<CorpusRecord> = {}): CorpusRecord => ({
  ...EMPTY_FIELDS,
  id: `vqa_rad/train/${n}`,
  dataset: "vqa_rad",
  split: "train",
  sourceId: String(n),
  imagePath: `/x/${image}.jpg`,
  imageId: `vqa_rad/${image}`,
  question: "?",
  answer: "yes",
  answerType: "closed",
  licence: "CC0 1.0",
  ...about,
});
