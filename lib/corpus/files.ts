import { join, resolve } from "@std/path";
import { gunzipSync } from "node:zlib";
import type { z } from "zod";
import type { Split } from "./record.ts";

/** Texts above this many bytes are refused: a JavaScript string cannot hold more than some 530 million characters. */
const MAX_TEXT_BYTES = 500_000_000;

/** Whether a path exists. */
export async function isThere(path: string): Promise<boolean> {
  try {
    await Deno.stat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return false;
    throw error;
  }
}

/** The first of `names` under `root` that exists, or null. */
export async function firstThere(root: string, names: readonly string[]): Promise<string | null> {
  for (const name of names) if (await isThere(join(root, name))) return join(root, name);
  return null;
}

/**
 * The bytes of a text file; one whose name ends in .gz is unpacked.
 * @throws when the file is missing, a folder, empty, too large or damaged
 */
export async function readBytes(path: string): Promise<Uint8Array> {
  const about = await Deno.stat(path).catch((error) => {
    if (!(error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory)) throw error;
    throw new Error(
      `Expected the file ${path}; it is missing. Download the data set, or correct the folder.`,
    );
  });
  if (!about.isFile) throw new Error(`${path}: expected a file, found a folder.`);
  if (about.size === 0) {
    throw new Error(`${path}: expected text, found an empty file. Get it, or write it, again.`);
  }
  if (about.size > MAX_TEXT_BYTES) {
    throw new Error(
      `${path}: expected at most ${MAX_TEXT_BYTES} bytes of text, found ${about.size}; split it.`,
    );
  }
  const bytes = await Deno.readFile(path);
  return path.endsWith(".gz") ? unpack(bytes, path) : bytes;
}

/**
 * A text file as UTF-8, without its byte order mark.
 * @throws as readBytes, and when it is not UTF-8
 */
export async function readText(path: string): Promise<string> {
  const bytes = await readBytes(path);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new Error(
      `${path}: expected UTF-8 text, found other bytes. It is damaged or of another kind: get it, or write it, again.`,
    );
  }
}

function unpack(bytes: Uint8Array, path: string): Uint8Array {
  try {
    return gunzipSync(bytes, { maxOutputLength: MAX_TEXT_BYTES });
  } catch (error) {
    throw new Error(
      `${path}: expected a complete gzip file of at most ${MAX_TEXT_BYTES} bytes unpacked, found: ` +
        `${(error as Error).message}. It is damaged or of another kind: get it, or write it, again.`,
    );
  }
}

/** An integer that a double cannot hold stays as its digits; the third argument is ES2025's, which TypeScript lacks. */
const keepDigits =
  ((_: string, value: unknown, { source }: { source?: string } = {}) =>
    typeof value === "number" && source && /^-?\d{16,}$/.test(source) && !Number.isSafeInteger(value)
      ? source
      : value) as (key: string, value: unknown) => unknown;

/** JSON; integers that a double cannot hold come as texts. @throws naming file, line and column */
export function parseJson(text: string, where: string, firstLine = 1): unknown {
  try {
    return JSON.parse(text, keepDigits);
  } catch (error) {
    if (text.trim() === "") throw new Error(`${where}: expected JSON, found white space.`);
    const at = whereJsonBreaks(text), before = text.slice(0, at).split("\n");
    const cut = at >= text.trimEnd().length ? " (it looks cut off)" : "";
    throw new Error(
      `${where}, line ${before.length - 1 + firstLine}, column ${
        before.at(-1)!.length + 1
      }: expected JSON, ` +
        `found ${
          (error as Error).message
        }${cut}. It is damaged or of another kind: get it, or write it, again.`,
    );
  }
}

/**
 * Index of the first character at which a text stops being JSON; its length where only the end is missing. V8 tells the
 * position of most faults; an unexpected token it quotes without one, but every text cut before it breaks otherwise.
 */
function whereJsonBreaks(text: string): number {
  const told = (end: number): number | null => {
    try {
      JSON.parse(text.slice(0, end));
      return end;
    } catch (error) {
      const { message } = error as Error, position = message.match(/at position (\d+)/);
      return position ? Number(position[1]) : message.startsWith("Unexpected token") ? null : end;
    }
  };
  const whole = told(text.length);
  if (whole !== null) return whole;
  let good = 0, bad = text.length;
  while (bad - good > 1) {
    const middle = (good + bad) >> 1;
    if (told(middle) === null) bad = middle;
    else good = middle;
  }
  return good;
}

/** A JSON file. @throws naming file, line and column */
export async function readJson(path: string): Promise<unknown> {
  return parseJson(await readText(path), path);
}

/** A JSON file that holds a list. @throws naming the file */
export async function readJsonList(path: string): Promise<unknown[]> {
  const value = await readJson(path);
  if (!Array.isArray(value)) throw new Error(`${path}: expected a list of rows, found ${typeof value}.`);
  return value;
}

/** A row checked against its schema. @throws naming file, row and key */
export function parseRow<T>(schema: z.ZodType<T>, value: unknown, where: string): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const key = issue.path.length > 0 ? `key "${issue.path.join(".")}": ` : "";
  const found = issue.message.replace("Invalid input: ", "").replace(
    /, received (undefined)?/,
    (_, absent) => absent ? ", found nothing" : ", found ",
  );
  throw new Error(`${where}: ${key}${found}.`);
}

/** Absolute path of a file named in a row. @throws when the name leaves the folder or no file can have it */
export function insideFolder(folder: string, name: string, where: string): string {
  const parts = name.split("/");
  if (
    name === "" || /[\\\0]/.test(name) || name.startsWith("/") || parts.includes("..") ||
    parts.some((part) => part.length > 255)
  ) {
    throw new Error(
      `${where}: expected a file name inside ${folder}, found ${JSON.stringify(name.slice(0, 300))}.`,
    );
  }
  return resolve(folder, name);
}

/** First line of licence.txt in a data set's folder, else what the data set's authors declare. */
export async function licenceOf(root: string, declared: string): Promise<string> {
  const path = join(root, "licence.txt");
  return await isThere(path) ? (await readText(path)).split("\n")[0].trim() : declared;
}

const SPLIT_NAMES: Record<string, Split> = {
  train: "train",
  training: "train",
  val: "validation",
  valid: "validation",
  vaild: "validation", // so on the hub, in ROCO-QA
  validate: "validation",
  validation: "validation",
  dev: "validation",
  test: "test",
  testing: "test",
};

/** The split that a data set calls `name`, in any case; null for a name that is none. */
export function splitNamed(name: string): Split | null {
  const key = name.trim().toLowerCase();
  return Object.hasOwn(SPLIT_NAMES, key) ? SPLIT_NAMES[key] : null;
}
