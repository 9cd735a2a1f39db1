import {
  type Accuracy,
  accuracyOf,
  type CellAnswers,
  compare,
  type Difference,
  differenceOf,
  type EvaluatedCell,
  GRID_COMPARISONS,
  type GridItems,
  isShort,
  type OverlapRow,
  overlapTable,
  scoresOf,
  type ScoreTable,
  type TestSet,
} from "../evaluation/mod.ts";
import { isOwn } from "../config/mod.ts";
import type { QaPair } from "../synthesis/mod.ts";
import { holm, type Interval, mean, median } from "../stats/mod.ts";

/** Exact match of one system on the short questions of its test set, beside what it gets without the right image. */
export interface CellAccuracy extends Accuracy {
  /** Name of the system. */
  cell: string;
  /** What it was asked. */
  testSet: TestSet;
  /** Which stages trained it. */
  system: EvaluatedCell["system"];
  /** Name of its adapter; null: none. */
  adapter: string | null;
  /** Accuracy with a grey image in place of the real one. */
  blank: number;
  /** Null where there were too few images to exchange them. */
  shuffled: number | null;
  /** Null where there are no training pairs to count. */
  majority: number | null;
  /** Accuracy of the likeliest answer to the question, without a picture; null likewise. */
  questionOnly: number | null;
  /** Null also where nothing tells the images' regions. */
  questionAndRegion: number | null;
  /** Minus the same items with a grey image, with another item's, and minus the base model; intervals of the images. */
  overBlank: Interval;
  /** See `overBlank`; null where images could not be exchanged. */
  overShuffled: Interval | null;
  /** See `overBlank`; null for the base model itself. */
  overBase: Interval | null;
}

/** Every system that was asked short questions, with its controls on the same items. */
export function cellAccuracies(cells: readonly EvaluatedCell[], table: ScoreTable): CellAccuracy[] {
  return cells.flatMap(({ name: cell, testSet, system, adapter }): CellAccuracy[] => {
    const own = scoresOf(table, cell), accuracy = accuracyOf(own);
    if (accuracy === null) return [];
    const blank = scoresOf(table, cell, "blank"), shuffled = scoresOf(table, cell, "shuffled");
    const base = system === "base" ? [] : scoresOf(table, `${testSet}__base`);
    const alone = (kind: "majority" | "questionOnly" | "questionAndRegion") =>
      accuracyOf(scoresOf(table, cell, kind))?.accuracy ?? null;
    return [{
      ...{ cell, testSet, system, adapter, ...accuracy },
      blank: accuracyOf(blank)!.accuracy,
      shuffled: accuracyOf(shuffled)?.accuracy ?? null,
      majority: alone("majority"),
      questionOnly: alone("questionOnly"),
      questionAndRegion: alone("questionAndRegion"),
      overBlank: differenceOf(blank, own),
      overShuffled: shuffled.length > 0 ? differenceOf(shuffled, own) : null,
      overBase: base.length > 0 ? differenceOf(base, own) : null,
    }];
  });
}

/** Two systems on the same items; p is Holm-corrected over all rows, the detectable difference is before that. */
export interface PairedRow extends Difference {
  /** What both were asked. */
  testSet: TestSet;
  /** Name of the first system. */
  first: string;
  /** Name of the second. */
  second: string;
}

/** Those of `GRID_COMPARISONS`, and stage 1 of the user's own sets, of which both systems were asked. */
export function comparable(cells: readonly EvaluatedCell[]): (readonly [first: string, second: string])[] {
  const own = new Set(cells.map(({ testSet }) => testSet).filter(isOwn));
  return [...GRID_COMPARISONS, ...[...own].map((set) => [`${set}__without`, `${set}__with`] as const)]
    .filter((names) => names.every((name) => cells.some((cell) => cell.name === name)));
}

/**
 * Pairs of systems by name, first and second, compared item by item on the short questions.
 *
 * @throws when a system is not among the cells
 */
export function pairedRows(
  cells: readonly EvaluatedCell[],
  table: ScoreTable,
  comparisons: readonly (readonly [first: string, second: string])[],
): PairedRow[] {
  const rows = comparisons.map(([first, second]): PairedRow => {
    const unknown = [first, second].find((name) => !cells.some((cell) => cell.name === name));
    if (unknown !== undefined) throw new Error(`There are no answers of "${unknown}".`);
    const { testSet } = cells.find(({ name }) => name === first)!;
    return { testSet, first, second, ...compare(scoresOf(table, first), scoresOf(table, second)) };
  });
  const corrected = holm(rows.map((row) => row.pValue));
  return rows.map((row, i) => ({ ...row, pValue: corrected[i] }));
}

/** Word overlap of one system's answers to the open questions, beside what is had without looking. */
export interface CellOverlap {
  /** Name of the system. */
  cell: string;
  /** Open questions. */
  items: number;
  /** Overlap of its answers with the references. */
  answers: OverlapRow;
  /** Overlap of the questions themselves with the references. */
  copy: OverlapRow;
  /** Null where there are no training pairs with such answers. */
  typical: OverlapRow | null;
}

/**
 * ROUGE and BLEU of every system that was asked open questions.
 *
 * @param training pairs among whose long answers the typical one is looked for
 */
export function cellOverlaps(
  answers: readonly { cell: { name: string; testSet: TestSet }; open: CellAnswers["open"] }[],
  items: Readonly<Partial<GridItems>>,
  training: readonly QaPair[],
): CellOverlap[] {
  return answers.flatMap(({ cell: { name, testSet }, open }) => {
    const asked = open.length > 0 ? items[testSet]!.open : [];
    if (asked.length === 0) return [];
    const seen = training.filter((pair) =>
      pair.dataset === testSet && pair.split === "train" && !isShort(pair)
    );
    const [own, copy, typical] = overlapTable(asked, open, seen.map(({ answer }) => answer));
    return [{ cell: name, items: asked.length, answers: own, copy, typical: typical ?? null }];
  });
}

/** Lower ends of what a trained system gains over a grey image and another item's: the lower of the two. */
const imageGain = ({ overBlank, overShuffled }: CellAccuracy): number =>
  Math.min(overBlank.low, overShuffled?.low ?? Infinity);

/** The trained systems of the paper's test sets. */
const trainedOf = (accuracies: readonly CellAccuracy[]) =>
  accuracies.filter(({ system, testSet }) => system !== "base" && !isOwn(testSet));

/**
 * The least that any trained system gains over a grey image and another item's, of the paper's test sets: the lowest of the
 * lower ends of the 95 % intervals, as a share; null where no trained system was asked.
 */
export function smallestImageGain(accuracies: readonly CellAccuracy[]): number | null {
  const trained = trainedOf(accuracies);
  return trained.length > 0 ? Math.min(...trained.map(imageGain)) : null;
}

/**
 * What training brings to the trained systems: the mean of the lower ends of their 95 % intervals over the base model, as a
 * share; null where none could be compared with it. Not the least, nor the one in the middle: where the base model is good
 * already, as about CT and MRI, half of them have little left to gain.
 */
export function meanBaseGain(accuracies: readonly CellAccuracy[]): number | null {
  const lows = trainedOf(accuracies).flatMap(({ overBase }) => overBase ? [overBase.low] : []);
  return lows.length > 0 ? mean(lows) : null;
}

/**
 * What the right image brings to the trained system in the middle: over those of the paper's test sets, the median of the
 * lower ends of their 95 % intervals over a grey image and another item's (the lower of the two), as a share; null where no
 * trained system was asked. Systems share images and test sets: they are not pooled into one sample.
 */
export function medianImageGain(accuracies: readonly CellAccuracy[]): number | null {
  const trained = trainedOf(accuracies);
  return trained.length > 0 ? median(trained.map(imageGain)) : null;
}
