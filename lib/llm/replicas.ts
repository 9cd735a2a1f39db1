import OpenAI from "openai";
import { z } from "zod";
import { type Endpoint } from "./endpoint.ts";
import { directClient, isLoopback } from "./loopback.ts";

/** Longest pause between two attempts, in milliseconds, whatever a Retry-After asks for. */
export const MAX_PAUSE_MS = 60_000;

/** One server of an endpoint and how it is doing. Times are of `performance.now()`. */
export interface Replica {
  readonly client: OpenAI;
  /** Host and port. */
  readonly host: string;
  inFlight: number;
  /** Requests it may have at once: halved by a rate limit or a timeout, 1 without connection; replies widen it. */
  window: number;
  /** Attempts in a row that found no connection. */
  misses: number;
  pausedUntil: number;
  /** When it was last slowed down; what failed of older requests tells nothing new. */
  slowedAt: number;
}

/** Parts of a request that a server may do without. */
export const PARAMETERS: readonly Parameter[] = ["response_format", "seed", "temperature", "max_tokens"];
/** One of them. */
export type Parameter = "response_format" | "seed" | "temperature" | "max_tokens";

/** The servers of an endpoint. */
export interface Replicas {
  readonly list: readonly Replica[];
  /** Answers so far, of all of them. */
  served: number;
  /** What a server has refused; max_completion_tokens takes the place of max_tokens. */
  refused: ReadonlySet<Parameter>;
  /** Requests for which no replica is free, first come first served. */
  waiting: { failed?: Replica; take: (replica: Replica) => void }[];
  timer?: ReturnType<typeof setTimeout>;
}

const known = new WeakMap<Endpoint, Replicas>();

/** The state of an endpoint's servers, which all requests to it share. */
export function replicasOf(endpoint: Endpoint): Replicas {
  let replicas = known.get(endpoint);
  if (!replicas) {
    if (endpoint.baseURLs.length === 0) {
      throw new Error("endpoint: expected at least one address in baseURLs, found none");
    }
    const list = endpoint.baseURLs.map((baseURL): Replica => ({
      client: clientOf(baseURL, endpoint),
      host: new URL(baseURL).host,
      inFlight: 0,
      window: Infinity,
      misses: 0,
      pausedUntil: 0,
      slowedAt: 0,
    }));
    known.set(endpoint, replicas = { list, served: 0, refused: new Set(), waiting: [] });
  }
  return replicas;
}

/** Sends the request and the endpoint's key only, follows no redirect to another server, repeats nothing by itself. */
function clientOf(baseURL: string, { apiKey }: Endpoint): OpenAI {
  const direct = isLoopback(baseURL) ? { client: directClient() } : {};
  return new OpenAI({
    baseURL,
    apiKey: apiKey?.reveal() ?? "none", // the client insists on one
    adminAPIKey: null,
    organization: null,
    project: null,
    maxRetries: 0,
    logLevel: "off",
    fetch: async (input, init) => withError(await fetch(input, { ...init, redirect: "manual", ...direct })),
  });
}

/** A refusal as the client reads it: some servers put what they have to say elsewhere than under "error". */
async function withError(response: Response): Promise<Response> {
  if (response.status !== 400 && response.status !== 422) return response;
  const text = await response.text();
  const { status, headers } = response;
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch { /* no JSON: the client repeats the text */ }
  if (body === null || typeof body !== "object" || "error" in body) {
    return new Response(text, { status, headers });
  }
  const message = messageOf(body) ?? text;
  return Response.json({ error: { ...body, message } }, { status });
}

/** FastAPI names the fields at fault and repeats what was sent, of which nothing is kept. */
const fieldsAtFault = z.object({
  detail: z.array(z.object({ loc: z.array(z.union([z.string(), z.number()])), msg: z.string() })),
}).transform(({ detail }) => detail.map(({ loc, msg }) => `${loc.join(".")}: ${msg}`).join("; "));
const said = z.object({ message: z.string() }).transform(({ message }) => message);
const messageOf = (body: unknown) => z.union([fieldsAtFault, said]).safeParse(body).data;

/**
 * Takes the least loaded replica, rather not the one that has just `failed`; waits while none may have a request.
 * Give it back with `release`.
 */
export function takeReplica(replicas: Replicas, failed?: Replica, signal?: AbortSignal): Promise<Replica> {
  return new Promise((resolve, reject) => {
    const leave = () => {
      replicas.waiting = replicas.waiting.filter((waiter) => waiter !== own);
      serveWaiting(replicas);
      reject(signal!.reason);
    };
    const take = (replica: Replica) => {
      signal?.removeEventListener("abort", leave);
      resolve(replica);
    };
    const own = { failed, take };
    if (signal?.aborted) return reject(signal.reason);
    signal?.addEventListener("abort", leave);
    replicas.waiting.push(own);
    serveWaiting(replicas);
  });
}

export function release(replicas: Replicas, replica: Replica): void {
  replica.inFlight--;
  serveWaiting(replicas);
}

function serveWaiting(replicas: Replicas): void {
  clearTimeout(replicas.timer);
  const { list, waiting } = replicas, now = performance.now();
  while (waiting.length > 0) {
    const free = list.filter((r) => r.pausedUntil <= now && r.inFlight < Math.floor(r.window));
    if (free.length === 0) break;
    const { failed, take } = waiting.shift()!;
    const others = free.filter((r) => r !== failed);
    const taken = (others.length > 0 ? others : free).reduce((a, b) => b.inFlight < a.inFlight ? b : a);
    taken.inFlight++;
    take(taken);
  }
  const ends = list.map((r) => r.pausedUntil).filter((end) => end > now);
  if (waiting.length > 0 && ends.length > 0) {
    replicas.timer = setTimeout(() => serveWaiting(replicas), Math.min(...ends) - now + 1);
  }
}

/** The replica has given the model's answer. */
export function noteServed(replicas: Replicas, replica: Replica): void {
  replicas.served++;
  replica.misses = 0;
  replica.window += 1 / replica.window;
}

/** The replica had too much to do for a request that began at `since`; if it asks for a pause, all requests keep it. */
export function noteBusy(replica: Replica, since: number, pauseMs = 0): void {
  const now = performance.now();
  replica.misses = 0;
  replica.pausedUntil = Math.max(replica.pausedUntil, now + pauseMs);
  if (since < replica.slowedAt) return;
  replica.slowedAt = now;
  replica.window = Math.max(1, Math.min(replica.window, replica.inFlight) / 2);
}

/**
 * A request that began at `since` found no connection: the replica is left alone for a while, the longer the more often
 * it happens, and then gets one request at a time until it replies.
 *
 * @returns whether every replica has missed more than `maxRetries` times in a row
 */
export function noteMissed(
  { list }: Replicas,
  replica: Replica,
  since: number,
  maxRetries: number,
  retryDelayMs: number,
): boolean {
  if (since >= replica.slowedAt) {
    const now = performance.now();
    const backOff = retryDelayMs * 2 ** replica.misses++ * (0.5 + Math.random());
    replica.window = 1;
    replica.slowedAt = now;
    replica.pausedUntil = now + Math.min(MAX_PAUSE_MS, backOff);
  }
  const gone = list.every(({ misses }) => misses > maxRetries);
  if (gone) list.forEach((r) => [r.misses, r.pausedUntil] = [0, 0]); // whoever asks later starts afresh
  return gone;
}
