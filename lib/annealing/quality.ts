import type { QaPair } from "../synthesis/mod.ts";
import { verdictOf } from "./verdicts.ts";

/** The paper's answers have fewer words than this. */
const ANSWER_WORDS = 60;

const RULES: readonly [rule: string, breaks: (pair: QaPair) => boolean][] = [
  ["empty", (pair) => pair.question.trim() === "" || pair.answer.trim() === ""],
  ["history", (pair) => /\bhistory\b/i.test(pair.question)],
  ["long", (pair) => pair.answer.trim().split(/\s+/).length >= ANSWER_WORDS],
];

/**
 * The rules that the authors' code applies to every pair, and one of ours: question and answer are there, no question
 * about history, answers under 60 words; and each question once per image. As in lib/synthesis, what a person accepted
 * breaks no rule.
 *
 * @returns rule that is broken by pair id; the first pair of a repeated question breaks none
 */
export function qualityProblems(pairs: readonly QaPair[]): Map<string, string> {
  const problems = new Map<string, string>(), seen = new Set<string>();
  for (const pair of pairs) {
    const key = JSON.stringify([pair.imageId, pair.question.trim().toLowerCase()]);
    const rules = verdictOf(pair, "manual filter").judged ? [] : RULES;
    const rule = rules.find(([, breaks]) => breaks(pair))?.[0] ?? (seen.has(key) ? "repeated" : null);
    if (rule === null) seen.add(key);
    else problems.set(pair.id, rule);
  }
  return problems;
}
