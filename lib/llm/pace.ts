import { delay } from "@std/async";
import type { CompletionRequest } from "./complete.ts";
import type { Endpoint } from "./endpoint.ts";

/** When the next request to an endpoint may start, in milliseconds of `performance.now()`. */
const nextStart = new WeakMap<Endpoint, number>();

/**
 * Waits until the endpoint's limits per minute allow the request. Requests are spaced evenly, without bursts, each by
 * the share of a minute that it uses up.
 */
export async function awaitTurn(
  endpoint: Endpoint,
  request: CompletionRequest,
  signal?: AbortSignal,
): Promise<void> {
  const { requestsPerMinute = Infinity, tokensPerMinute = Infinity } = endpoint;
  const share = Math.max(1 / requestsPerMinute, tokensAtMost(request) / tokensPerMinute);
  if (share === 0) return;
  const now = performance.now(), start = Math.max(now, nextStart.get(endpoint) ?? 0);
  nextStart.set(endpoint, start + 60_000 * share);
  await delay(start - now, { signal });
}

/** Tokens that a request may cost: a quarter of its bytes and all that it may generate, as hosted servers reckon. */
function tokensAtMost({ messages, maxTokens }: CompletionRequest): number {
  const texts = messages.flatMap(({ content }) =>
    typeof content === "string" ? content : content?.map((part) => "text" in part ? part.text : "") ?? []
  );
  return Math.ceil(new TextEncoder().encode(texts.join("")).length / 4) + maxTokens;
}
