/**
 * What went wrong with a request:
 * auth (401, 403), rejected (another 4xx: the request itself is at fault), rate_limit (429), server (5xx),
 * timeout, unreachable (no connection), malformed (an answer that is no chat completion).
 */
export type LlmErrorKind =
  | "auth"
  | "rejected"
  | "rate_limit"
  | "server"
  | "timeout"
  | "unreachable"
  | "malformed";

/** A failed request, after its retries. Its message never contains the key. */
export class LlmError extends Error {
  override name = "LlmError";
  constructor(readonly kind: LlmErrorKind, message: string, readonly retries: number) {
    super(message);
  }
}
