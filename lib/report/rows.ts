import { cellTitle, isOwn } from "../config/mod.ts";
import {
  type Accuracy,
  accuracyByGroup,
  DIFFERENT_READINGS,
  type GridItems,
  type GroupAccuracy,
  type ItemMean,
  type JudgedCell,
  PENALTY_READINGS,
  type RaterAgreement,
  type RobustAccuracy,
  type ScorerRow,
  scorerTable,
  scoresOf,
  type ScoreTable,
  SET_OF,
  TEST_SETS,
  type TestRecords,
} from "../evaluation/mod.ts";
import { type Consistency, type OptionRanking } from "../answers/mod.ts";
import type { QaPair } from "../synthesis/mod.ts";
import type { CellAccuracy, PairedRow } from "./accuracies.ts";
import { percentText, type ShownRow } from "./tables.ts";

/**
 * How many records of data/evaluation there are, and how many of them no pair asks about (their captions gave none that the
 * filters kept); how many questions each test set holds, about how many images, and how varied their short answers are.
 */
export function itemRows(
  items: GridItems,
  pairs: readonly Pick<QaPair, "id">[],
  records: TestRecords,
): ShownRow[] {
  const asked = new Set(pairs.map(({ id }) => id.split("#")[0]));
  return Object.entries(items).map(([dataset, { short, open }]) => {
    const testSet = TEST_SETS.find((name) => name === dataset),
      listed = testSet ? [...records[testSet]] : null;
    return {
      dataset,
      "of data/evaluation": testSet ? SET_OF[testSet] : null,
      records: listed?.length ?? null,
      "without question": listed?.filter((id) => !asked.has(id)).length ?? null,
      "short questions": short.length,
      "of images": new Set(short.map((item) => item.imageId)).size,
      "different answers": new Set(short.map((item) => item.answer)).size,
      "open questions": open.length,
    };
  });
}

/** A p value with two digits that count. */
export const pText = (p: number): string => p < 0.001 ? "< 0.001" : p.toFixed(3);

/** Paired comparisons in percentage points, rounded to a tenth; null for what no number of points would show. */
export function differenceRows(comparisons: readonly PairedRow[]): ShownRow[] {
  const points = (share: number) => Number.isFinite(share) ? Number((100 * share).toFixed(1)) : null;
  return comparisons.map(
    ({ first, second, estimate, low, high, pValue, detectable }) => ({
      first: cellTitle(first),
      second: cellTitle(second),
      "second − first": points(estimate),
      low: points(low),
      high: points(high),
      "p (Holm)": pText(pValue),
      "could detect": points(detectable),
    }),
  );
}

/** Every system but those without stage 1 beside what it gets without the right image, or without any. */
export function controlRows(accuracies: readonly CellAccuracy[]): ShownRow[] {
  return accuracies.filter(({ system }) => system !== "without stage 1").map(
    ({ cell, items, accuracy, std, cut, blank, shuffled, majority, questionOnly, questionAndRegion }) => ({
      system: cellTitle(cell),
      items,
      accuracy,
      "std of runs": std,
      "cut short": cut,
      grey: blank,
      "other image": shuffled,
      majority,
      "question only": questionOnly,
      ...(questionAndRegion === null ? {} : { "question + region": questionAndRegion }),
    }),
  );
}

/** One row of `scorerTable` with the system that it belongs to. */
export interface CellScorerRow extends ScorerRow {
  /** Name of the system. */
  cell: string;
}

/** The short answers of some systems under every rule that applies to them. */
export const scorerRows = (table: ScoreTable, cells: readonly string[]): CellScorerRow[] =>
  cells.flatMap((cell) => scorerTable(table, cell).map((row) => ({ cell, ...row })));

/** A system's options ranked by likelihood, beside the same items' exact match by generation. */
export interface RankedCell {
  /** Name of the system. */
  cell: string;
  /** What the likelihoods of options say of it. */
  ranking: OptionRanking;
  /** Accuracy of its written answers; null where there are none. */
  generated: Accuracy | null;
}

/** What likelihood says of multiple-choice items: accuracy, whether it outlasts every order, bias of places, calibration. */
export const optionRows = (ranked: readonly RankedCell[]): ShownRow[] =>
  ranked.map(({ cell, ranking, generated }) => ({
    system: cellTitle(cell),
    items: ranking.items,
    generated: generated ? percentText(generated.byImage) : null,
    "likeliest option": percentText(ranking.right),
    [`right in every order, of ${ranking.rotated}`]: ranking.circular ? percentText(ranking.circular) : null,
    "chosen by place, %": ranking.places.map((share) => (100 * share).toFixed(0)).join(" / "),
    confidence: `${(100 * ranking.confidence).toFixed(1)}%`,
    "Brier score": Number(ranking.brier.toFixed(3)),
    "calibration error": `${(100 * ranking.calibrationError).toFixed(1)}%`,
  }));

/** Share of answers that small changes of the image leave as they are: a row a system, a column a change. */
export const consistencyRows = (
  systems: readonly { cell: string; found: readonly Consistency[] }[],
): ShownRow[] =>
  systems.map(({ cell, found }) => ({
    system: cellTitle(cell),
    items: found[0]?.items ?? 0,
    "exact match": found[0] ? `${(100 * found[0].accuracy).toFixed(1)}%` : null,
    ...Object.fromEntries(found.map(({ change, same }) => [change, percentText(same)])),
  }));

/** Accuracy under all readings of the robustness rule, the readings in words. */
export function robustnessRows(robust: readonly RobustAccuracy[]): ShownRow[] {
  return robust.map(({ different, penalty, nonRobust, accuracy }) => ({
    "different means": DIFFERENT_READINGS[different],
    penalty: PENALTY_READINGS[penalty],
    "non-robust items": nonRobust,
    accuracy,
  }));
}

/** Two digits; what rounds to zero has no sign. */
export const kappaText = (kappa: number): string => kappa.toFixed(2).replace(/^-(0\.00)$/, "$1");

/** Whether agreement beyond chance can be told: not where exact match says the same of all answers. */
export const isKappaDefined = ({ exact }: JudgedCell): boolean =>
  exact.accuracy > 1e-9 && exact.accuracy < 1 - 1e-9;

/** Judged systems: what judge and exact match say of the same answers, and Cohen's kappa with its interval. */
export function judgedRows(judged: readonly JudgedCell[], judge: string): ShownRow[] {
  return judged.map((row) => {
    const { cell, accuracy, exact, agreement: { kappa } } = row;
    return {
      system: cellTitle(cell),
      judge,
      answers: accuracy.items,
      "judged correct": accuracy.accuracy,
      "verdict unread": accuracy.unread,
      "exact match": exact.accuracy,
      ...(isKappaDefined(row)
        ? { kappa: kappaText(kappa.estimate), low: kappaText(kappa.low), high: kappaText(kappa.high) }
        : { kappa: "not defined", low: null, high: null }),
    };
  });
}

/** How judge and exact match agree with a person: share of the same verdicts, kappa with its interval. */
export const raterRows = (found: readonly RaterAgreement[]): ShownRow[] =>
  found.map(({ rater, with: other, answers, observed, kappa }) => ({
    rater,
    with: other,
    answers,
    "same verdict": `${(100 * observed).toFixed(1)}%`,
    kappa: kappaInterval(kappa),
  }));

/** Kappa with its interval; where the one who is believed says the same of all answers there is none. */
export const kappaInterval = ({ estimate, low, high }: RaterAgreement["kappa"]): string =>
  Number.isNaN(estimate) ? "not defined" : `${kappaText(estimate)} (${kappaText(low)} to ${kappaText(high)})`;

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

/** A row for every system that was asked such items, a column for every group of its items: share of right answers, interval of the images, items. */
export const groupColumns = (
  cells: readonly string[],
  table: ScoreTable,
  groups: readonly string[],
  groupOf: (item: ItemMean) => string | null,
): ShownRow[] =>
  cells.flatMap((cell) => {
    const found = accuracyByGroup(scoresOf(table, cell), groupOf);
    if (found.length === 0) return [];
    const columns = groups.map((group) => {
      const own = found.find((row) => row.group === group);
      return [group, own ? `${percentText(own.byImage)} of ${own.items}` : null];
    });
    return [{ system: cellTitle(cell), ...Object.fromEntries(columns) }];
  });

/** The paper's test sets without a short question. */
export const unaskedSets = (items: GridItems): string[] =>
  Object.entries(items).flatMap(([set, { short }]) => isOwn(set) || short.length > 0 ? [] : [set]);
