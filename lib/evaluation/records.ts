import { z } from "zod";
import { rng } from "../config/mod.ts";

/** A question with its reference answer. Corpus records and question-answer pairs with an answer fit. */
export interface EvaluationItem {
  /** Id of the item. */
  id: string;
  /** Image identity: the cluster of every interval. */
  imageId: string;
  /** What is asked. */
  question: string;
  /** The reference. */
  answer: string;
  /** Options of a multiple choice question; null without. */
  choices: string[] | null;
  /** Closed questions have few possible answers. */
  answerType: "closed" | "open" | null;
  /** The judge must run on this machine. */
  noThirdParty?: boolean;
}

/** An item whose image is known. */
export interface AskedItem extends EvaluationItem {
  /** Path of the image. */
  imagePath: string;
}

/**
 * One answer of one system: several runs per item, each with the seed that it was sampled with (null: not known); `cut`: it was
 * cut at the token limit.
 */
export const Prediction = z.strictObject({
  id: z.string().min(1),
  run: z.number().int().nonnegative(),
  answer: z.string(),
  seed: z.number().int().nullable().default(null),
  cut: z.boolean().default(false),
});
/** What a system answered to an item. */
export type Prediction = z.infer<typeof Prediction>;

/** The seed of an item's answer in one run, a whole number from 0 below 2^31. */
export const answerSeed = (seed: number, id: string, run: number): number =>
  Math.floor(rng(JSON.stringify([seed, id, run]))() * 2 ** 31);

/**
 * Answers per item and run: `[item][run]`, runs in rising order.
 *
 * @throws when an item has no answer in some run, an id is unknown, or an id occurs twice in one run.
 */
export function answersByItem(
  items: readonly EvaluationItem[],
  predictions: readonly Prediction[],
): { runs: number[]; answers: string[][] } {
  const runs = [...new Set(predictions.map((p) => p.run))].sort((a, b) => a - b);
  const column = new Map(runs.map((run, i) => [run, i]));
  const row = new Map(items.map((item, i) => [item.id, i]));
  if (row.size !== items.length) {
    throw new Error(`Expected unique item ids; found ${items.length - row.size} repeated.`);
  }
  const table: (string | undefined)[][] = items.map(() => new Array(runs.length));
  for (const { id, run, answer } of predictions) {
    const at = row.get(id);
    if (at === undefined) throw new Error(`Predictions name item "${id}", which is not among the items.`);
    if (table[at][column.get(run)!] !== undefined) {
      throw new Error(`Predictions hold item "${id}" twice in run ${run}.`);
    }
    table[at][column.get(run)!] = answer;
  }
  table.forEach((answers, i) => {
    const missing = runs.filter((_, r) => answers[r] === undefined);
    if (missing.length > 0 || runs.length === 0) {
      throw new Error(
        `Predictions lack item "${items[i].id}" in run ${
          missing.join(", ") || "0"
        }: every run must answer every item.`,
      );
    }
  });
  return { runs, answers: table as string[][] };
}
