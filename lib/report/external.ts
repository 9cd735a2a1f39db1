import { cellTitle } from "../config/mod.ts";
import {
  type Accuracy,
  accuracyOf,
  type AnswerKind,
  compare,
  isWorthless,
  itemMeans,
  type ItemScore,
  type JudgedCell,
  scorerTable,
  scoresOf,
  type ScoreTable,
  type TestSet,
} from "../evaluation/mod.ts";
import { escapeMarkdown } from "../jupyter/mod.ts";
import { holm } from "../stats/mod.ts";
import type { CellOverlap } from "./accuracies.ts";
import { judgedRows, pText } from "./rows.ts";
import { percentText, type ShownRow, tableMarkdown } from "./tables.ts";

/** A system that is not of the grid: who answered, and to which test sets. */
export interface ExternalSystem {
  /** What the tables call it. */
  name: string;
  /** What the table of scores calls it, by test set. */
  cells: readonly { name: string; testSet: TestSet }[];
  /** Who judged the open answers; null: nobody. */
  judge: string | null;
}

/** A difference of shares in points. */
const tenths = (share: number): string => (100 * share).toFixed(1);

/** A share in percent with one decimal; null where there is none. */
const points = (found: Accuracy | null): string | null =>
  found ? `${(100 * found.accuracy).toFixed(1)}%` : null;

/** Exact match on the short questions, beside what is had without the right image. */
export const externalAccuracies = ({ cells }: ExternalSystem, table: ScoreTable): ShownRow[] =>
  cells.flatMap(({ name, testSet }) => {
    const found = accuracyOf(scoresOf(table, name));
    if (!found) return [];
    const control = (kind: AnswerKind) => points(accuracyOf(scoresOf(table, name, kind)));
    return [{
      "test set": testSet,
      items: found.items,
      images: found.images,
      runs: found.runs,
      "exact match (95 %, images)": percentText(found.byImage),
      "std of runs": found.runs > 1 ? `${(100 * found.std).toFixed(1)}` : null,
      "cut short": `${(100 * found.cut).toFixed(0)}%`,
      grey: control("blank"),
      "other image": control("shuffled"),
      majority: control("majority"),
      "question only": control("questionOnly"),
    }];
  });

const ruleRows = ({ cells }: ExternalSystem, table: ScoreTable): ShownRow[] =>
  cells.flatMap(({ name, testSet }) =>
    scorerTable(table, name).map(({ scorer, items, leftOut, unread, accuracy: estimate, low, high }) => ({
      "test set": testSet,
      rule: scorer,
      items,
      "left out": leftOut,
      unread: unread === null ? null : `${(100 * unread).toFixed(0)}%`,
      score: percentText({ estimate, low, high }),
    }))
  );

/**
 * The system minus each system of the grid that was asked the same short questions, by exact match; p of all rows by Holm. Grid
 * systems that were asked others are left out.
 */
function comparisonRows({ cells }: ExternalSystem, table: ScoreTable, grid: ScoreTable): ShownRow[] {
  const others = [...grid.values()].filter(([row]) => row.kind === "short" && row.scorer === "exact");
  const ids = (scores: readonly ItemScore[]) => new Set(itemMeans(scores).map(({ id }) => id));
  const found = cells.flatMap(({ name, testSet }) => {
    const own = scoresOf(table, name), asked = ids(own);
    if (asked.size === 0) return [];
    return others.filter((scores) => asked.symmetricDifference(ids(scores)).size === 0)
      .map((scores) => ({ testSet, other: scores[0].cell, ...compare(scores, own) }));
  });
  const corrected = holm(found.map(({ pValue }) => pValue));
  return found.map(({ testSet, other, estimate, low, high, detectable }, i) => ({
    "test set": testSet,
    "of notebook 06": other,
    "difference in points (95 %, images)": `${tenths(estimate)} (${tenths(low)} to ${tenths(high)})`,
    "p (Holm)": pText(corrected[i]),
    "could detect": Number.isFinite(detectable) ? (100 * detectable).toFixed(1) : null,
  }));
}

const overlapRows = (overlaps: readonly CellOverlap[]): ShownRow[] =>
  overlaps.flatMap(({ cell, items, answers, copy, typical }) =>
    [answers, copy, ...(typical ? [typical] : [])].map(({ answers: who, ...scores }) => ({
      system: cellTitle(cell),
      items,
      answers: who,
      ...scores,
    }))
  );

/** The judge's rows; of one that has been shown worthless, without what it says of the answers. */
const believedRows = (judged: readonly JudgedCell[], judge: string): ShownRow[] =>
  judgedRows(judged, judge).map((row, i) =>
    isWorthless(judged[i].standing) ? { ...row, "judged correct": "no information" } : row
  );

/**
 * What a system outside the grid has reached, as Markdown: exact match beside its controls, every rule of the field, the systems
 * of notebook 06 on the same questions, word overlap and judge of open answers. Sections without rows are left out.
 *
 * @param grid scores of notebook 06, where it has run
 */
export function externalReport(
  system: ExternalSystem,
  table: ScoreTable,
  { grid, overlaps, judged }: {
    grid: ScoreTable;
    overlaps: readonly CellOverlap[];
    judged: readonly JudgedCell[];
  },
): string {
  const sections: [title: string, rows: ShownRow[]][] = [
    ["Exact match, short questions", externalAccuracies(system, table)],
    ["The same answers under the rules of the field", ruleRows(system, table)],
    [`${system.name} minus systems of notebook 06, same questions`, comparisonRows(system, table, grid)],
    ["Word overlap, open questions", overlapRows(overlaps)],
    ["The judge, open questions", believedRows(judged, system.judge ?? "none")],
  ];
  return sections.filter(([, rows]) => rows.length > 0)
    .map(([title, rows]) => `## ${escapeMarkdown(title)}\n\n${tableMarkdown(rows)}`).join("\n");
}
