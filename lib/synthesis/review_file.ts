import { z } from "zod";
import { canonicalJson, sha256 } from "../config/mod.ts";
import type { Candidate } from "./filters.ts";
import type { QaPair } from "./pair.ts";

/** Version of review.json. */
export const REVIEW_VERSION = 1;

const line = z.string().trim().min(1).max(1000);
/** What a person decided about a pair. */
const Decision = z.strictObject({
  /** Id of the pair. */
  id: z.string(),
  /** `pairSha256` of the pair that the person saw. */
  pair: z.string().regex(/^[0-9a-f]{64}$/),
  /** "undecided" takes an earlier decision back. */
  verdict: z.enum(["accept", "reject", "edit", "undecided"]),
  /** Why it was rejected. */
  reason: z.string().trim().max(1000).optional(),
  /** Question and answer as they are to be (edits only). */
  question: line.optional(),
  answer: line.optional(),
  /** ISO 8601. */
  time: z.string(),
}).refine(
  ({ verdict, question, answer }) => verdict !== "edit" || (question !== undefined && answer !== undefined),
  "an edit needs question and answer",
);
/** What a person decided about a pair. */
export type Decision = z.infer<typeof Decision>;

/** The file that the review page downloads. */
export const ReviewFile = z.strictObject({
  version: z.literal(REVIEW_VERSION),
  scale: z.enum(["tiny", "full"]),
  decisions: z.array(Decision),
});
/** What the review page downloads, and what is stored. */
export type ReviewFile = z.infer<typeof ReviewFile>;

/** What a teacher wrote, whatever a person made of it later. */
export function originalOf({ question, answer, original }: QaPair): { question: string; answer: string } {
  return original === null
    ? { question, answer }
    : z.object({ question: z.string(), answer: z.string() }).parse(JSON.parse(original));
}

/** Name of a pair's content as the teacher wrote it: a decision holds only for the pair that the person saw. */
export function pairSha256(pair: QaPair): string {
  const { id, imageId, choices } = pair, original = originalOf(pair);
  // An edited answer replaces its option, so the options other than the answer are what stays the same.
  const others = choices?.filter((choice) => choice !== pair.answer).sort() ?? null;
  return sha256(canonicalJson({ id, imageId, ...original, others }));
}

/**
 * Candidates with what people decided about them: edits are made (the teacher's words are kept in `original`).
 *
 * @returns also the ids of decisions whose pair is gone or reads differently now; these are not applied
 */
export function decided(
  candidates: readonly Candidate[],
  decisions: ReadonlyMap<string, Decision>,
): { candidates: Candidate[]; stale: string[] } {
  const applied = new Set<string>();
  const after = candidates.map((candidate) => {
    const decision = decisions.get(candidate.pair.id);
    if (!decision || decision.pair !== pairSha256(candidate.pair)) return candidate;
    applied.add(decision.id);
    return { ...candidate, decision, pair: edited(candidate.pair, decision) };
  });
  return { candidates: after, stale: [...decisions.keys()].filter((id) => !applied.has(id)) };
}

function edited(pair: QaPair, { verdict, question, answer }: Decision): QaPair {
  if (verdict !== "edit") return pair;
  const choices = pair.choices?.map((choice) => choice === pair.answer ? answer! : choice) ?? null;
  const original = JSON.stringify({ question: pair.question, answer: pair.answer });
  return { ...pair, question: question!, answer: answer!, choices, original };
}
