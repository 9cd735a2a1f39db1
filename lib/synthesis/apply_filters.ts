import { type Candidate, FILTERS, type PairFilter } from "./filters.ts";
import type { QaPair } from "./pair.ts";
import { isAccepted, SET_FILTERS } from "./set_filters.ts";

/** What one filter does. */
export interface FilterCount {
  /** Name of the filter. */
  filter: string;
  /** Pairs that came in, that is, passed all filters before. */
  in: number;
  /** Pairs that it drops. */
  dropped: number;
  /** Reason -> pairs. */
  reasons: Record<string, number>;
  /** Up to three dropped pairs, as "question | answer (reason)". */
  examples: string[];
}

/** Pairs after all filters. */
export interface FilterResult {
  /** Pairs that pass. */
  kept: QaPair[];
  /** Pairs that do not, with the reason among their verdicts. */
  dropped: QaPair[];
  /** What each filter did, in order. */
  counts: FilterCount[];
}

/** The rules' verdicts on one pair: filter -> "pass" or the reason; none where a person has accepted it. */
export function ruleVerdicts(
  candidate: Candidate,
  rules: readonly PairFilter[] = FILTERS,
): Map<string, string> {
  if (isAccepted(candidate)) return new Map();
  return new Map(rules.map((rule) => [rule.name, rule.reason(candidate) ?? "pass"]));
}

/** Whether no filter has said anything against it. */
export const isFit = (verdicts: ReadonlyMap<string, string>): boolean =>
  [...verdicts.values()].every((verdict) => verdict === "pass");

/**
 * Judges pairs by the rules, by the teacher's check where it was asked, and as a set (duplicates, balance, review);
 * the verdicts are written into the pairs.
 *
 * Every rule judges every pair, the review those that a person decided about, the others those fit so far; a pair is counted as dropped
 * by the first filter that it fails. No filter judges what a person has accepted.
 */
export function applyFilters(
  candidates: readonly Candidate[],
  rules: readonly PairFilter[] = FILTERS,
): FilterResult {
  const verdicts = new Map(candidates.map((one) => [one, ruleVerdicts(one, rules)]));
  let fit = candidates.filter((one) => isFit(verdicts.get(one)!));
  const judge = (name: string, judged: readonly Candidate[], reasons: ReadonlyMap<Candidate, string>) => {
    for (const one of judged) verdicts.get(one)!.set(name, reasons.get(one) ?? "pass");
    fit = fit.filter((one) => !reasons.has(one));
  };
  const asked = fit.filter((one) => one.checked && !isAccepted(one));
  const denied = asked.filter((one) => one.checked !== "pass");
  judge("llm", asked, new Map(denied.map((one) => [one, one.checked!])));
  for (const { name, reasons } of SET_FILTERS) {
    const judged = name === "review" ? candidates.filter((one) => one.decision) : fit;
    judge(name, judged, reasons(judged));
  }
  const names = [...rules.map((rule) => rule.name), "llm", ...SET_FILTERS.map(({ name }) => name)];
  const kept: QaPair[] = [], dropped: QaPair[] = [];
  const failed = candidates.map((one) => {
    const own = verdicts.get(one)!;
    const pair: QaPair = { ...one.pair, verdicts: JSON.stringify(Object.fromEntries(own)) };
    (isFit(own) ? kept : dropped).push(pair);
    return { pair, filter: names.find((name) => (own.get(name) ?? "pass") !== "pass"), verdicts: own };
  });
  let left = candidates.length;
  const counts = names.map((filter): FilterCount => {
    const hit = failed.filter((one) => one.filter === filter);
    const reasons: Record<string, number> = {};
    for (const one of hit) {
      const group = one.verdicts.get(filter)!.replace(/: .*$/, "").replace(/\d+/, "n");
      reasons[group] = (reasons[group] ?? 0) + 1;
    }
    const examples = hit.slice(0, 3).map(({ pair, verdicts }) =>
      `${pair.question} | ${pair.answer} (${verdicts.get(filter)})`
    );
    const count = { filter, in: left, dropped: hit.length, reasons, examples };
    left -= hit.length;
    return count;
  });
  return { kept, dropped, counts };
}
