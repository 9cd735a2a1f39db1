import { isOwn } from "../config/mod.ts";
import { answersOf, type CellAnswers, type GridItems } from "./cells.ts";
import { median } from "../stats/mod.ts";
import { type ClosedResult, type GroupAccuracy, type ScorerRow, scorerTable } from "./closed.ts";
import type { CellAccuracy, PairedRow } from "./grid_tables.ts";
import { DIFFERENT_READINGS, PENALTY_READINGS } from "./robustness.ts";

/** A row of a table that is shown: column titles with their cells. */
type ShownRow = Record<string, string | number | null>;

/** How many questions each test set holds, about how many images, and how varied their short answers are. */
export function itemRows(items: GridItems): ShownRow[] {
  return Object.entries(items).map(([dataset, { short, open }]) => ({
    dataset,
    "short questions": short.length,
    "of images": new Set(short.map((item) => item.imageId)).size,
    "different answers": new Set(short.map((item) => item.answer)).size,
    "open questions": open.length,
  }));
}

/** Paired comparisons in percentage points, rounded to a tenth. */
export function differenceRows(comparisons: readonly PairedRow[]): ShownRow[] {
  const points = (share: number) => Number((100 * share).toFixed(1));
  return comparisons.map(
    ({ first, second, difference, low, high, pValue, smallestDetectable }) => ({
      first,
      second,
      "second − first": points(difference),
      low: points(low),
      high: points(high),
      "p (Holm)": pValue < 0.001 ? "< 0.001" : pValue.toFixed(2),
      "could detect": points(smallestDetectable),
    }),
  );
}

/** Every system but those without stage 1 beside what it gets without the right image, or without any. */
export function controlRows(accuracies: readonly CellAccuracy[]): ShownRow[] {
  return accuracies.filter(({ system }) => system !== "without stage 1").map(
    ({ cell, items, accuracy, std, blank, shuffled, majority, questionOnly }) => ({
      cell,
      items,
      accuracy,
      "std of runs": std,
      grey: blank,
      "other image": shuffled,
      majority,
      "question only": questionOnly,
    }),
  );
}

/** One row of `scorerTable` with the system that it belongs to. */
export interface CellScorerRow extends ScorerRow {
  cell: string;
}

/**
 * The short answers of some systems under every rule that applies to them.
 *
 * @throws when there are no answers of a name.
 */
export function scorerRows(
  answers: readonly CellAnswers[],
  items: GridItems,
  names: readonly string[],
): CellScorerRow[] {
  return names.flatMap((name) => {
    const { cell, short } = answersOf(answers, name);
    return scorerTable(items[cell.testSet].short, short).map((row) => ({ cell: name, ...row }));
  });
}

/** Accuracy under all readings of the robustness rule, the readings in words. */
export function robustnessRows({ robust }: Pick<ClosedResult, "robust">): ShownRow[] {
  return robust.map(({ different, penalty, nonRobust, accuracy }) => ({
    "different means": DIFFERENT_READINGS[different],
    penalty: PENALTY_READINGS[penalty],
    "non-robust items": nonRobust,
    accuracy,
  }));
}

/** Accuracy of groups with its interval by image; `title` heads the column of the groups. */
export function groupRows(groups: readonly GroupAccuracy[], title: string): ShownRow[] {
  return groups.map(({ group, items, accuracy, byImage: { low, high } }) => ({
    [title]: group,
    items,
    accuracy,
    low,
    high,
  }));
}

/** The paper's test sets without a short question. */
export const unaskedSets = (items: GridItems): string[] =>
  Object.entries(items).flatMap(([set, { short }]) => isOwn(set) || short.length > 0 ? [] : [set]);

/**
 * The least that any trained system gains over a grey image, another item's image and the base model, of the paper's test
 * sets: the lowest of the lower ends of the 95 % intervals, as a share; null where no system could be compared with the
 * base model.
 */
export function smallestGain(accuracies: readonly CellAccuracy[]): number | null {
  const lows = accuracies.flatMap(({ testSet, overBlank, overShuffled, overBase }) =>
    overBase && !isOwn(testSet) ? [overBlank, overShuffled ?? overBlank, overBase].map(({ low }) => low) : []
  );
  return lows.length > 0 ? Math.min(...lows) : null;
}

/**
 * What the right image brings to the trained system in the middle: over those of the paper's test sets, the median of the
 * lower ends of their 95 % intervals over a grey image and another item's (the lower of the two), as a share; null where no
 * trained system was asked. Systems share images and test sets: they are not pooled into one sample.
 */
export function medianImageGain(accuracies: readonly CellAccuracy[]): number | null {
  const lows = accuracies.filter(({ system, testSet }) => system !== "base" && !isOwn(testSet))
    .map(({ overBlank, overShuffled }) => Math.min(overBlank.low, overShuffled?.low ?? Infinity));
  return lows.length > 0 ? median(lows) : null;
}
