import { sha256 } from "../config/mod.ts";
import type { Candidate } from "./filters.ts";
import { words } from "./lexicon.ts";
import { yesOrNo } from "../stats/mod.ts";

/** A filter that looks at the pairs still fit together, and says which to drop and why. */
export interface SetFilter {
  name: string;
  reasons(fit: readonly Candidate[]): ReadonlyMap<Candidate, string>;
}

/** A question is asked once about an image; the first pair stays, those that a person has accepted before others. */
const duplicate: SetFilter = {
  name: "duplicate",
  reasons(fit) {
    const seen = new Set<string>();
    const ordered = [...fit.filter(isAccepted), ...fit.filter((one) => !isAccepted(one))];
    return new Map(ordered.flatMap((candidate) => {
      const key = JSON.stringify([candidate.pair.imageId, words(candidate.pair.question).join(" ")]);
      if (seen.has(key)) return [[candidate, "asked before about this image"]];
      seen.add(key);
      return [];
    }));
  },
};

/** Largest share that yes, or no, may have of the yes-no pairs: who always says the same is right no more often. */
export const MAX_YES_NO_SHARE = 0.6;
/** So many pairs of one answer are kept whatever the other's number: fewer show no bias. */
const BALANCE_FROM = 10;

/**
 * Yes and no in balance within each data set, since models are trained on one at a time: of the more frequent answer as
 * many pairs go as are too many, chosen by a hash of their ids, so that it depends neither on order nor on concurrency.
 */
const balance: SetFilter = {
  name: "balance",
  reasons: (fit) => new Map([...Map.groupBy(fit, ({ pair }) => pair.dataset).values()].flatMap(surplus)),
};

function surplus(fit: readonly Candidate[]): [Candidate, string][] {
  const [yes, no] = ["yes", "no"].map((answer) => fit.filter(({ pair }) => yesOrNo(pair.answer) === answer));
  const [many, few, name] = yes.length > no.length ? [yes, no, "yes"] : [no, yes, "no"];
  const allowed = Math.floor(few.length * MAX_YES_NO_SHARE / (1 - MAX_YES_NO_SHARE) + 1e-9);
  const order = new Map(many.map((one) => [one, sha256(`balance/${one.pair.id}`)]));
  const ordered = many.filter((one) => !isAccepted(one)).sort((a, b) =>
    order.get(a)! < order.get(b)! ? -1 : 1
  );
  return ordered.slice(0, Math.max(0, many.length - Math.max(allowed, BALANCE_FROM)))
    .map((one) => [one, `more "${name}" than the balance allows`]);
}

/** What a person rejected in the review. */
const review: SetFilter = {
  name: "review",
  reasons: (fit) =>
    new Map(
      fit.flatMap((one) =>
        one.decision?.verdict === "reject" ? [[one, one.decision.reason || "rejected"]] : []
      ),
    ),
};

/** Whether a person has accepted or edited the pair. */
export function isAccepted({ decision }: Candidate): boolean {
  return decision?.verdict === "accept" || decision?.verdict === "edit";
}

/** Pairs per position (1st, 2nd, ...) of the right option, for the chi-square test of equal shares. */
export function optionPositions(pairs: readonly { answer: string; choices: string[] | null }[]): number[] {
  const counts = [0, 0, 0, 0];
  for (const { answer, choices } of pairs) {
    const position = choices?.indexOf(answer) ?? -1;
    if (position >= 0 && position < counts.length) counts[position]++;
  }
  return counts;
}

/** In the order in which they are applied, after the rules and the teacher's own check. */
export const SET_FILTERS: readonly SetFilter[] = [duplicate, balance, review];
