import { isChinese, yesOrNo } from "../stats/mod.ts";
import { normaliseAnswer, normaliseVqa, squadTokens } from "./normalise.ts";
import {
  medEvalKitChoice,
  medEvalKitClosed,
  medEvalKitOpen,
  medEvalKitYesNo,
  medVIntChoice,
  vlmEvalKitChoice,
} from "./reading_rules.ts";

/** What a scoring rule sees. */
export interface ScorerInput {
  /** What was answered. */
  prediction: string;
  /** The reference. */
  answer: string;
  /** The options; null without. */
  choices: readonly string[] | null;
  /** Closed questions have few possible answers; null where it is not known. */
  answerType: "closed" | "open" | null;
}

/** A rule of the field: 0 to 1, or null where the rule leaves the item out of its average. */
export type Scorer = (input: ScorerInput) => number | null;

/** Right if equal after lower-casing, collapsing whitespace and removing punctuation at both ends. */
export const exact: Scorer = ({ prediction, answer }): number =>
  Number(normaliseAnswer(prediction) === normaliseAnswer(answer));

/**
 * Yes/no questions only: an answer that begins with one of the two words says that, another must hold one of them and not the
 * other; in Chinese it must be one.
 */
export const yesNo: Scorer = ({ prediction, answer }) => {
  const gold = yesOrNo(normaliseAnswer(answer));
  return gold === null ? null : Number(saidYesOrNo(prediction) === gold);
};

function saidYesOrNo(prediction: string): string | null {
  const text = normaliseAnswer(prediction), chinese = yesOrNo(text);
  if (chinese !== null) return chinese;
  const words: string[] = text.match(/\b(yes|no)\b/g) ?? [];
  const begins = /^(yes|no)\b(?!\s+(or|and)\b)/.exec(text)?.[1];
  return begins ?? (new Set(words).size === 1 ? words[0] : null);
}

/**
 * Multiple choice only: an option's full text, or its letter at the beginning ("b", "(B)", "**B**", "b: text", "B" alone on a
 * line), announced ("answer: b", "the correct answer is B because ...") or alone in brackets ("I think (B)"). An article is no
 * letter.
 */
export const optionLetter: Scorer = ({ prediction, answer, choices }) => {
  if (!choices) return null;
  const gold = optionIndex(answer, choices);
  return gold === null ? null : Number(optionIndex(prediction, choices) === gold);
};

function optionIndex(text: string, choices: readonly string[]): number | null {
  const normal = normaliseAnswer(text);
  const asText = choices.findIndex((choice) => normaliseAnswer(choice) === normal);
  if (asText >= 0) return asText;
  const plain = text.normalize("NFKC").replace(/[*_`]/g, "").trim();
  const letter = /^\(?([a-z])(?:[).:,\n]|$)/i.exec(plain)?.[1] ?? announcedLetter(plain) ??
    bracketedLetter(plain);
  const index = letter ? letter.toLowerCase().charCodeAt(0) - 97 : -1;
  return index >= 0 && index < choices.length ? index : null;
}

/** The letter after the last "answer is", "option" or the like. A and I are words too: they need more than a blank after them. */
function announcedLetter(text: string): string | undefined {
  const announced = /\b(?:answer|option|choice)\b(?:\s+is)?\s*:?\s*(?:option\s+)?\(?/gi;
  const after = text.split(announced).slice(1).reverse();
  for (const rest of after) {
    const letter = /^([a-z])(?=[).:,;]|\s*$)/i.exec(rest)?.[1] ?? /^([B-HJ-Z])\b/.exec(rest)?.[1] ??
      /^([AI])(?=\s+(?:because|since|as)\b)/.exec(rest)?.[1];
    if (letter) return letter;
  }
}

/** The letter in brackets, where one and no other is. */
function bracketedLetter(text: string): string | undefined {
  const found = new Set(Array.from(text.matchAll(/\(([A-Z])\)/g), ([, letter]) => letter));
  return found.size === 1 ? [...found][0] : undefined;
}

/** Multiple choice only, as MedVInT's test script scores it (`medVIntChoice`). */
export const medVInT: Scorer = ({ prediction, answer, choices }) => {
  if (!choices) return null;
  const gold = optionIndex(answer, choices);
  return gold === null ? null : Number(medVIntChoice(prediction, choices) === gold);
};

/** Multiple choice only, as VLMEvalKit scores it without a language model (`vlmEvalKitChoice`); an unread answer is wrong. */
export const vlmEvalKit: Scorer = ({ prediction, answer, choices }) => {
  if (!choices) return null;
  const gold = optionIndex(answer, choices);
  return gold === null ? null : Number(vlmEvalKitChoice(prediction, choices) === gold);
};

/**
 * As MedEvalKit scores: multiple choice, yes or no, other closed and open questions, each by a rule of its own. Yes and no are
 * recognised in any case, as its script for VQA-RAD does; that for SLAKE compares a capitalised "Yes" as a whole.
 */
export const medEvalKit: Scorer = ({ prediction, answer, choices, answerType }) => {
  if (choices) {
    const gold = optionIndex(answer, choices);
    return gold === null ? null : Number(medEvalKitChoice(prediction, choices[gold], choices));
  }
  const rule = /^(yes|no)$/i.test(answer)
    ? medEvalKitYesNo
    : answerType === "open"
    ? medEvalKitOpen
    : medEvalKitClosed;
  return Number(rule(prediction, answer));
};

/**
 * LLaVA-Med's published script for questions that its data call closed: a hit if the text holds "yes" or "no" anywhere and the
 * reference as a substring; a text with "yes" or "no" but without the reference is left out of the average (null), which raises
 * it. It says nothing about open questions and Chinese references.
 *
 * Source: microsoft/LLaVA-Med llava/eval/run_eval.py at ad758b6.
 */
export const llavaMedClosed: Scorer = ({ prediction, answer, answerType }) => {
  if (answerType !== "closed" || isChinese(answer)) return null;
  const text = normaliseVqa(prediction.toLowerCase());
  if (!hasYesOrNo(text)) return 0;
  return text.includes(normaliseVqa(answer.toLowerCase())) ? 1 : null;
};

const hasYesOrNo = (text: string) => text.includes("yes") || text.includes("no");

/**
 * F1 of the words of answer and reference (SQuAD's).
 *
 * @example One word of two
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { tokenF1 } from "@lib/evaluation/scorers.ts";
 *
 * const item = { prediction: "left lung", answer: "lung", choices: null, answerType: "open" } as const;
 * assertEquals(tokenF1(item), 2 / 3);
 * ```
 */
export const tokenF1: Scorer = ({ prediction, answer }): number => {
  const { shared, said, gold } = overlap(prediction, answer);
  if (said === 0 || gold === 0) return Number(said === gold);
  return shared === 0 ? 0 : (2 * shared) / (said + gold);
};

/** Share of the reference's words that the answer holds: the usual figure for open questions. */
export const tokenRecall: Scorer = ({ prediction, answer }): number => {
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
 *
 * @example Three of ten annotators agree
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { vqaSoftScore } from "@lib/evaluation/scorers.ts";
 *
 * const annotations = [...Array(3).fill("lung"), ...Array(7).fill("chest")];
 * assertEquals(vqaSoftScore("lung", annotations).toFixed(1), "0.9");
 * ```
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
  medVInT,
  medEvalKit,
  vlmEvalKit,
  llavaMedClosed,
  tokenF1,
  tokenRecall,
  vqaSoft,
} as const;
/** One of {@linkcode SCORERS}. */
export type ScorerName = keyof typeof SCORERS;

/** Rules that first read what was said: whether they found nothing, so that the answer counts as wrong unread. */
export const UNREAD: Partial<Record<ScorerName, (input: ScorerInput) => boolean>> = {
  yesNo: ({ prediction }) => saidYesOrNo(prediction) === null,
  llavaMedClosed: ({ prediction }) => !hasYesOrNo(normaliseVqa(prediction.toLowerCase())),
  optionLetter: ({ prediction, choices }) => optionIndex(prediction, choices ?? []) === null,
  medVInT: ({ prediction, choices }) => medVIntChoice(prediction, choices ?? []) === null,
  vlmEvalKit: ({ prediction, choices }) => vlmEvalKitChoice(prediction, choices ?? []) === null,
};
