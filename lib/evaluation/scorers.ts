import { isChinese, yesOrNo } from "../stats/mod.ts";
import { normaliseAnswer, normaliseVqa, squadTokens } from "./normalise.ts";
import { sequenceRatio } from "./sequence_matcher.ts";

/** What a scoring rule sees. */
export interface ScorerInput {
  prediction: string;
  answer: string;
  choices: readonly string[] | null;
}

/** A rule of the field: 0 to 1, or null where the rule leaves the item out of its average. */
export type Scorer = (input: ScorerInput) => number | null;

/** Right if equal after lower-casing, collapsing whitespace and removing punctuation at both ends. */
export const exact: Scorer = ({ prediction, answer }) =>
  Number(normaliseAnswer(prediction) === normaliseAnswer(answer));

/** Yes/no questions only: the answer must hold one of the two words, and the right one; in Chinese it must be one. */
export const yesNo: Scorer = ({ prediction, answer }) => {
  const gold = yesOrNo(normaliseAnswer(answer)), chinese = yesOrNo(normaliseAnswer(prediction));
  if (gold === null) return null;
  const said = new Set<string>(prediction.toLowerCase().match(/\b(yes|no)\b/g) ?? (chinese ? [chinese] : []));
  return Number(said.size === 1 && said.has(gold));
};

/**
 * Multiple choice only: reads an option letter ("b", "(B)", "b: text", "answer: b"), or an option's full text.
 */
export const optionLetter: Scorer = ({ prediction, answer, choices }) => {
  if (!choices) return null;
  const gold = optionIndex(answer, choices);
  return gold < 0 ? null : Number(optionIndex(prediction, choices) === gold);
};

function optionIndex(text: string, choices: readonly string[]): number {
  const normal = normaliseAnswer(text);
  const asText = choices.findIndex((choice) => normaliseAnswer(choice) === normal);
  if (asText >= 0) return asText;
  const match = text.normalize("NFKC").trim().match(/^\(?([a-z])(?:[).:,]|$)/i) ??
    text.match(/\b(?:answer|option|choice)(?:\s+is)?\s*:?\s*\(?([a-z])(?:[).:,]|\s*$)/i);
  const index = match ? match[1].toLowerCase().charCodeAt(0) - 97 : -1;
  return index < choices.length ? index : -1;
}

/** Multiple choice only, MedVInT's rule: the option most similar to the answer (difflib ratio) is taken as chosen. */
export const nearestOption: Scorer = ({ prediction, answer, choices }) => {
  if (!choices) return null;
  const gold = nearestIndex(answer, choices);
  return gold < 0 ? null : Number(nearestIndex(prediction, choices) === gold);
};

function nearestIndex(text: string, choices: readonly string[]): number {
  let best = -1;
  let highest = 0;
  choices.forEach((choice, i) => {
    const ratio = sequenceRatio(choice, text);
    if (ratio > highest) [best, highest] = [i, ratio];
  });
  return best;
}

/**
 * LLaVA-Med's published script for closed questions: a hit if the text holds "yes" or "no" anywhere and the reference as
 * a substring; a text with "yes" or "no" but without the reference is left out of the average (null), which raises it.
 * It says nothing about Chinese references.
 *
 * Source: microsoft/LLaVA-Med llava/eval/run_eval.py at ad758b6.
 */
export const llavaMedClosed: Scorer = ({ prediction, answer }) => {
  if (isChinese(answer)) return null;
  const text = normaliseVqa(prediction.toLowerCase());
  if (!text.includes("yes") && !text.includes("no")) return 0;
  return text.includes(normaliseVqa(answer.toLowerCase())) ? 1 : null;
};

/** F1 of the words of answer and reference (SQuAD's). */
export const tokenF1: Scorer = ({ prediction, answer }) => {
  const { shared, said, gold } = overlap(prediction, answer);
  if (said === 0 || gold === 0) return Number(said === gold);
  return shared === 0 ? 0 : (2 * shared) / (said + gold);
};

/** Share of the reference's words that the answer holds: the usual figure for open questions. */
export const tokenRecall: Scorer = ({ prediction, answer }) => {
  const { shared, said, gold } = overlap(prediction, answer);
  return gold === 0 ? Number(said === 0) : shared / gold;
};

function overlap(prediction: string, answer: string) {
  const said = squadTokens(prediction);
  const gold = squadTokens(answer);
  const left = new Map<string, number>();
  for (const word of gold) left.set(word, (left.get(word) ?? 0) + 1);
  let shared = 0;
  for (const word of said) {
    const count = left.get(word) ?? 0;
    if (count > 0) {
      shared++;
      left.set(word, count - 1);
    }
  }
  return { shared, said: said.length, gold: gold.length };
}

/**
 * The VQA challenge's soft score: mean over left-out annotators of min(1, agreeing others / 3).
 *
 * @throws with fewer than two annotators.
 */
export function vqaSoftScore(prediction: string, annotations: readonly string[]): number {
  if (annotations.length < 2) {
    throw new RangeError(`The VQA score needs at least two annotations; found ${annotations.length}.`);
  }
  const said = normaliseVqa(prediction);
  const agree = annotations.map((annotation) => Number(normaliseVqa(annotation) === said));
  const all = agree.reduce((sum, x) => sum + x, 0);
  return agree.reduce((sum, x) => sum + Math.min(1, (all - x) / 3), 0) / annotations.length;
}

/** The VQA score where a dataset has one reference: ten annotators who all gave it. */
export const vqaSoft: Scorer = ({ prediction, answer }) => vqaSoftScore(prediction, Array(10).fill(answer));

/** All rules by name. */
export const SCORERS = {
  exact,
  yesNo,
  optionLetter,
  nearestOption,
  llavaMedClosed,
  tokenF1,
  tokenRecall,
  vqaSoft,
} as const;
export type ScorerName = keyof typeof SCORERS;
