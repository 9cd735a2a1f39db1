/** A server that speaks HTTP by hand, so that it can break off at any byte. */
import type { ReplayRequest } from "../support/replay_server.ts";

/** What is sent, and what becomes of the connection then. */
export interface Reaction {
  /** Whole HTTP messages; strings are sent as UTF-8, one write each. */
  writes?: (string | Uint8Array)[];
  then?: "keep" | "close" | "hang";
}

export interface FaultServer {
  readonly baseURL: string;
  /** The last message of every request, in order of arrival. */
  readonly asked: string[];
  /** At once: requests in flight lose their connection. */
  stop(): Promise<void>;
}

/** An HTTP reply with a body; `length` may lie. */
export function reply(
  body: string,
  { status = 200, type = "application/json", headers = "", length = new TextEncoder().encode(body).length } =
    {},
): string {
  return `HTTP/1.1 ${status} Said\r\ncontent-type: ${type}\r\ncontent-length: ${length}\r\n${headers}\r\n${body}`;
}

/** The body of a chat completion. */
export const completion = (
  message: Record<string, unknown>,
  { model = "m", finish = "stop" as string | null } = {},
): string =>
  JSON.stringify({
    model,
    choices: [{ index: 0, message: { role: "assistant", ...message }, finish_reason: finish }],
    usage: { prompt_tokens: 3, completion_tokens: 2 },
  });

export const said = (text: string): Reaction => ({ writes: [reply(completion({ content: text }))] });

/**
 * Starts a server on 127.0.0.1 that reacts to the last message of every chat request.
 *
 * @param react `attempt` counts requests with the same words
 * @param onHead gets the lines before each body
 */
export function startFaultServer(
  react: (words: string, attempt: number) => Reaction | Promise<Reaction>,
  { port = 0, onHead = (_: string): void => {} } = {},
): FaultServer {
  const listener = Deno.listen({ hostname: "127.0.0.1", port });
  const asked: string[] = [], attempts = new Map<string, number>();
  const open = new Set<Deno.Conn>();

  async function serve(conn: Deno.Conn): Promise<void> {
    let read = new Uint8Array();
    const more = async () => {
      const buffer = new Uint8Array(65536), n = await conn.read(buffer);
      if (n === null) return false;
      const both = new Uint8Array(read.length + n);
      both.set(read);
      both.set(buffer.subarray(0, n), read.length);
      read = both;
      return true;
    };
    for (;;) {
      let end: number;
      while ((end = new TextDecoder("latin1").decode(read).indexOf("\r\n\r\n")) < 0) {
        if (!await more()) return;
      }
      const head = new TextDecoder("latin1").decode(read.subarray(0, end));
      const from = end + 4, to = from + Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0);
      onHead(head);
      while (read.length < to) if (!await more()) return;
      const body: ReplayRequest = JSON.parse(new TextDecoder().decode(read.subarray(from, to)));
      read = read.slice(to);
      const words = body.messages.at(-1)!.content, attempt = attempts.get(words) ?? 0;
      attempts.set(words, attempt + 1);
      asked.push(words);
      const { writes = [], then = "keep" } = await react(words, attempt);
      for (const part of writes) {
        let rest = typeof part === "string" ? new TextEncoder().encode(part) : part;
        while (rest.length > 0) rest = rest.subarray(await conn.write(rest));
        if (writes.length > 1) await new Promise((resolve) => setTimeout(resolve, 5));
      }
      if (then === "hang") return void await more();
      if (then === "close") return;
    }
  }

  const accepting = (async () => {
    const serving: Promise<void>[] = [];
    for await (const conn of listener) {
      open.add(conn);
      serving.push(
        serve(conn).catch(() => {}).finally(() => {
          open.delete(conn);
          try {
            conn.close();
          } catch { /* by stop */ }
        }),
      );
    }
    await Promise.all(serving);
  })();
  const stop = async () => {
    listener.close();
    open.forEach((conn) => conn.close());
    await accepting;
  };
  return { baseURL: `http://127.0.0.1:${(listener.addr as Deno.NetAddr).port}/v1`, asked, stop };
}
