import { delay } from "@std/async";
import OpenAI from "openai";
import { type Endpoint } from "./endpoint.ts";
import { isAnswer, isTransient, LlmError, type TokenCounts } from "./error.ts";
import { refuseThirdParties } from "./loopback.ts";
import { awaitTurn } from "./pace.ts";
import { failureOf, readReply, type Reply } from "./reply.ts";
import {
  MAX_PAUSE_MS,
  noteBusy,
  noteMissed,
  noteServed,
  type Parameter,
  PARAMETERS,
  release,
  type Replica,
  type Replicas,
  replicasOf,
  takeReplica,
} from "./replicas.ts";

/** A chat message; content parts with images are taken too. */
export type Message = OpenAI.Chat.Completions.ChatCompletionMessageParam;

/** What a language model is asked. */
export interface CompletionRequest {
  /** The conversation. */
  messages: readonly Message[];
  /** Answers follow this JSON schema where the server can enforce it; elsewhere it is only asked for. */
  schema?: { name: string; schema: Record<string, unknown> };
  /** Of the sampling. */
  seed: number;
  /** 0 is greedy. */
  temperature: number;
  /** Limit of generated tokens. */
  maxTokens: number;
}

/** How often and for how long a request is tried. */
export interface RetryOptions {
  /** Ends all attempts. */
  signal?: AbortSignal;
  /** Failed attempts that are made good (default 4). */
  maxRetries?: number;
  /** Milliseconds (default 500); the n-th pause is 2^n times that, give or take a half, and at most a minute. */
  retryDelayMs?: number;
}

/** How one request is made. */
export interface CompletionOptions extends RetryOptions {
  /** The request carries a row that may be sent to servers on this machine only. */
  noThirdParty?: boolean;
}

/** What a language model replied. */
export interface Completion extends TokenCounts {
  /** The reply. */
  text: string;
  /** "stop", "length" (cut at maxTokens), ... as the server says. */
  finishReason: string;
  /** The model as the server names it. */
  model: string;
  /** Host and port of the server that replied; null in journals written before this was kept. */
  server: string | null;
  /** When the reply came, ISO 8601 in UTC; null in journals written before this was kept. */
  time: string | null;
  /** Wall time, retries included. */
  seconds: number;
  /** Attempts after the first. */
  retries: number;
  /** Whether the server was asked to enforce the schema. */
  structured: boolean;
  /** What the request was sent without, or in another way, since the server refuses it. */
  refused: Parameter[];
}

/** The request with room for the model's reasoning. */
export const withReasoning = (endpoint: Endpoint, request: CompletionRequest): CompletionRequest => ({
  ...request,
  maxTokens: request.maxTokens + (endpoint.reasoningTokens ?? 0),
});

/** The body that is sent: equal requests have equal bodies, so its hash names a request. */
export function wireBody(
  model: string,
  request: CompletionRequest,
  refused: ReadonlySet<Parameter> = new Set(),
) {
  const { messages, seed, temperature, maxTokens, schema } = request;
  return {
    model,
    messages: [...messages],
    ...(refused.has("seed") ? {} : { seed }),
    ...(refused.has("temperature") ? {} : { temperature }),
    ...(refused.has("max_tokens") ? { max_completion_tokens: maxTokens } : { max_tokens: maxTokens }),
    ...(schema && !refused.has("response_format")
      ? { response_format: { type: "json_schema" as const, json_schema: { ...schema, strict: true } } }
      : {}),
  };
}

/**
 * One chat completion from the least loaded of the endpoint's servers.
 *
 * Rate limits, faults of the server, timeouts and lost connections are tried again after growing random pauses, on
 * another server where there is one. A rate limit does not count if other requests were answered since the attempt before; a
 * Retry-After holds all requests to that server, for a minute at most. A server without connection is left alone and
 * tried again later, while the others take its requests. Once a server refuses `response_format`, `seed` or
 * `temperature`, all requests to the endpoint go without; `max_completion_tokens` takes the place of a refused
 * `max_tokens`. The completion says so.
 *
 * @throws LlmError after the last attempt, at once if the key or the request is refused or the model gives no text, and
 * "unreachable" if no server can be connected to; an error if the request is not for third parties and a server is one;
 * the signal's reason if it was aborted
 *
 * @example A server that always says yes
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { complete } from "@lib/llm/mod.ts";
 *
 * const choices = [{ message: { role: "assistant", content: "yes" }, finish_reason: "stop" }];
 * const reply = { model: "any", choices, usage: { prompt_tokens: 4, completion_tokens: 1 } };
 * const server = Deno.serve({ hostname: "127.0.0.1", port: 0 }, () => Response.json(reply));
 * const baseURL = `http://127.0.0.1:${server.addr.port}/v1`;
 * const { text } = await complete({ baseURLs: [baseURL], model: "any" }, {
 *   messages: [{ role: "user", content: "Is there a nodule?" }],
 *   seed: 1,
 *   temperature: 0,
 *   maxTokens: 8,
 * });
 * assertEquals(text, "yes");
 * await server.shutdown();
 * ```
 */
export async function complete(
  endpoint: Endpoint,
  wanted: CompletionRequest,
  options: CompletionOptions = {},
): Promise<Completion> {
  const request = withReasoning(endpoint, wanted);
  const { signal, maxRetries = 4, retryDelayMs = 500 } = options;
  if (options.noThirdParty) refuseThirdParties(endpoint, 1, 1);
  const replicas = replicasOf(endpoint);
  const start = performance.now();
  let failed: Replica | undefined;
  let { served } = replicas;
  for (let retries = 0, faults = 0;; retries++) {
    await awaitTurn(endpoint, request, signal);
    const replica = await takeReplica(replicas, failed, signal);
    const since = performance.now();
    const { refused } = replicas;
    const body = wireBody(endpoint.model, request, refused);
    let pauseMs = 0;
    try {
      const reply = await ask(replica, endpoint, body, signal);
      noteServed(replicas, replica);
      const [seconds, time] = [(performance.now() - start) / 1000, new Date().toISOString()];
      const structured = "response_format" in body;
      return { ...reply, server: replica.host, time, seconds, retries, structured, refused: [...refused] };
    } catch (error) {
      signal?.throwIfAborted();
      if (adapts(replicas, body, error)) continue;
      const failure = failureOf(error, endpoint, replica.host);
      const { kind, retryAfterMs } = failure;
      failure.retries = retries;
      failed = replica;
      if (kind === "unreachable") {
        if (noteMissed(replicas, replica, since, maxRetries, retryDelayMs)) throw failure;
        continue;
      }
      replica.misses = 0;
      if (isAnswer(kind)) noteServed(replicas, replica);
      if (!isTransient(kind)) throw failure;
      if (kind === "rate_limit" || kind === "timeout" || retryAfterMs !== null) {
        noteBusy(replica, since, Math.min(retryAfterMs ?? 0, MAX_PAUSE_MS));
      }
      if (kind !== "rate_limit" || replicas.served === served) faults++;
      served = replicas.served;
      if (faults > maxRetries) throw failure;
      const backOff = Math.min(MAX_PAUSE_MS, retryDelayMs * 2 ** retries * (0.5 + Math.random()));
      if ((retryAfterMs ?? 0) < backOff) pauseMs = backOff;
    } finally {
      release(replicas, replica);
    }
    await delay(pauseMs, { signal });
  }
}

/** One attempt, headers and body within the endpoint's time. */
async function ask(
  { client, host }: Replica,
  endpoint: Endpoint,
  body: ReturnType<typeof wireBody>,
  signal: AbortSignal | undefined,
): Promise<Reply> {
  const { model, timeoutSeconds = 120 } = endpoint;
  const stop = new AbortController();
  const abort = () => stop.abort();
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    abort();
  }, timeoutSeconds * 1000);
  signal?.addEventListener("abort", abort);
  try {
    return readReply(await client.chat.completions.create(body, { signal: stop.signal }), endpoint);
  } catch (error) {
    if (late) throw new LlmError("timeout", `${host}: ${model}: timeout: no reply in ${timeoutSeconds} s`);
    throw error;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", abort);
  }
}

const SAID: Record<Parameter, RegExp> = {
  response_format: /response_format|json_schema|grammar|guided|structured.output/i,
  seed: /\bseed\b/i,
  temperature: /\btemperature\b/i,
  max_tokens: /\bmax_(completion_)?tokens\b/i,
};
/** A request that is too long is at fault itself. */
const TOO_LONG = /too (large|long|many)|at most|context|exceed|maximum/i;

/** Whether a server has said that it refuses a part of what was sent; it is asked without it from now on. */
function adapts(replicas: Replicas, body: ReturnType<typeof wireBody>, error: unknown): boolean {
  if (!(error instanceof OpenAI.APIError) || (error.status !== 400 && error.status !== 422)) return false;
  const { param, message } = error;
  const means = (name: Parameter) => param ? param.split(".")[0] === name : SAID[name].test(message);
  const named = PARAMETERS.find((name) => name in body && means(name));
  if (!named || (named === "max_tokens" && TOO_LONG.test(message))) return false;
  replicas.refused = new Set(PARAMETERS.filter((name) => name === named || replicas.refused.has(name)));
  return true;
}
