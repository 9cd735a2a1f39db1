import { answerOf } from "../llm/mod.ts";
import { isEnglish } from "./language.ts";
import { parseJson } from "./parse_json.ts";
import { parseText } from "./parse_text.ts";
import type { ParsedReply, ReplyProblem } from "./reply.ts";

const REFUSAL =
  /\b(i(['’]m| am) (sorry|unable|not able)|i (can(['’]|no)?t|cannot|won['’]t) (help|assist|provide|answer|create|generate|determine|see|fulfil)|as an ai)\b/i;

/** Characters that are read of a reply; a longer one counts as cut here. */
const MAX_REPLY = 50_000;

/**
 * Reads the pairs out of a teacher's reply, whatever shape it took; what is lost is named in `problems`. Pairs that the
 * model drafts while it thinks are none.
 *
 * A pair is given only where question and answer are complete and known to belong together; this never throws.
 *
 * @param finishReason "length" if the server cut the reply: an unfinished last pair is then dropped
 *
 * @example A reply in JSON
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { parseReply } from "@lib/synthesis/mod.ts";
 *
 * const { pairs, problems } = parseReply('{"question": "Which side?", "answer": "left"}');
 * assertEquals([pairs.length, pairs[0].answer, problems.length], [1, "left", 0]);
 * ```
 */
export function parseReply(text: string, finishReason = "stop"): ParsedReply {
  const answer = answerOf(text), reply = answer.slice(0, MAX_REPLY).trim();
  const cut = finishReason === "length" || answer.length > MAX_REPLY;
  if (reply === "") return { shape: "none", pairs: [], problems: [cut ? "truncated" : "empty"] };
  const json = parseJson(reply, cut);
  const found = json && json.pairs.length + json.problems.length > 0 ? json : parseText(reply, cut);
  const pairs = found.pairs.filter(({ answer }) => !REFUSAL.test(answer));
  const problems = [
    ...found.problems,
    ...Array<ReplyProblem>(found.pairs.length - pairs.length).fill("refusal"),
  ];
  if (pairs.length === 0 && problems.length === 0) problems.push(reasonOf(reply, cut));
  return { shape: found.shape === "none" && json ? json.shape : found.shape, pairs, problems };
}

/** Why a reply without pairs has none. */
function reasonOf(reply: string, cut: boolean): ReplyProblem {
  if (REFUSAL.test(reply)) return "refusal";
  if (!isEnglish(reply)) return "other_language";
  if (cut) return "truncated";
  return /[{[]\s*["'“{[]/.test(reply) || /^\{/.test(reply) ? "bad_json" : "no_pairs";
}
