import type { QaPair } from "../synthesis/mod.ts";
import { clusteredDifference, detectableDifference, holm, type Interval } from "../stats/mod.ts";
import { isOwn } from "../config/mod.ts";
import { answersOf, type CellAnswers, GRID_COMPARISONS, type GridItems, type TestSet } from "./cells.ts";
import { type ClosedResult, evaluateClosed } from "./closed.ts";
import { majorityPredictions, questionOnlyPredictions, systemTable } from "./controls.ts";
import { type OverlapRow, overlapTable } from "./overlap.ts";

/** Accuracy of one system on the short questions of its test set, beside what it gets without the right image. */
export interface CellAccuracy {
  cell: string;
  testSet: TestSet;
  system: string;
  /** Name of its adapter; null: none. */
  adapter: string | null;
  items: number;
  images: number;
  accuracy: number;
  /** Between the runs. */
  std: number;
  byImage: Interval;
  blank: number;
  /** Null where there were too few images to exchange them. */
  shuffled: number | null;
  /** Null where there are no training pairs to count. */
  majority: number | null;
  questionOnly: number | null;
  /** Minus the same items with a grey image, with another item's, and minus the base model; intervals of the images. */
  overBlank: Interval;
  overShuffled: Interval | null;
  overBase: Interval | null;
}

const difference = (a: ClosedResult, b: ClosedResult): Interval =>
  clusteredDifference(
    a.perItem.map((item, i) => item.score! - b.perItem[i].score!),
    a.perItem.map((item) => item.imageId),
  );

/**
 * Accuracy (exact match) of every system that was asked short questions, with its controls on the same items.
 *
 * @param training pairs that the controls without an image count answers in
 */
export function cellAccuracies(
  answers: readonly CellAnswers[],
  items: GridItems,
  training: readonly QaPair[],
): CellAccuracy[] {
  const base = new Map<TestSet, ClosedResult>();
  return answers.flatMap(({ cell, short, blank, shuffled }): CellAccuracy[] => {
    const { testSet } = cell, asked = items[testSet].short;
    if (asked.length === 0) return [];
    const seen = training.filter((pair) => pair.dataset === testSet && pair.split === "train");
    const score = (predictions: typeof short) => evaluateClosed(asked, predictions);
    const result = score(short), grey = score(blank), other = shuffled.length > 0 ? score(shuffled) : null;
    const without = (control: typeof majorityPredictions) =>
      seen.length > 0 ? score(control(seen, asked)).accuracy : null;
    if (cell.system === "base") base.set(testSet, result);
    const before = base.get(testSet);
    return [{
      cell: cell.name,
      testSet,
      system: cell.system,
      adapter: cell.adapter,
      items: asked.length,
      images: new Set(asked.map((item) => item.imageId)).size,
      accuracy: result.accuracy,
      std: result.std,
      byImage: result.byImage,
      blank: grey.accuracy,
      shuffled: other?.accuracy ?? null,
      majority: without(majorityPredictions),
      questionOnly: without(questionOnlyPredictions),
      overBlank: difference(result, grey),
      overShuffled: other && difference(result, other),
      overBase: before && before !== result ? difference(result, before) : null,
    }];
  });
}

/** Two systems on the same items. */
export interface PairedRow {
  testSet: TestSet;
  first: string;
  second: string;
  items: number;
  /** Second minus first, mean over all runs; 95 % interval of the images. */
  difference: number;
  low: number;
  high: number;
  /** Of a difference of zero, by flipping whole images (mean over all runs), Holm-corrected over all rows. */
  pValue: number;
  /** The difference that this test finds with 80 % power, before Holm's correction. */
  smallestDetectable: number;
}

/** Those of `GRID_COMPARISONS`, and stage 1 of the user's own sets, of which both systems were asked. */
export function comparable(
  answers: readonly CellAnswers[],
): (readonly [first: string, second: string])[] {
  const own = new Set(answers.map(({ cell }) => cell.testSet).filter(isOwn));
  return [...GRID_COMPARISONS, ...[...own].map((set) => [`${set}__without`, `${set}__with`] as const)]
    .filter((names) => names.every((name) => answers.some(({ cell }) => cell.name === name)));
}

/** Pairs of systems of `answers` by name, first and second, compared item by item. */
export function pairedRows(
  answers: readonly CellAnswers[],
  items: GridItems,
  comparisons: readonly (readonly [first: string, second: string])[],
): PairedRow[] {
  const rows = comparisons.map(([first, second]): PairedRow => {
    const a = answersOf(answers, first),
      b = answersOf(answers, second),
      { testSet } = a.cell,
      asked = items[testSet].short;
    const row = systemTable(asked, { [first]: a.short, [second]: b.short })[1];
    const [one, two] = [a, b].map(({ short }) => evaluateClosed(asked, short).perItem);
    return {
      testSet,
      first,
      second,
      items: asked.length,
      difference: row.difference!,
      low: row.differenceLow!,
      high: row.differenceHigh!,
      pValue: row.pValue!,
      smallestDetectable: detectableDifference(
        two.map((item, i) => item.score! - one[i].score!),
        asked.map((item) => item.imageId),
      ),
    };
  });
  const corrected = holm(rows.map((row) => row.pValue));
  return rows.map((row, i) => ({ ...row, pValue: corrected[i] }));
}

/** Word overlap of one system's greedy answers to the open questions, beside copying the question. */
export interface CellOverlap {
  cell: string;
  items: number;
  answers: OverlapRow;
  copy: OverlapRow;
}

/** ROUGE and BLEU of every system that was asked open questions. */
export function cellOverlaps(answers: readonly CellAnswers[], items: GridItems): CellOverlap[] {
  return answers.flatMap(({ cell, open }) => {
    const asked = items[cell.testSet].open;
    if (asked.length === 0) return [];
    const [own, copy] = overlapTable(asked, open);
    return [{ cell: cell.name, items: asked.length, answers: own, copy }];
  });
}
