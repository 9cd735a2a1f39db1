/** A question with its answer as a teacher wrote it. */
export interface RawPair {
  /** The question. */
  question: string;
  /** The answer. */
  answer: string;
  /** Options, the right one among them; null for a free answer. */
  choices: string[] | null;
}

/**
 * The shape a reply was read as:
 * json (one object), json_array, json_lines (objects one after another, with or without commas), json_fenced,
 * json_salvaged (whole objects out of text that is not JSON as a whole), qa_text (Q:/A:, Question:/Answer:, bold,
 * numbered), or none.
 */
export type ReplyShape =
  | "json"
  | "json_array"
  | "json_lines"
  | "json_fenced"
  | "json_salvaged"
  | "qa_text"
  | "none";

/**
 * Why a reply, or a piece of it, gave no pair:
 * empty (no text, or nothing but reasoning); refusal (the reply, or an answer in it, declines); other_language (no pairs, and not in English); truncated
 * (cut at the token limit: the unfinished pair is dropped, or there is none yet); bad_json (not valid, or not of pairs); missing_answer and
 * missing_question (one without the other); stray_text (text between or behind the pairs that belongs to none);
 * no_pairs (none of these).
 */
export type ReplyProblem =
  | "empty"
  | "refusal"
  | "other_language"
  | "truncated"
  | "bad_json"
  | "missing_answer"
  | "missing_question"
  | "stray_text"
  | "no_pairs";

/** What was read out of a reply. */
export interface ParsedReply {
  /** Form in which the reply came. */
  shape: ReplyShape;
  /** Complete pairs. */
  pairs: RawPair[];
  /** What was lost. */
  problems: ReplyProblem[];
}

const LETTER = /^\(?([A-H])[).:]\s*/i;

/** Options without their letters, and the answer as the option that a letter stands for. */
export function withOptions(question: string, answer: string, listed: readonly string[]): RawPair {
  if (listed.length === 0) return { question, answer, choices: null };
  const letters = listed.map((option) => LETTER.exec(option)?.[1].toUpperCase());
  const lettered = letters.every((letter) => letter !== undefined) &&
    new Set(letters).size === letters.length;
  const choices = listed.map((option) => (lettered ? option.replace(LETTER, "") : option).trim());
  if (choices.includes(answer)) return { question, answer, choices };
  const letter = /^\(?([A-H])(?:[).:]|$)/i.exec(answer)?.[1].toUpperCase();
  const index = letter === undefined ? -1 : lettered ? letters.indexOf(letter) : letter.charCodeAt(0) - 65;
  return { question, answer: choices[index] ?? answer, choices };
}
