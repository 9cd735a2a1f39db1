import { createHash } from "node:crypto";

export type Handler = (request: Request, count: number) => Response | Promise<Response>;

/** A local server for one test; `seen` holds every request's path and headers. */
export async function withServer(
  handler: Handler,
  body: (base: string, seen: { path: string; headers: Headers }[]) => Promise<void>,
): Promise<void> {
  const seen: { path: string; headers: Headers }[] = [];
  const server = Deno.serve({
    hostname: "127.0.0.1",
    port: 0,
    onListen: () => {},
    onError: () => new Response(),
  }, (request) => {
    seen.push({ path: new URL(request.url).pathname, headers: request.headers });
    return handler(request, seen.length);
  });
  try {
    await body(`http://127.0.0.1:${server.addr.port}`, seen);
  } finally {
    await server.shutdown();
  }
}

/** Bytes that differ everywhere, so that a shifted or doubled piece changes the digest. */
export function content(length: number, seed = 1): Uint8Array<ArrayBuffer> {
  let state = seed;
  return Uint8Array.from({ length }, () => (state = (state * 1103515245 + 12345) & 0x7fffffff) >> 16);
}

export const digest = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

/** The part of `bytes` a request's Range header asks for, as a well-behaved server sends it. */
export function ranged(request: Request, bytes: Uint8Array<ArrayBuffer>, etag?: string): Response {
  const start = Number(/^bytes=(\d+)-$/.exec(request.headers.get("range") ?? "")?.[1] ?? 0);
  const current = request.headers.get("if-range");
  const headers = new Headers(etag ? { etag } : {});
  if (!request.headers.has("range") || (current !== null && current !== etag)) {
    return new Response(bytes, { headers });
  }
  headers.set("content-range", `bytes ${start}-${bytes.length - 1}/${bytes.length}`);
  return new Response(bytes.slice(start), { status: 206, headers });
}

/** Sends `bytes` up to `stop`, then breaks the connection, having announced them all. */
export function broken(
  bytes: Uint8Array<ArrayBuffer>,
  stop: number,
  headers: Record<string, string> = {},
  status = 200,
): Response {
  let sent = false;
  const stream = new ReadableStream({
    async pull(controller) {
      if (!sent) {
        sent = true;
        controller.enqueue(bytes.slice(0, stop));
        await new Promise((resolve) => setTimeout(resolve, 30));
      } else controller.error(new Error("broken on purpose"));
    },
  });
  return new Response(stream, { status, headers: { "content-length": String(bytes.length), ...headers } });
}

export async function withFolder(body: (dir: string) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir();
  try {
    await body(dir);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

export async function names(dir: string): Promise<string[]> {
  const list: string[] = [];
  for await (const entry of Deno.readDir(dir)) list.push(entry.name);
  return list.sort();
}
