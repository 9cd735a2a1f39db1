import OpenAI from "openai";
import { z } from "zod";
import { type Endpoint } from "./endpoint.ts";
import { LlmError, type LlmErrorKind } from "./error.ts";

/** A chat message; content parts with images are taken too. */
export type Message = OpenAI.Chat.Completions.ChatCompletionMessageParam;

export interface CompletionRequest {
  messages: readonly Message[];
  /** Answers follow this JSON schema where the server can enforce it; elsewhere it is only asked for. */
  schema?: { name: string; schema: Record<string, unknown> };
  seed: number;
  temperature: number;
  /** Limit of generated tokens. */
  maxTokens: number;
}

export interface CompletionOptions {
  signal?: AbortSignal;
  /** Milliseconds that one attempt may take (default 120,000). */
  timeoutMs?: number;
  /** Attempts after the first (default 4); the n-th waits up to 2^n times `retryDelayMs`, or as long as the server says. */
  maxRetries?: number;
  /** Milliseconds (default 500). */
  retryDelayMs?: number;
}

export interface Completion {
  text: string;
  /** "stop", "length" (cut at maxTokens), ... as the server says. */
  finishReason: string;
  /** The model as the server names it. */
  model: string;
  /** Host and port of the server that replied; null in journals written before this was kept. */
  server: string | null;
  /** When the reply came, ISO 8601 in UTC; null in journals written before this was kept. */
  time: string | null;
  promptTokens: number | null;
  completionTokens: number | null;
  /** Wall time, retries included. */
  seconds: number;
  retries: number;
  /** Whether the server was asked to enforce the schema. */
  structured: boolean;
}

interface Pool {
  clients: { client: OpenAI; inFlight: number }[];
  /** False once a server has refused response_format. */
  schemas: boolean;
}
const pools = new WeakMap<Endpoint, Pool>();

/** The body that is sent: equal requests have equal bodies, so its hash names a request. */
export function wireBody(
  model: string,
  request: CompletionRequest,
  structured = request.schema !== undefined,
) {
  return {
    model,
    messages: [...request.messages],
    seed: request.seed,
    temperature: request.temperature,
    max_tokens: request.maxTokens,
    ...(structured && request.schema
      ? {
        response_format: { type: "json_schema" as const, json_schema: { ...request.schema, strict: true } },
      }
      : {}),
  };
}

/**
 * One chat completion from the least loaded of the endpoint's servers.
 *
 * Rate limits (429, with Retry-After), 408, 5xx, timeouts and lost connections are tried again with growing random
 * pauses, on another server where there is one. A server that refuses `response_format` is asked without it from then on.
 *
 * @throws LlmError after the last attempt; the signal's reason if it was aborted
 */
export async function complete(
  endpoint: Endpoint,
  request: CompletionRequest,
  options: CompletionOptions = {},
): Promise<Completion> {
  const { signal, maxRetries = 4, retryDelayMs = 500 } = options;
  const pool = poolOf(endpoint);
  const start = performance.now();
  let last: OpenAI | undefined;
  for (let retries = 0;;) {
    signal?.throwIfAborted();
    const slot = leastLoaded(pool, last);
    const structured = request.schema !== undefined && pool.schemas;
    slot.inFlight++;
    try {
      const raw = await slot.client.chat.completions.create(wireBody(endpoint.model, request, structured), {
        signal,
        timeout: options.timeoutMs ?? 120_000,
      });
      const seconds = (performance.now() - start) / 1000;
      const [server, time] = [new URL(slot.client.baseURL).host, new Date().toISOString()];
      return { ...readCompletion(raw, endpoint, retries), server, time, seconds, retries, structured };
    } catch (error) {
      signal?.throwIfAborted();
      const failure = classify(error, endpoint, slot.client.baseURL, retries);
      if (structured && refusesSchema(error)) {
        pool.schemas = false;
        continue;
      }
      if (!isTransient(failure.kind) || retries >= maxRetries) throw failure;
      last = slot.client;
      await pause(retryAfterMs(error) ?? retryDelayMs * 2 ** retries * (0.5 + Math.random()), signal);
      retries++;
    } finally {
      slot.inFlight--;
    }
  }
}

function poolOf(endpoint: Endpoint): Pool {
  let pool = pools.get(endpoint);
  if (!pool) {
    const apiKey = endpoint.apiKey?.reveal() ?? "none"; // the client insists on one
    const clients = endpoint.baseURLs.map((baseURL) => ({
      client: new OpenAI({ baseURL, apiKey, maxRetries: 0, logLevel: "off" }),
      inFlight: 0,
    }));
    if (clients.length === 0) {
      throw new Error("endpoint: expected at least one address in baseURLs, found none");
    }
    pools.set(endpoint, pool = { clients, schemas: true });
  }
  return pool;
}

function leastLoaded(pool: Pool, avoid: OpenAI | undefined) {
  const others = pool.clients.filter((slot) => slot.client !== avoid);
  return (others.length > 0 ? others : pool.clients).reduce((a, b) => (b.inFlight < a.inFlight ? b : a));
}

const rawCompletion = z.object({
  model: z.string(),
  choices: z.array(z.object({
    message: z.object({ content: z.string().nullish(), refusal: z.string().nullish() }),
    finish_reason: z.string().nullish(),
  })).min(1),
  usage: z.object({ prompt_tokens: z.number(), completion_tokens: z.number() }).nullish(),
});

function readCompletion(raw: unknown, endpoint: Endpoint, retries: number) {
  const parsed = rawCompletion.safeParse(raw);
  if (!parsed.success) {
    const where = parsed.error.issues[0]?.path.join(".");
    throw new LlmError(
      "malformed",
      `expected a chat completion, found a reply whose "${where}" does not fit`,
      retries,
    );
  }
  const { model, choices: [choice], usage } = parsed.data;
  const text = choice.message.content ?? choice.message.refusal ?? "";
  return {
    text: endpoint.apiKey?.redact(text) ?? text,
    finishReason: choice.finish_reason ?? "unknown",
    model,
    promptTokens: usage?.prompt_tokens ?? null,
    completionTokens: usage?.completion_tokens ?? null,
  };
}

function classify(error: unknown, endpoint: Endpoint, baseURL: string, retries: number): LlmError {
  if (error instanceof LlmError) return error;
  const status = error instanceof OpenAI.APIError ? error.status : undefined;
  let kind: LlmErrorKind;
  if (error instanceof OpenAI.APIConnectionTimeoutError || status === 408) kind = "timeout";
  else if (error instanceof OpenAI.APIConnectionError) kind = "unreachable";
  else if (status === 401 || status === 403) kind = "auth";
  else if (status === 429) kind = "rate_limit";
  else if (status !== undefined && status >= 500) kind = "server";
  else if (status !== undefined) kind = "rejected";
  else kind = "malformed";
  const said = error instanceof Error ? error.message : String(error);
  const advice = kind === "auth"
    ? "; check the key in the environment"
    : kind === "unreachable"
    ? "; is the server running?"
    : "";
  const text = `${baseURL}: ${endpoint.model}: ${kind}: ${said}${advice}`;
  return new LlmError(kind, endpoint.apiKey?.redact(text) ?? text, retries);
}

function isTransient(kind: LlmErrorKind): boolean {
  return kind === "rate_limit" || kind === "server" || kind === "timeout" || kind === "unreachable" ||
    kind === "malformed";
}

function refusesSchema(error: unknown): boolean {
  return error instanceof OpenAI.APIError && (error.status === 400 || error.status === 422) &&
    /response_format|json_schema|grammar/i.test(error.message);
}

/** Milliseconds that the reply's Retry-After asks for (seconds or an HTTP date). */
function retryAfterMs(error: unknown): number | undefined {
  const value = error instanceof OpenAI.APIError ? error.headers?.get("retry-after") : undefined;
  if (!value) return undefined;
  const ms = /^\d+(\.\d+)?$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now();
  return Number.isFinite(ms) ? Math.max(0, ms) : undefined;
}

function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(signal!.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", stop);
      resolve();
    }, ms);
    signal?.addEventListener("abort", stop, { once: true });
  });
}
