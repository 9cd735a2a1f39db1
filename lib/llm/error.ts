/**
 * Why a request has no completion:
 * auth (401, 403), quota (402, or 429 for spent credit), rejected (another 3xx or 4xx: the request itself is at fault),
 * rate_limit (429), server (5xx), timeout (or 408), unreachable (no connection), disconnected (a connection lost before
 * the reply was complete), malformed (a reply that is not a chat completion), refusal (the model declined, or a filter of
 * the server cut its answer), cut (the token limit came before any text), empty (a reply without text).
 */
export type LlmErrorKind =
  | "auth"
  | "quota"
  | "rejected"
  | "rate_limit"
  | "server"
  | "timeout"
  | "unreachable"
  | "disconnected"
  | "malformed"
  | "refusal"
  | "cut"
  | "empty";

/** All of them. */
export const LLM_ERROR_KINDS: readonly LlmErrorKind[] = [
  "auth",
  "quota",
  "rejected",
  "rate_limit",
  "server",
  "timeout",
  "unreachable",
  "disconnected",
  "malformed",
  "refusal",
  "cut",
  "empty",
];

/** Tokens as the server counts them; null where it does not say. */
export interface TokenCounts {
  /** Of the prompt. */
  promptTokens: number | null;
  /** Of the reply. */
  completionTokens: number | null;
}

/** A failed request, after its retries. Its message never contains the key. */
export class LlmError extends Error {
  /** Name of the error. */
  override name = "LlmError";
  /** Attempts after the first. */
  retries = 0;

  /**
   * A failure of one kind.
   *
   * @param tokens of a reply that cannot be used (refusal, cut, empty): it was paid for
   * @param retryAfterMs time until the server wants to be asked again, if it said so
   */
  constructor(
    readonly kind: LlmErrorKind,
    message: string,
    readonly tokens: TokenCounts = { promptTokens: null, completionTokens: null },
    readonly retryAfterMs: number | null = null,
  ) {
    super(message);
  }
}

/** Whether the model has answered, though without a usable text: to ask again would give the same. */
export const isAnswer = (kind: LlmErrorKind): boolean =>
  kind === "refusal" || kind === "cut" || kind === "empty";

/** Whether no other request can succeed either. */
export const endsRun = (kind: LlmErrorKind): boolean =>
  kind === "auth" || kind === "quota" || kind === "unreachable";

/** Whether the same request may succeed later. */
export const isTransient = (kind: LlmErrorKind): boolean =>
  !isAnswer(kind) && !endsRun(kind) && kind !== "rejected";
