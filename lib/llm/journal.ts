import { dirname } from "@std/path";
import { z } from "zod";
import { diskError, makeFolder } from "../config/mod.ts";
import { LLM_ERROR_KINDS } from "./error.ts";
import { PARAMETERS } from "./replicas.ts";

const count = z.number().nullable();
const completion = z.object({
  text: z.string(),
  finishReason: z.string(),
  model: z.string(),
  server: z.string().nullable().default(null),
  time: z.string().nullable().default(null),
  promptTokens: count,
  completionTokens: count,
  seconds: z.number(),
  retries: z.number(),
  structured: z.boolean(),
  refused: z.array(z.enum(PARAMETERS)).default([]),
});
const entry = z.object({
  id: z.string(),
  /** SHA-256 of the request as it is sent. */
  request: z.string(),
  completion: completion.optional(),
  failure: z.object({
    reason: z.enum(LLM_ERROR_KINDS),
    message: z.string(),
    promptTokens: count,
    completionTokens: count,
  }).optional(),
});

/** One line of a journal: a request's completion, or why there is none. */
export type JournalEntry = z.infer<typeof entry>;

/** The entries of a journal file, one JSON object a line; a last line without newline (a torn write) is left out. */
export async function readJournal(path: string): Promise<JournalEntry[]> {
  return (await parseJournal(path)).entries;
}

async function parseJournal(path: string): Promise<{ entries: JournalEntry[]; bytes: number }> {
  let bytes: Uint8Array;
  try {
    bytes = await Deno.readFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return { entries: [], bytes: 0 };
    throw error;
  }
  const whole = bytes.subarray(0, bytes.lastIndexOf(10) + 1);
  const lines = new TextDecoder().decode(whole).split("\n").slice(0, -1);
  const entries = lines.map((line, i) => {
    try {
      return entry.parse(JSON.parse(line));
    } catch {
      throw new Error(
        `${path}: line ${
          i + 1
        }: expected a journal entry, found something else; move the file away to start anew`,
      );
    }
  });
  return { entries, bytes: whole.length };
}

/** An open journal: lines are on disk when `append` is done. */
export interface Journal {
  entries: JournalEntry[];
  append(entry: JournalEntry): Promise<void>;
  close(): Promise<void>;
}

/**
 * Opens (or starts) the journal at `path` for one writer and cuts off a torn last line. Lines that are appended while
 * others are being written share the next write to disk.
 *
 * @throws if another process has it open, or a line before the last is damaged
 */
export async function openJournal(path: string): Promise<Journal> {
  const said = (error: unknown): never => {
    throw diskError(error, path);
  };
  await makeFolder(dirname(path));
  const file = await Deno.open(path, { read: true, write: true, create: true, mode: 0o600 }).catch(said);
  try {
    if (!await file.tryLock(true)) {
      throw new Error(
        `${path}: expected to be the only writer, found the journal in use; stop the other run`,
      );
    }
    const { entries, bytes } = await parseJournal(path);
    await file.truncate(bytes);
    await file.seek(0, Deno.SeekMode.End);

    const lines: string[] = [];
    let last = Promise.resolve(); // the write that has begun last
    let next: Promise<void> | null = null; // the write that `lines` wait for
    const write = async () => {
      next = null;
      let rest = new TextEncoder().encode(lines.splice(0).join(""));
      while (rest.length > 0) rest = rest.subarray(await file.write(rest));
      await file.syncData();
    };
    const append = (entry: JournalEntry) => {
      lines.push(JSON.stringify(entry) + "\n");
      return next ??= last = last.then(write).catch(said);
    };
    const close = async () => {
      await last.catch(() => {}); // whoever appended knows of it
      file.close();
    };
    return { entries, append, close };
  } catch (error) {
    file.close();
    throw error;
  }
}
