/**
 * How other evaluations of the field read an answer: what they take as said, faults included, so that the same answers can be
 * scored as they would. Each is written anew after its source; what the originals decide about some answers is in
 * tests/evaluation/fixtures/answer_rules.json (tests/evaluation/make_answer_rules.py).
 */
import { sequenceRatio } from "./sequence_matcher.ts";

const letterAt = (index: number): string => String.fromCharCode(65 + index);

/** Index of the text most similar to `target` by difflib's ratio, the first of equals; null where none has anything of it. */
function nearestIndex(texts: readonly string[], target: string): number | null {
  let nearest: number | null = null, highest = 0;
  texts.forEach((text, i) => {
    const ratio = sequenceRatio(text, target);
    if (ratio > highest) [nearest, highest] = [i, ratio];
  });
  return nearest;
}

/**
 * The option that MedVInT's test script takes as chosen: the one, with its letter before it (" A:CT"), that is most similar to
 * the answer's last character. "CT" is so read as option A of CT and MRI, and " B:CT" too, not as B.
 *
 * Source: xiaoman-zhang/PMC-VQA src/MedVInT_TD/test.py at 1678ec2.
 */
export function medVIntChoice(said: string, choices: readonly string[]): number | null {
  return nearestIndex(choices.map((choice, i) => ` ${letterAt(i)}:${choice}`), [...said].at(-1) ?? "");
}

const REFUSALS = [
  "Sorry, I can't help with images of people yet.",
  "I can't process this file.",
  "I'm sorry, but without the image provided",
  "Cannot determine the answer",
];

/**
 * The option that VLMEvalKit reads without a language model: the only option letter, in capitals, among the words; else the only
 * option whose text occurs in the answer. Null where that leaves none or several, and of an answer that says it gives none.
 *
 * Source: open-compass/VLMEvalKit vlmeval/utils/matching_util.py (can_infer) at 18fc37a.
 */
export function vlmEvalKitChoice(said: string, choices: readonly string[]): number | null {
  if (REFUSALS.some((refusal) => said.includes(refusal))) return null;
  const words = new Set(said.replace(/[.()[\],:;!*#{}]/g, " ").split(/\s+/));
  const only = (indices: number[]) => indices.length === 1 ? indices[0] : null;
  const all = choices.map((_, i) => i), lettered = all.filter((i) => words.has(letterAt(i)));
  if (lettered.length === 0 && words.has("Z")) return null;
  const lower = said.toLowerCase();
  return only(lettered) ?? only(all.filter((i) => lower.includes(choices[i].toLowerCase())));
}

const ANNOUNCEMENTS = [
  "**answer**:",
  "**answer**",
  "*answer*:",
  "**answer:**",
  "answer is",
  "answer:",
  "答案:",
  "final answer",
  "final answer is",
];

/**
 * The part of an answer that MedEvalKit looks at, in lower case: what is boxed, else all that is tagged, after the last
 * announcement.
 */
function medEvalKitPart(said: string): string {
  const lower = said.toLowerCase();
  const tagged = Array.from(lower.matchAll(/<answer>([\s\S]*?)<\/answer>/g), ([, text]) => text).join(" ")
    .trim();
  const part = lower.includes("boxed") ? boxed(lower) : tagged || lower;
  return ANNOUNCEMENTS.reduce((text, announcement) => text.split(announcement).at(-1)!, part);
}

/** What the last `\boxed{...}` holds, "None" where there is none that ends, as in mathruler 0.1.0. */
function boxed(text: string): string {
  const start = text.lastIndexOf("\\boxed{");
  if (start < 0) return "None";
  const from = start + "\\boxed{".length;
  for (let depth = 1, i = from; i < text.length; i++) {
    if (text[i] === "{") depth++;
    else if (text[i] === "}" && --depth === 0) return text.slice(from, i).trim();
  }
  return "None";
}

/**
 * Whether MedEvalKit counts an answer to a multiple choice as right: the option's letter or text, else the option most similar
 * to the whole answer by difflib's ratio (the first where none is).
 *
 * Source: alibaba-damo-academy/MedEvalKit utils/utils.py (judge_multi_choice).
 */
export function medEvalKitChoice(said: string, gold: string, choices: readonly string[]): boolean {
  const lower = said.toLowerCase(), options = choices.map((choice) => choice.toLowerCase());
  const letters = options.map((_, i) => letterAt(i).toLowerCase());
  const paragraphs = lower.split("\n\n"), first = paragraphs[0], last = paragraphs.at(-1)!.split(".")[0];
  const lettered = [first, last].find((part) => letters.includes(part)) ?? lower;
  const text = medEvalKitPart(lettered).trim().replaceAll("\n", "");
  const part = text.split(".")[0].split(":").at(-1)!, answer = gold.trim().toLowerCase();
  if (part === answer) return true;
  if (letters.includes(part)) return options[letters.indexOf(part)] === answer;
  if (options.includes(part)) return letters.includes(answer) && options[letters.indexOf(answer)] === part;
  const nearest = nearestIndex(options, text) ?? 0;
  return letters[nearest] === answer || options[nearest] === answer;
}

/** The same for a question of yes or no (judge_judgement): the answer holds one of the two, as part of a word too. */
export function medEvalKitYesNo(said: string, gold: string): boolean {
  const part = medEvalKitPart(said).replace(/[\n.]/g, "");
  return part.includes("yes") !== part.includes("no") && part.includes(gold.toLowerCase());
}

/** The same for every other closed question (judge_close_end_vqa): equal but for case, periods and line breaks. */
export function medEvalKitClosed(said: string, gold: string): boolean {
  return medEvalKitPart(said).replace(/[\n.]/g, "") === gold.toLowerCase();
}

/** The same for an open question (judge_open_end_vqa's "em"): equal but for case. */
export function medEvalKitOpen(said: string, gold: string): boolean {
  return medEvalKitPart(said) === gold.toLowerCase();
}
