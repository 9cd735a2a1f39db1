import { wilsonInterval } from "../stats/mod.ts";
import type { PrecisionRow } from "./fact_check.ts";
import type { FilterCount } from "./apply_filters.ts";

/** What a filter saw, took, and left; precision is that of the pairs left, with Wilson's 95% interval. */
export interface FilterReportRow {
  /** "as parsed" stands for the pairs before the first filter. */
  filter: string;
  /** Pairs before the filter. */
  in: number;
  /** Pairs that it drops. */
  dropped: number;
  /** Pairs after it. */
  left: number;
  /** Of those left: agree with the ground truth, contradict it, cannot be decided by it. */
  supported: number | null;
  /** See `supported`. */
  contradicted: number | null;
  /** See `supported`. */
  unverifiable: number | null;
  /** supported / left; null without ground truth or without pairs. */
  precision: number | null;
  /** Lower end of the precision's 95 % interval. */
  low: number | null;
  /** Upper end. */
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
