import { wilsonInterval } from "../stats/mod.ts";
import type { PrecisionRow } from "./fact_check.ts";
import type { FilterCount } from "./apply_filters.ts";

/** What a filter saw, took, and left; precision is that of the pairs left, with Wilson's 95% interval. */
export interface FilterReportRow {
  /** "as parsed" stands for the pairs before the first filter. */
  filter: string;
  in: number;
  dropped: number;
  left: number;
  /** Of those left: agree with the ground truth, contradict it, cannot be decided by it. */
  supported: number | null;
  contradicted: number | null;
  unverifiable: number | null;
  /** supported / left; null without ground truth or without pairs. */
  precision: number | null;
  low: number | null;
  high: number | null;
}

/**
 * Filter counts and precisions side by side, one row a filter, "as parsed" first: precision before a filter stands in
 * the row above it.
 * @param precision of precisionByFilter; empty where there is no ground truth
 */
export function filterReport(
  parsed: number,
  counts: readonly FilterCount[],
  precision: readonly PrecisionRow[],
): FilterReportRow[] {
  const rows = [{ filter: "as parsed", in: parsed, dropped: 0 }, ...counts];
  return rows.map(({ filter, in: seen, dropped }, i) => {
    const found = precision[i];
    const share = found && found.pairs > 0 ? wilsonInterval(found.supported, found.pairs) : null;
    return {
      filter,
      in: seen,
      dropped,
      left: seen - dropped,
      supported: found?.supported ?? null,
      contradicted: found?.contradicted ?? null,
      unverifiable: found?.unverifiable ?? null,
      precision: share?.estimate ?? null,
      low: share?.low ?? null,
      high: share?.high ?? null,
    };
  });
}
