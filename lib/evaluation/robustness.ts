import { mean } from "../stats/mod.ts";
import type { ItemScore } from "./item_scores.ts";
import { itemMeans } from "./metrics.ts";
import { normaliseAnswer } from "./normalise.ts";
import type { Prediction } from "./records.ts";

/**
 * The paper's robustness rule (section 5.3): "we define a prediction as non-robust if the model produces different answers
 * in three or more out of five inferences. In such cases, we penalize the accuracy by one point". The sentence allows
 * several readings of both halves; each is computed.
 */
export const DIFFERENT_READINGS = {
  distinct: "three or more distinct answers among the five",
  fromMajority: "three or more of the five differ from the most frequent answer",
  fromFirst: "three or more of the five differ from the first answer",
} as const;
/** One of {@linkcode DIFFERENT_READINGS}. */
export type DifferentReading = keyof typeof DIFFERENT_READINGS;

/** What the penalty is. */
export const PENALTY_READINGS = {
  itemIsWrong: "a non-robust item scores zero",
  itemMinusOne: "a non-robust item takes one correct answer off the total",
  onePointOff: "the accuracy loses one percentage point if any item is non-robust",
} as const;
/** One of {@linkcode PENALTY_READINGS}. */
export type PenaltyReading = keyof typeof PENALTY_READINGS;

/** Accuracy under one reading of both halves. */
export interface RobustAccuracy {
  /** When answers count as different. */
  different: DifferentReading;
  /** What that costs. */
  penalty: PenaltyReading;
  /** Items that are not robust. */
  nonRobust: number;
  /** Accuracy after the penalty, 0 to 1. */
  accuracy: number;
}

/** Whether the answers to one item count as non-robust; for k runs other than five the bound is 3/5 of k, rounded up. */
export function isNonRobust(answers: readonly string[], reading: DifferentReading): boolean {
  const normal = answers.map(normaliseAnswer);
  const bound = Math.ceil((3 * normal.length) / 5);
  const counts = new Map<string, number>();
  for (const answer of normal) counts.set(answer, (counts.get(answer) ?? 0) + 1);
  switch (reading) {
    case "distinct":
      return normal.length > 1 && counts.size >= bound;
    case "fromMajority":
      return normal.length - Math.max(...counts.values()) >= bound;
    case "fromFirst":
      return normal.length - counts.get(normal[0])! >= bound;
  }
}

/**
 * Accuracy after the penalty under every pair of readings.
 *
 * @param scores of the same answers, of one rule; items that it leaves out do not count.
 */
export function robustAccuracies(
  predictions: readonly Prediction[],
  scores: readonly ItemScore[],
): RobustAccuracy[] {
  const said = Map.groupBy(predictions, ({ id }) => id), items = itemMeans(scores), n = items.length;
  const answers = items.map(({ id }) => said.get(id)!.map(({ answer }) => answer));
  const plain = mean(items.map(({ score }) => score));
  const rows: RobustAccuracy[] = [];
  for (const different of Object.keys(DIFFERENT_READINGS) as DifferentReading[]) {
    const flags = answers.map((list) => isNonRobust(list, different));
    const nonRobust = flags.filter(Boolean).length;
    const lost = items.reduce((sum, { score }, i) => sum + (flags[i] ? score : 0), 0);
    const accuracy: Record<PenaltyReading, number> = {
      itemIsWrong: plain - lost / n,
      itemMinusOne: plain - nonRobust / n,
      onePointOff: nonRobust > 0 ? plain - 0.01 : plain,
    };
    for (const penalty of Object.keys(PENALTY_READINGS) as PenaltyReading[]) {
      rows.push({ different, penalty, nonRobust, accuracy: Math.max(0, accuracy[penalty]) });
    }
  }
  return rows;
}
