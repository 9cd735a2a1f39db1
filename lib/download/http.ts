/** A server's refusal, or an answer that cannot be used. `status` is the HTTP status code. */
export class HttpError extends Error {
  /** A refusal with the HTTP status, of this address. */
  constructor(readonly status: number, readonly url: string, message: string) {
    super(message);
    this.name = "HttpError";
  }
}

/** A rule of ours forbids the request; trying again would not help. */
export class RefusedRequest extends Error {}

const SECRET_HEADERS = ["authorization", "cookie"];
const MAX_REDIRECTS = 10;

/** The address without its query: signed addresses carry secrets there. */
export function publicUrl(url: string | URL): string {
  const { protocol, host, pathname } = new URL(url);
  return isHttp(protocol) ? `${protocol}//${host}${pathname}` : `a ${protocol} address`;
}

const isHttp = (protocol: string): boolean => protocol === "https:" || protocol === "http:";

function isLoopback(url: URL): boolean {
  return ["localhost", "127.0.0.1", "[::1]"].includes(url.hostname);
}

/**
 * GET (or `init.method`) following redirects by hand: only to http and https, and https is never left for http.
 * `Authorization` and `Cookie` are sent to the first origin only (or to `secretsFor` only), and never over plain http
 * (except to this machine).
 * @throws RefusedRequest when one of these rules is broken or after {@link MAX_REDIRECTS} redirects.
 */
export async function guardedFetch(
  url: string | URL,
  init: RequestInit = {},
  secretsFor: string = new URL(url).origin,
): Promise<Response> {
  let target = new URL(url);
  const headers = new Headers(init.headers);
  for (let hops = 0; hops <= MAX_REDIRECTS; hops++) {
    if (!isHttp(target.protocol)) {
      throw new RefusedRequest(`Expected an http or https address, found ${publicUrl(target)}: refused.`);
    }
    if (target.origin !== secretsFor) { for (const name of SECRET_HEADERS) headers.delete(name); }
    const secret = SECRET_HEADERS.some((name) => headers.has(name));
    if (secret && target.protocol !== "https:" && !isLoopback(target)) {
      throw new RefusedRequest(
        `A secret would travel unencrypted to ${publicUrl(target)}: use an https address.`,
      );
    }
    const response = await fetch(target, { ...init, headers, redirect: "manual" });
    const location = response.headers.get("location");
    if (![301, 302, 303, 307, 308].includes(response.status) || location === null) return response;
    await response.body?.cancel();
    const next = URL.parse(location, target);
    if (next === null) {
      throw new RefusedRequest(
        `${publicUrl(target)} redirects to something that is not an address: refused.`,
      );
    }
    if (target.protocol === "https:" && next.protocol !== "https:") {
      throw new RefusedRequest(`${publicUrl(target)} redirects from https to ${publicUrl(next)}: refused.`);
    }
    if (!isHttp(next.protocol)) {
      throw new RefusedRequest(`${publicUrl(target)} redirects to ${publicUrl(next)}: refused.`);
    }
    target = next;
  }
  throw new RefusedRequest(`${publicUrl(url)} redirects more than ${MAX_REDIRECTS} times.`);
}

/**
 * A watch over a connection: its signal aborts when fewer than `bytes` came within `stallMs`, so that neither silence nor a slow
 * drip holds a request for ever.
 */
export function watchProgress(
  { stallMs, bytes, signal }: { stallMs: number; bytes: number; signal?: AbortSignal },
): { signal: AbortSignal; tick: (received: number) => void; [Symbol.dispose]: () => void } {
  const stop = new AbortController();
  let since = 0;
  const timer = setInterval(() => {
    if (since < bytes) stop.abort(new Error("the connection stalled"));
    since = 0;
  }, stallMs);
  return {
    signal: signal ? AbortSignal.any([signal, stop.signal]) : stop.signal,
    tick: (received) => since += received,
    [Symbol.dispose]: () => clearInterval(timer),
  };
}

/** The whole body of an answer, if it has no more than `atMost` bytes. @throws RefusedRequest when it has more */
export async function boundedBody(response: Response, atMost: number): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let length = 0;
  for await (const chunk of response.body ?? []) {
    length += chunk.length;
    if (length > atMost) {
      throw new RefusedRequest(
        `${
          publicUrl(response.url)
        } answers with more than ${atMost} bytes where a list was expected: refused.`,
      );
    }
    chunks.push(chunk);
  }
  return new Uint8Array(await new Blob(chunks).arrayBuffer());
}

/** Too many requests, timeouts and server faults may pass; other refusals stay. */
export function isTransient(status: number): boolean {
  return status === 408 || status === 425 || status === 429 || status >= 500;
}

/** Milliseconds a `Retry-After` header asks for (seconds or a date), at most two minutes; undefined without one. */
export function retryAfter(response: Response): number | undefined {
  const value = response.headers.get("retry-after");
  if (value === null) return undefined;
  const seconds = Number(value);
  const wait = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(value) - Date.now();
  return Number.isFinite(wait) ? Math.min(Math.max(wait, 0), 120_000) : undefined;
}

/** Exponential backoff with full jitter: up to `base * 2^attempt` milliseconds, at most a minute. */
export function backoff(attempt: number, base: number): number {
  return Math.random() * Math.min(base * 2 ** attempt, 60_000);
}

/** Waits; `signal` ends it with its reason. */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
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

/** An error whose message says it all, without its class: what a person is shown. Others as they are. */
export function plainError(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const known = error instanceof HttpError || error instanceof RefusedRequest;
  return known ? new Error(error.message, { cause: error }) : error;
}
