import { z } from "zod";
import { type Corpus, droppedCount } from "./record.ts";

/** Where a data set's rows went: rows = kept + dropped. */
export interface RowAccount {
  /** The data set. */
  dataset: string;
  /** Rows that were read. */
  rows: number;
  /** Rows that became records. */
  kept: number;
  /** Rows that did not. */
  dropped: number;
  /** Fields changed; a row may have several. */
  repairedFields: number;
}

/** Why rows were dropped or fields repaired. */
export interface ReasonCount {
  /** The data set. */
  dataset: string;
  /** Whether whole rows or single fields are counted. */
  what: "dropped" | "repaired";
  /** Why. */
  reason: string;
  /** How many. */
  count: number;
  /** File and row of the first one that was dropped. */
  first: string | null;
}

/** Rows read, kept and dropped, one line a data set. */
export function rowAccounts(corpora: readonly Corpus[]): RowAccount[] {
  return corpora.map(({ dataset, records, dropped, repaired }) => ({
    dataset,
    rows: records.length + droppedCount(dropped),
    kept: records.length,
    dropped: droppedCount(dropped),
    repairedFields: repaired.reduce((sum, { count }) => sum + count, 0),
  }));
}

/** Dropped rows and repaired fields by reason. */
export function reasonCounts(corpora: readonly Corpus[]): ReasonCount[] {
  return corpora.flatMap(({ dataset, root, dropped, repaired }) => [
    ...[...Map.groupBy(dropped, ({ reason }) => reason)].map(([reason, rows]): ReasonCount => ({
      dataset,
      what: "dropped",
      reason,
      count: droppedCount(rows),
      first: inside(root, rows[0].where),
    })),
    ...repaired.map(({ reason, count }): ReasonCount => ({
      dataset,
      what: "repaired",
      reason,
      count,
      first: null,
    })),
  ]);
}

/** A row of the table `dropped`: a row of a data set that became no record. */
export const DroppedRecord = z.object({
  /** The data set. */
  dataset: z.string(),
  /** Why it was dropped. */
  reason: z.string(),
  /** File and row, relative to the data set's folder. */
  where: z.string(),
});
/** A row that {@linkcode DroppedRecord} accepts. */
export type DroppedRecord = z.infer<typeof DroppedRecord>;

/** One line a dropped row (or for many of one reason); places are relative to the data set's folder. */
export function droppedRows(
  corpora: readonly Corpus[],
): DroppedRecord[] {
  return corpora.flatMap(({ dataset, root, dropped }) =>
    dropped.map(({ reason, where, count = 1 }) => ({
      dataset,
      reason,
      where: inside(root, where) + (count > 1 ? ` (the first of ${count})` : ""),
    }))
  );
}

const inside = (root: string, where: string): string => where.replace(`${root}/`, "");
