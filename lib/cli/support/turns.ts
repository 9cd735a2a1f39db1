import { delay } from "@std/async";
import { ChatError } from "./chat.ts";

/** Takes a piece of a response's body. @throws once nobody reads it any more */
export type Send = (text: string) => Promise<void>;

/** Tasks for a model that does one thing at a time, and responses that are written in such a turn. */
export interface Turns {
  /** Waits for the tasks before it. @throws {ChatError} when too many wait */
  inTurn<T>(task: () => Promise<T>): Promise<T>;
  /**
   * A response that is written piece by piece, from where `task` calls `begin` on. What the task throws before rejects; what it
   * throws after that is written as `failed` says it, and the body ends.
   */
  streamed(
    type: string,
    failed: (error: unknown) => string,
    task: (begin: () => Send) => Promise<void>,
  ): Promise<Response>;
}

/** @param most tasks that may wait */
export function takeTurns(most: number): Turns {
  let waiting = 0, last: Promise<unknown> = Promise.resolve();

  function inTurn<T>(task: () => Promise<T>): Promise<T> {
    if (waiting >= most) throw new ChatError(429, `${most} requests wait already; ask again later.`);
    waiting++;
    const mine = last.then(task).finally(() => waiting--);
    last = mine.catch(() => {});
    return mine;
  }

  const streamed: Turns["streamed"] = (type, failed, task) =>
    new Promise((resolve, reject) => {
      const encoder = new TextEncoder(), gone = new AbortController();
      let body: ReadableStreamDefaultController<Uint8Array> | undefined;
      const begin = (): Send => {
        const readable = new ReadableStream<Uint8Array>({
          start: (controller) => void (body = controller),
          cancel: () => gone.abort(),
        });
        resolve(new Response(readable, { headers: { "content-type": type } }));
        return async (text) => {
          gone.signal.throwIfAborted();
          body!.enqueue(encoder.encode(text));
          await delay(0); // what was sent leaves before the model computes again, which nothing interrupts
        };
      };
      inTurn(() => task(begin)).then(() => gone.signal.aborted || body!.close(), (error) => {
        if (!body) return reject(error);
        if (gone.signal.aborted) return;
        body.enqueue(encoder.encode(failed(error)));
        body.close();
      });
    });

  return { inTurn, streamed };
}
