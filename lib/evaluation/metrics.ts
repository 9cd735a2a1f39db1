import {
  clusteredDifference,
  clusteredShare,
  detectableDifference,
  type Interval,
  mean,
  signFlipTest,
  std,
} from "../stats/mod.ts";
import { type ItemScore, scoresOf, type ScoreTable } from "./item_scores.ts";
import { type ScorerName, SCORERS, UNREAD } from "./scorers.ts";

/** An item's score: the mean over those runs that count. */
export interface ItemMean {
  /** Id of the item. */
  id: string;
  /** Id of its image. */
  imageId: string;
  /** Mean of its answers' scores, 0 to 1. */
  score: number;
}

/** Mean score of every item that the rule says something about, in the order of the rows. */
export function itemMeans(scores: readonly ItemScore[]): ItemMean[] {
  return [...Map.groupBy(scores, ({ id }) => id)].flatMap(([id, own]) => {
    const counted = own.flatMap(({ score }) => score === null ? [] : [score]);
    return counted.length > 0 ? [{ id, imageId: own[0].imageId, score: mean(counted) }] : [];
  });
}

/** Accuracy of one system under one rule, over k runs. */
export interface Accuracy {
  /** Items that the rule says something about, and about how many images. */
  items: number;
  /** Different images of these items. */
  images: number;
  /** Items that it says nothing about. */
  leftOut: number;
  /** Answers to each item. */
  runs: number;
  /** Mean over runs, and its spread between runs (sample standard deviation). */
  accuracy: number;
  /** See `accuracy`; 0 of one run. */
  std: number;
  /** 95 %, of the images that were drawn. */
  byImage: Interval;
  /** Shares of the answers that count: nothing to be read in them (wrong), and cut at the token limit. */
  unread: number;
  /** See `unread`. */
  cut: number;
}

/** Accuracy of one system under one rule. @returns null of no scores, or if the rule leaves all of them out */
export function accuracyOf(scores: readonly ItemScore[]): Accuracy | null {
  const items = itemMeans(scores), counted = scores.filter(({ score }) => score !== null);
  if (items.length === 0) return null;
  const perRun = [...Map.groupBy(counted, ({ run }) => run).values()]
    .map((own) => mean(own.map(({ score }) => score!)));
  return {
    items: items.length,
    images: new Set(items.map(({ imageId }) => imageId)).size,
    leftOut: new Set(scores.map(({ id }) => id)).size - items.length,
    runs: perRun.length,
    accuracy: mean(perRun),
    std: std(perRun),
    byImage: clusteredShare(items.map(({ score }) => score), items.map(({ imageId }) => imageId)),
    unread: mean(counted.map(({ unread }) => Number(unread))),
    cut: mean(counted.map(({ cut }) => Number(cut))),
  };
}

/** One rule's row of `scorerTable`. */
export interface ScorerRow {
  /** The rule. */
  scorer: ScorerName;
  /** Items that it says something about. */
  items: number;
  /** Items that it says nothing about. */
  leftOut: number;
  /** Share of the answers in which the rule found nothing that it could read, all wrong; null for rules that read nothing. */
  unread: number | null;
  /** Mean score, 0 to 1. */
  accuracy: number;
  /** Lower end of its 95 % interval, by image. */
  low: number;
  /** Upper end. */
  high: number;
}

/** How one system's short answers score under every rule that applies to at least one item. */
export function scorerTable(table: ScoreTable, cell: string): ScorerRow[] {
  return (Object.keys(SCORERS) as ScorerName[]).flatMap((scorer) => {
    const found = accuracyOf(scoresOf(table, cell, "short", scorer));
    if (found === null) return [];
    // The mean of items, to which the interval belongs; that of runs is another one where a rule leaves single answers out.
    const { items, leftOut, unread, byImage: { estimate: accuracy, low, high } } = found;
    return [{ scorer, items, leftOut, unread: scorer in UNREAD ? unread : null, accuracy, low, high }];
  });
}

/** How far the second system is from the first on the same items. */
export interface Difference extends Interval {
  /** Items that both answered. */
  items: number;
  /** Of a difference of zero, by flipping whole images (`signFlipTest`). */
  pValue: number;
  /** The difference that this test finds with 80 % power. */
  detectable: number;
}

/** Differences item by item, second minus first. @throws when the two are not about the same items */
function paired(first: readonly ItemScore[], second: readonly ItemScore[]) {
  const before = new Map(itemMeans(first).map(({ id, score }) => [id, score])), after = itemMeans(second);
  const missing = after.find(({ id }) => !before.has(id));
  if (after.length !== before.size || missing) {
    throw new Error(
      `Expected two systems with scores of the same items; found ${before.size} of ${
        first[0]?.cell ?? "none"
      } and ` +
        `${after.length} of ${second[0]?.cell ?? "none"}${
          missing ? `, ${missing.id} only of the latter` : ""
        }.`,
    );
  }
  return {
    differences: after.map(({ id, score }) => score - before.get(id)!),
    images: after.map(({ imageId }) => imageId),
  };
}

/** Second minus first with its interval of the images. @throws when the two are not about the same items, or there are none */
export function differenceOf(first: readonly ItemScore[], second: readonly ItemScore[]): Interval {
  const { differences, images } = paired(first, second);
  return clusteredDifference(differences, images);
}

/** {@link differenceOf} with its test. */
export function compare(first: readonly ItemScore[], second: readonly ItemScore[]): Difference {
  const { differences, images } = paired(first, second);
  return {
    ...clusteredDifference(differences, images),
    items: differences.length,
    pValue: signFlipTest(differences, images, `difference/${second[0].cell}`),
    detectable: detectableDifference(differences, images),
  };
}

/** Accuracy of one group of items (an organ, a question type). */
export interface GroupAccuracy {
  /** Name of the group. */
  group: string;
  /** Its items. */
  items: number;
  /** Their images. */
  images: number;
  /** Mean score, 0 to 1. */
  accuracy: number;
  /** With its 95 % interval, of the images that were drawn. */
  byImage: Interval;
}

/**
 * Accuracy per group of items, for table 2 (organs) and like breakdowns; largest group first.
 *
 * @param groupOf the group of an item; null or undefined leaves it out.
 */
export function accuracyByGroup(
  scores: readonly ItemScore[],
  groupOf: (item: ItemMean) => string | null | undefined,
): GroupAccuracy[] {
  const groups = Map.groupBy(itemMeans(scores), (item) => groupOf(item) ?? null);
  return [...groups].flatMap(([group, own]): GroupAccuracy[] => {
    if (group === null) return [];
    const images = own.map(({ imageId }) => imageId), values = own.map(({ score }) => score);
    return [{
      group,
      items: own.length,
      images: new Set(images).size,
      accuracy: mean(values),
      byImage: clusteredShare(values, images),
    }];
  }).sort((a, b) => b.items - a.items || (a.group < b.group ? -1 : 1));
}
