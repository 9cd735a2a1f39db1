import type { QaPair } from "../../lib/synthesis/mod.ts";

/** A template pair on image `n` of a data set, changed as asked; its id is `${dataset}/${n}/${question}`. */
export function pair(dataset: string, n: number, change: Partial<QaPair> = {}): QaPair {
  return {
    id: `${dataset}/${n}/${change.question ?? "q"}`,
    dataset,
    split: "train",
    imageId: `${dataset}/${n}`,
    caseId: null,
    question: "which side?",
    answer: "left",
    origin: "template",
    verdicts: "{}",
    ...change,
  } as QaPair;
}
