import { type Candidate, FILTERS, type PairFilter } from "./filters.ts";
import { words } from "./lexicon.ts";
import type { QaPair } from "./pair.ts";

export interface FilterCount {
  filter: string;
  /** Pairs that came in, that is, passed all filters before. */
  in: number;
  dropped: number;
  /** Reason -> pairs. */
  reasons: Record<string, number>;
  /** Up to three dropped pairs, as "question | answer (reason)". */
  examples: string[];
}

export interface FilterResult {
  kept: QaPair[];
  dropped: QaPair[];
  counts: FilterCount[];
}

/**
 * Judges every pair by every filter (the verdicts are written into the pair) and counts in order: a pair is counted
 * as dropped by the first filter that it fails.
 */
export function applyFilters(
  candidates: readonly Candidate[],
  filters: readonly PairFilter[] = FILTERS,
): FilterResult {
  const names = [...filters.map((filter) => filter.name), "duplicate"];
  const counts = new Map(
    names.map((filter) => [filter, { filter, in: 0, dropped: 0, reasons: {}, examples: [] } as FilterCount]),
  );
  const seen = new Set<string>();
  const kept: QaPair[] = [], dropped: QaPair[] = [];
  for (const candidate of candidates) {
    const reasons = new Map(filters.map((filter) => [filter.name, filter.reason(candidate)]));
    const { imageId, question, answer } = candidate.pair;
    const key = JSON.stringify([imageId, words(question).join(" ")]);
    const fit = [...reasons.values()].every((reason) => reason === null);
    reasons.set("duplicate", fit && seen.has(key) ? "asked before about this image" : null);
    if (fit) seen.add(key);
    const verdicts = Object.fromEntries([...reasons].map(([name, reason]) => [name, reason ?? "pass"]));
    const pair: QaPair = { ...candidate.pair, verdicts: JSON.stringify(verdicts) };
    const failed = names.find((name) => reasons.get(name) !== null);
    for (const name of names) {
      const count = counts.get(name)!;
      count.in++;
      if (name !== failed) continue;
      const reason = reasons.get(name)!;
      count.dropped++;
      const group = reason.replace(/: .*$/, "").replace(/\d+/, "n");
      count.reasons[group] = (count.reasons[group] ?? 0) + 1;
      if (count.examples.length < 3) count.examples.push(`${question} | ${answer} (${reason})`);
      break;
    }
    (failed ? dropped : kept).push(pair);
  }
  return { kept, dropped, counts: [...counts.values()] };
}
