import { z } from "zod";
import { type ParsedReply, type RawPair, type ReplyProblem, type ReplyShape, withOptions } from "./reply.ts";

const text = z.union([z.string(), z.number(), z.boolean()]).transform((value) =>
  value === true ? "yes" : value === false ? "no" : String(value).trim()
);
const options = z.union([
  z.array(text),
  z.record(z.string(), text).transform((lettered) =>
    Object.entries(lettered).map(([key, option]) => /^[A-H]$/i.test(key) ? `${key}) ${option}` : option)
  ),
]);

/** Pieces of text that may be tried as JSON and found to be none, and levels of nesting; beyond, a reply is hostile. */
const MAX_ATTEMPTS = 100, MAX_DEPTH = 16;

/** Reads a reply that is JSON or has JSON in it, in a code fence or in prose; null if there is no object in it. */
export function parseJson(reply: string, cut: boolean): ParsedReply | null {
  const fences = [...reply.matchAll(/```\w*\s*([\s\S]*?)(?:```|$)/g)].map(([, inside]) => inside);
  const fenced = fences.some((inside) => inside.includes("{"));
  const body = (fenced ? fences.join("\n") : reply).trim();
  if (!body.includes("{")) return null;
  const pairs: RawPair[] = [];
  const problems: ReplyProblem[] = [];
  let shape: ReplyShape;
  try {
    const value: unknown = JSON.parse(body);
    shape = fenced ? "json_fenced" : Array.isArray(value) ? "json_array" : "json";
    collectPairs(value, pairs, problems);
    if (cut && fenced) problems.push("truncated"); // another fence may have followed
  } catch {
    const { values, between, torn } = objectsIn(body);
    if (values.length === 0) return null;
    shape = fenced ? "json_fenced" : /[^\s,[\]]/.test(between) ? "json_salvaged" : "json_lines";
    for (const value of values) collectPairs(value, pairs, problems);
    if (cut) problems.push("truncated");
    else if (torn) problems.push("bad_json");
  }
  return { shape, pairs, problems };
}

/** All complete JSON objects in a text, outermost first; an unfinished one is entered for the objects inside it. */
function objectsIn(body: string): { values: unknown[]; between: string; torn: boolean } {
  const values: unknown[] = [];
  let between = "";
  let failures = 0;
  for (let i = 0; i < body.length && failures < MAX_ATTEMPTS;) {
    if (body[i] === "{") {
      const end = objectEnd(body, i);
      const value = end > 0 ? parsed(body.slice(i, end)) : undefined;
      if (value !== undefined) {
        values.push(value);
        i = end;
        continue;
      }
      failures++;
    }
    between += body[i++];
  }
  return { values, between, torn: failures > 0 };
}

function parsed(piece: string): unknown {
  try {
    return JSON.parse(piece);
  } catch {
    return undefined;
  }
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

function collectPairs(value: unknown, pairs: RawPair[], problems: ReplyProblem[], depth = 0): void {
  if (value === null || typeof value !== "object" || depth > MAX_DEPTH) return;
  const deeper = (inside: unknown) => collectPairs(inside, pairs, problems, depth + 1);
  if (Array.isArray(value)) return value.forEach(deeper);
  const fields = new Map(
    Object.entries(value).map(([key, field]) => [key.trim().toLowerCase().replace(/[\s-]/g, "_"), field]),
  );
  const pick = (...names: string[]) =>
    names.map((name) => fields.get(name)).find((field) => field !== undefined);
  const question = text.safeParse(pick("question", "q")), answer = text.safeParse(pick("answer", "a"));
  if (!question.success && !answer.success) return [...fields.values()].forEach(deeper);
  if (!question.success || question.data === "") return void problems.push("missing_question");
  if (!answer.success || answer.data === "") return void problems.push("missing_answer");
  const wrong = options.safeParse(pick("wrong_answers", "distractors"));
  const all = options.safeParse(pick("choices", "options"));
  if (wrong.success) {
    pairs.push({ question: question.data, answer: answer.data, choices: [answer.data, ...wrong.data] });
  } else pairs.push(withOptions(question.data, answer.data, all.success ? all.data : []));
}
