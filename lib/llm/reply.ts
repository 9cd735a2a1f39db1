import OpenAI from "openai";
import { z } from "zod";
import { type Endpoint } from "./endpoint.ts";
import { LlmError, type LlmErrorKind, type TokenCounts } from "./error.ts";
import { MAX_PAUSE_MS } from "./replicas.ts";

const count = z.number().int().nonnegative().nullish().catch(null);
/** Text, or parts of which those of text count; the others, and `reasoning_content`, are what the model thought. */
const content = z.union([
  z.string(),
  z.array(z.looseObject({ type: z.string(), text: z.string().optional() })).transform((parts) =>
    parts.map(({ type, text }) => type === "text" ? text ?? "" : "").join("")
  ),
]).nullish();
const rawCompletion = z.object({
  model: z.string(),
  choices: z.array(z.object({
    message: z.object({ content, refusal: z.string().nullish() }),
    finish_reason: z.string().nullish(),
  })).min(1),
  usage: z.object({ prompt_tokens: count, completion_tokens: count }).nullish().catch(null),
});

/** What a reply says; all of it without the key. */
export interface Reply extends TokenCounts {
  text: string;
  finishReason: string;
  model: string;
}

/**
 * Reads a chat completion (its first choice).
 *
 * @throws LlmError malformed, refusal, cut or empty
 */
export function readReply(raw: unknown, endpoint: Endpoint): Reply {
  const where = `${endpoint.model}: `;
  const parsed = rawCompletion.safeParse(raw);
  if (!parsed.success) {
    const found = typeof raw !== "object"
      ? `${typeof raw} instead of a JSON object`
      : `a reply whose "${parsed.error.issues[0].path.join(".")}" does not fit`;
    throw new LlmError("malformed", `${where}malformed: expected a chat completion, found ${found}`);
  }
  const { choices: [{ message, finish_reason }], usage } = parsed.data;
  const clean = (text: string) => endpoint.apiKey?.redact(text) ?? text;
  const tokens = {
    promptTokens: usage?.prompt_tokens ?? null,
    completionTokens: usage?.completion_tokens ?? null,
  };
  const text = clean(message.content ?? "");
  const finishReason = clean(finish_reason ?? "unknown");
  const words = clean(message.refusal ?? "").trim();
  if (words !== "" || finishReason === "content_filter") {
    throw new LlmError(
      "refusal",
      `${where}refusal: ${words || "cut by the server's content filter"}`,
      tokens,
    );
  }
  if (text.trim() === "" && finishReason === "length") {
    throw new LlmError("cut", `${where}cut: the token limit came before any text`, tokens);
  }
  if (text.trim() === "") {
    throw new LlmError("empty", `${where}empty: a reply without text, finished by "${finishReason}"`, tokens);
  }
  return { text, finishReason, model: clean(parsed.data.model), ...tokens };
}

/** What went wrong with a request to `host`, in words without the key. */
export function failureOf(error: unknown, endpoint: Endpoint, host: string): LlmError {
  if (error instanceof LlmError) return error;
  const kind = kindOf(error);
  const retryAfterMs = retryAfter(error);
  const advice = kind === "rate_limit" && retryAfterMs !== null && retryAfterMs > MAX_PAUSE_MS
    ? ` (it asked for a pause of ${Math.ceil(retryAfterMs / 1000)} s; at most ${
      MAX_PAUSE_MS / 1000
    } s are waited)`
    : "";
  const text = `${host}: ${endpoint.model}: ${kind}: ${messageOf(error, kind)}${advice}`;
  return new LlmError(kind, endpoint.apiKey?.redact(text) ?? text, undefined, retryAfterMs);
}

function kindOf(error: unknown): LlmErrorKind {
  if (error instanceof OpenAI.APIConnectionTimeoutError) return "timeout";
  if (error instanceof OpenAI.APIConnectionError) {
    return /client error \(Connect\)|blocked/.test(causesOf(error)) ? "unreachable" : "disconnected";
  }
  if (error instanceof OpenAI.APIError && error.status !== undefined) {
    const { status, code } = error;
    if (status === 401 || status === 403) return "auth";
    if (status === 402 || code === "insufficient_quota") return "quota";
    if (status === 408) return "timeout";
    if (status === 429) return "rate_limit";
    return status >= 500 ? "server" : "rejected";
  }
  return error instanceof SyntaxError ? "malformed" : "disconnected"; // a body that broke off is a TypeError
}

/** Only a server's own message is repeated: parsers quote pieces of what they read, and so may any of a key. */
function messageOf(error: unknown, kind: LlmErrorKind): string {
  if (kind === "auth") return "the server refused the key; check it in the environment";
  if (kind === "malformed") return "expected JSON, found something else";
  if (kind === "disconnected") return "the connection was lost before the reply was complete";
  if (kind === "unreachable") return "no connection; is the server running?";
  if (kind === "timeout") return "no reply in time";
  const said = error instanceof Error ? error.message : "";
  return said.replace(/\s+/g, " ").slice(0, 300);
}

function causesOf(error: unknown): string {
  return error instanceof Error ? `${error.message} ${causesOf(error.cause)}` : "";
}

/** Milliseconds that the reply's Retry-After asks for (seconds or an HTTP date). */
function retryAfter(error: unknown): number | null {
  const value = error instanceof OpenAI.APIError ? error.headers?.get("retry-after")?.trim() : undefined;
  if (!value) return null;
  const ms = /^\d+(\.\d+)?$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now();
  return Number.isNaN(ms) ? null : Math.max(0, ms);
}
