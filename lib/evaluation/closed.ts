import { clusteredShare, type Interval, mean, std } from "../stats/mod.ts";
import { normaliseAnswer } from "./normalise.ts";
import { answersByItem, type EvaluationItem, type Prediction } from "./records.ts";
import { robustAccuracies, type RobustAccuracy } from "./robustness.ts";
import { type ScorerName, SCORERS, UNREAD } from "./scorers.ts";

/** One item's outcome over the runs. */
export interface ItemScore {
  id: string;
  imageId: string;
  answers: string[];
  /** Score per run; null where the rule leaves the answer out. */
  scores: (number | null)[];
  /** Mean over the runs that count; null if none does. */
  score: number | null;
}

/** Accuracy of one system on closed questions over k runs. */
export interface ClosedResult {
  scorer: ScorerName;
  items: number;
  /** Items that the rule says nothing about. */
  leftOut: number;
  runs: number;
  perRun: number[];
  /** Mean over runs, and its spread between runs (sample standard deviation). */
  accuracy: number;
  std: number;
  /** 95 %, of the images that were drawn. */
  byImage: Interval;
  robust: RobustAccuracy[];
  /** Share of items with the same answer in all runs. */
  unanimous: number;
  perItem: ItemScore[];
}

/**
 * Scores k runs of one system on closed questions (paper section 5.3: five stochastic generations per item).
 *
 * @throws when a prediction is missing, unknown or doubled, or when the rule applies to no item.
 */
export function evaluateClosed(
  items: readonly EvaluationItem[],
  predictions: readonly Prediction[],
  { scorer = "exact" }: { scorer?: ScorerName } = {},
): ClosedResult {
  const { runs, answers } = answersByItem(items, predictions);
  const perItem = items.map((item, i): ItemScore => {
    const scores = answers[i].map((prediction) => SCORERS[scorer]({ ...item, prediction }));
    const counted = scores.filter((score) => score !== null);
    return {
      id: item.id,
      imageId: item.imageId,
      answers: answers[i],
      scores,
      score: counted.length > 0 ? mean(counted) : null,
    };
  });
  const kept = perItem.filter((item) => item.score !== null);
  if (kept.length === 0) {
    throw new Error(
      `Scorer "${scorer}" applies to none of the ${items.length} items: choose another, or other items.`,
    );
  }
  const perRun = runs.map((_, r) => mean(perItem.map((item) => item.scores[r]).filter((s) => s !== null)));
  const scores = kept.map((item) => item.score!);
  const accuracy = mean(perRun);
  return {
    scorer,
    items: items.length,
    leftOut: items.length - kept.length,
    runs: runs.length,
    perRun,
    accuracy,
    std: std(perRun),
    byImage: clusteredShare(scores, kept.map((item) => item.imageId)),
    robust: robustAccuracies(kept.map((item) => item.answers), scores),
    unanimous: mean(perItem.map((item) => Number(new Set(item.answers.map(normaliseAnswer)).size === 1))),
    perItem,
  };
}

/** One rule's row of `scorerTable`. */
export interface ScorerRow {
  scorer: ScorerName;
  items: number;
  leftOut: number;
  /** Share of the answers in which the rule found nothing that it could read, all wrong; null for rules that read nothing. */
  unread: number | null;
  accuracy: number;
  low: number;
  high: number;
}

/** How the same outputs score under every rule that applies to at least one item. */
export function scorerTable(
  items: readonly EvaluationItem[],
  predictions: readonly Prediction[],
): ScorerRow[] {
  const rows: ScorerRow[] = [];
  const { answers } = answersByItem(items, predictions);
  for (const scorer of Object.keys(SCORERS) as ScorerName[]) {
    const applies = items.some((item, i) =>
      answers[i].some((prediction) => SCORERS[scorer]({ ...item, prediction }) !== null)
    );
    if (!applies) continue;
    const result = evaluateClosed(items, predictions, { scorer }), found = UNREAD[scorer];
    const read = items.flatMap((item, i) =>
      result.perItem[i].score === null ? [] : answers[i].map((prediction) => ({ ...item, prediction }))
    );
    rows.push({
      scorer,
      items: result.items - result.leftOut,
      leftOut: result.leftOut,
      unread: found ? mean(read.map((input) => Number(found(input)))) : null,
      accuracy: result.accuracy,
      low: result.byImage.low,
      high: result.byImage.high,
    });
  }
  return rows;
}

/** Accuracy of one group of items (an organ, a question type). */
export interface GroupAccuracy {
  group: string;
  items: number;
  images: number;
  accuracy: number;
  byImage: Interval;
}

/**
 * Accuracy per group of items, for table 2 (organs) and like breakdowns; largest group first.
 *
 * @param groupOf the group of an item; null leaves it out.
 */
export function accuracyByGroup<T extends EvaluationItem>(
  items: readonly T[],
  result: { perItem: readonly { id: string; score: number | null }[] },
  groupOf: (item: T) => string | null,
): GroupAccuracy[] {
  const scoreOf = new Map(result.perItem.map((item) => [item.id, item.score]));
  const groups = new Map<string, { scores: number[]; images: string[] }>();
  for (const item of items) {
    const group = groupOf(item);
    const score = scoreOf.get(item.id);
    if (group === null || score === null || score === undefined) continue;
    const entry = groups.get(group) ?? { scores: [], images: [] };
    entry.scores.push(score);
    entry.images.push(item.imageId);
    groups.set(group, entry);
  }
  return [...groups].map(([group, { scores, images }]) => ({
    group,
    items: scores.length,
    images: new Set(images).size,
    accuracy: mean(scores),
    byImage: clusteredShare(scores, images),
  })).sort((a, b) => b.items - a.items || (a.group < b.group ? -1 : 1));
}
