import { basename } from "@std/path";
import { decodeImage, doubtsAbout } from "@lib/image/mod.ts";
import { damaged, pictureFiles } from "./pictures.ts";

/** How a damaged picture was read. */
export interface Read {
  index: number;
  name: string;
  isDecoded: boolean;
  /** What an error should not have been; null otherwise. */
  problem: string | null;
  ms: number;
  /** Resident afterwards. */
  bytes: number;
}

/** Why an error is no sentence for people; null when it is one. */
function problemOf(error: unknown): string | null {
  if (!(error instanceof Error)) return `threw ${typeof error}`;
  const { message, cause } = error;
  if (error.constructor !== Error || (cause instanceof Error && cause.constructor !== Error)) {
    return `${(cause ?? error) as Error}`;
  }
  const isSentence = /^image of \d+ bytes (cannot be decoded: .|is empty: )/.test(message);
  return isSentence && !/\n|\bat .*:\d+:\d+|undefined|\[object/.test(message) ? null : message;
}

/** Decodes the `index`-th damaged picture. */
export async function readDamaged(index: number, files: readonly string[]): Promise<Read> {
  const { path, bytes } = damaged(index, files), start = performance.now();
  let isDecoded = false, problem: string | null = null;
  try {
    doubtsAbout(await decodeImage(bytes));
    isDecoded = true;
  } catch (error) {
    problem = problemOf(error);
  }
  const ms = performance.now() - start, { rss } = Deno.memoryUsage();
  return { index, name: basename(path), isDecoded, problem, ms, bytes: rss };
}

if (import.meta.main) {
  const files = pictureFiles(), [from, to] = Deno.args.map(Number);
  for (let index = from; index < to; index++) console.log(JSON.stringify(await readDamaged(index, files)));
}
