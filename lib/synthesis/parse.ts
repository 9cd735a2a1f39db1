import { z } from "zod";

/** A question with its answer as a teacher wrote it. */
export interface RawPair {
  question: string;
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

/** Why a reply, or a piece of it, gave no pair. */
export type ReplyProblem =
  | "empty"
  | "refusal"
  | "truncated"
  | "missing_answer"
  | "missing_question"
  | "no_pairs";

export interface ParsedReply {
  shape: ReplyShape;
  pairs: RawPair[];
  problems: ReplyProblem[];
}

const REFUSAL =
  /\b(i(['’]m| am) (sorry|unable|not able)|i (can(['’]|no)?t|cannot|won['’]t) (help|assist|provide|answer|create|generate)|as an ai)\b/i;

/**
 * Reads the pairs out of a teacher's reply, whatever shape it took; what is lost is named in `problems`.
 *
 * @param finishReason "length" if the server cut the reply: an unfinished last pair is then dropped
 */
export function parseReply(text: string, finishReason = "stop"): ParsedReply {
  const trimmed = text.trim();
  if (trimmed === "") return { shape: "none", pairs: [], problems: ["empty"] };
  const cut = finishReason === "length";
  const parsed = parseJson(trimmed, cut) ?? parseText(trimmed, cut);
  if (parsed.pairs.length === 0 && parsed.problems.length === 0) {
    parsed.problems.push(REFUSAL.test(trimmed) ? "refusal" : cut ? "truncated" : "no_pairs");
  }
  return parsed;
}

// ---- JSON ----

const text = z.union([z.string(), z.number(), z.boolean()]).transform((value) =>
  value === true ? "yes" : value === false ? "no" : String(value).trim()
);
const options = z.union([
  z.array(text),
  z.record(z.string(), text).transform((letters) => Object.values(letters)),
]);

function parseJson(reply: string, cut: boolean): ParsedReply | null {
  const fence = /```(?:json)?\s*([\s\S]*?)(?:```|$)/i.exec(reply);
  const body = (fence ? fence[1] : reply).trim();
  if (!body.includes("{")) return null;
  let values: unknown[];
  let shape: ReplyShape;
  let torn = false;
  try {
    const value: unknown = JSON.parse(body);
    shape = fence ? "json_fenced" : Array.isArray(value) ? "json_array" : "json";
    values = [value];
  } catch {
    const found = objectsIn(body);
    if (found.values.length === 0) return null;
    torn = found.torn;
    shape = fence ? "json_fenced" : /[^\s,[\]]/.test(found.between) ? "json_salvaged" : "json_lines";
    values = found.values;
  }
  const pairs: RawPair[] = [];
  const problems: ReplyProblem[] = [];
  for (const value of values) collectPairs(value, pairs, problems);
  if (torn || (cut && shape !== "json")) problems.push("truncated");
  return { shape, pairs, problems };
}

/** All complete JSON objects in a text, outermost first; an unfinished one is entered for the objects inside it. */
function objectsIn(body: string): { values: unknown[]; between: string; torn: boolean } {
  const values: unknown[] = [];
  let between = "";
  let torn = false;
  for (let i = 0; i < body.length;) {
    const end = body[i] === "{" ? objectEnd(body, i) : -1;
    if (end > 0) {
      try {
        values.push(JSON.parse(body.slice(i, end)));
        i = end;
        continue;
      } catch { /* balanced but no JSON: look inside */ }
    } else if (body[i] === "{") torn = true;
    between += body[i++];
  }
  return { values, between, torn };
}

/** Index after the brace that closes the one at `start`, or -1. */
function objectEnd(body: string, start: number): number {
  let depth = 0, quoted = false;
  for (let i = start; i < body.length; i++) {
    const c = body[i];
    if (quoted) {
      if (c === "\\") i++;
      else if (c === '"') quoted = false;
    } else if (c === '"') quoted = true;
    else if (c === "{") depth++;
    else if (c === "}" && --depth === 0) return i + 1;
  }
  return -1;
}

function collectPairs(value: unknown, pairs: RawPair[], problems: ReplyProblem[]): void {
  if (Array.isArray(value)) return value.forEach((item) => collectPairs(item, pairs, problems));
  if (value === null || typeof value !== "object") return;
  const fields = new Map(
    Object.entries(value).map(([key, field]) => [key.toLowerCase().replace(/[\s-]/g, "_"), field]),
  );
  const pick = (...names: string[]) =>
    names.map((name) => fields.get(name)).find((field) => field !== undefined);
  const question = text.safeParse(pick("question", "q")), answer = text.safeParse(pick("answer", "a"));
  if (!question.success && !answer.success) {
    for (const field of fields.values()) if (typeof field === "object") collectPairs(field, pairs, problems);
    return;
  }
  if (!question.success || question.data === "") return void problems.push("missing_question");
  if (!answer.success || answer.data === "") return void problems.push("missing_answer");
  const wrong = options.safeParse(pick("wrong_answers", "distractors"));
  const all = options.safeParse(pick("choices", "options"));
  if (wrong.success) {
    pairs.push({ question: question.data, answer: answer.data, choices: [answer.data, ...wrong.data] });
  } else pairs.push(withOptions(question.data, answer.data, all.success ? all.data : []));
}

/** Options without their letters, and the answer as the option that a letter stands for. */
function withOptions(question: string, answer: string, listed: readonly string[]): RawPair {
  if (listed.length === 0) return { question, answer, choices: null };
  const choices = listed.map((option) => option.replace(/^\(?[A-Da-d][).:]\s*/, "").trim());
  const letter = /^\(?([A-Da-d])(?:[).:]|$)/.exec(answer);
  const chosen = letter && !choices.includes(answer)
    ? choices[letter[1].toLowerCase().charCodeAt(0) - 97]
    : undefined;
  return { question, answer: chosen ?? answer, choices };
}

// ---- Q: / A: ----

const LEAD = String.raw`^(?:[-*•]\s+)?(?:\(?\d{1,2}[).:]\s*)?`;
const QUESTION = new RegExp(LEAD + String.raw`(?:Q|Question)\s*\d{0,2}\s*[:.)]\s*(.*)$`, "i");
const ANSWER = new RegExp(LEAD + String.raw`(?:A|Answer|Ans)\s*\d{0,2}\s*:\s*(.*)$`, "i");
const OPTION = /^\(?[A-Da-d][).]\s+\S/;
const NUMBERED_QUESTION = /^\(?\d{1,2}[).:]\s*(.+\?)\s*(.*)$/;

function parseText(reply: string, cut: boolean): ParsedReply {
  const drafts: { question: string[]; answer: string[] | null; options: string[] }[] = [];
  let closed = false; // a blank line ends an answer, so that closing remarks do not become part of it
  let orphans = 0;
  for (const raw of reply.split(/\r?\n/)) {
    const line = raw.replace(/\*\*|__/g, "").replace(/^#+\s*/, "").trim();
    const draft = drafts.at(-1);
    const question = QUESTION.exec(line), answer = ANSWER.exec(line), numbered = NUMBERED_QUESTION.exec(line);
    if (question || answer || numbered) closed = false;
    if (question) {
      const inline = /^(.*\?)\s*(?:A|Answer)\s*\d{0,2}\s*:\s*(.+)$/i.exec(question[1]);
      drafts.push({
        question: [inline?.[1] ?? question[1]],
        answer: inline ? [inline[2]] : null,
        options: [],
      });
    } else if (answer) {
      if (draft && !draft.answer) draft.answer = [answer[1]];
      else orphans++;
    } else if (numbered) {
      drafts.push({
        question: [numbered[1]],
        answer: numbered[2] ? [numbered[2].replace(/^[-–:]\s*/, "")] : null,
        options: [],
      });
    } else if (line === "") closed = Boolean(draft?.answer?.join(""));
    else if (!draft || closed) continue;
    else if (!draft.answer && OPTION.test(line)) draft.options.push(line);
    else (draft.answer ?? draft.question).push(line);
  }
  const problems: ReplyProblem[] = Array(orphans).fill("missing_question");
  const pairs: RawPair[] = [];
  drafts.forEach((draft, i) => {
    const question = draft.question.join(" ").trim(), answer = draft.answer?.join(" ").trim() ?? "";
    if (cut && i === drafts.length - 1) problems.push("truncated");
    else if (question === "") problems.push("missing_question");
    else if (answer === "") problems.push("missing_answer");
    else pairs.push(withOptions(question, answer, draft.options));
  });
  return { shape: drafts.length > 0 ? "qa_text" : "none", pairs, problems };
}
