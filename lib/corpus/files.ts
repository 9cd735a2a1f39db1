import { parse } from "csv-parse/sync";
import { join, resolve } from "@std/path";
import type { z } from "zod";

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
 * A text file as UTF-8, without its byte order mark.
 * @throws when the file is missing or is not UTF-8
 */
export async function readText(path: string): Promise<string> {
  let bytes: Uint8Array;
  try {
    bytes = await Deno.readFile(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new Error(
      `Expected the file ${path}; it is missing. Download the data set, or correct the folder.`,
    );
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new Error(`${path}: expected UTF-8 text, found other bytes. Download the file again.`);
  }
}

function parseJson(text: string, where: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const cut = text.trimEnd().length > 0 && !/[\]}"]$/.test(text.trimEnd()) ? " (it looks cut off)" : "";
    throw new Error(
      `${where}: expected JSON, found ${(error as Error).message}${cut}. Download the file again.`,
    );
  }
}

/** A JSON file. @throws naming the file */
export async function readJson(path: string): Promise<unknown> {
  return parseJson(await readText(path), path);
}

/** A JSON file that holds a list. @throws naming the file */
export async function readJsonList(path: string): Promise<unknown[]> {
  const value = await readJson(path);
  if (!Array.isArray(value)) throw new Error(`${path}: expected a list of rows, found ${typeof value}.`);
  return value;
}

/** A row of a CSV file by column name. */
export type CsvRow = Record<string, string>;

/**
 * A CSV file with a header, any line ends, quoted fields with line breaks.
 * @param required columns that must be there; a list in the list means any one of them
 * @throws naming the file, and the row of a wrong number of fields
 */
export async function readCsv(
  path: string,
  required: readonly (string | readonly string[])[],
): Promise<CsvRow[]> {
  const text = await readText(path);
  let rows: CsvRow[], header: string[] = [];
  try {
    rows = parse(text, {
      bom: true,
      columns: (names: string[]) => header = names.map((n) => n.trim()),
      skip_empty_lines: true,
    }) as CsvRow[];
  } catch (error) {
    throw new Error(`${path}: expected a complete CSV file, found: ${(error as Error).message}`);
  }
  for (const column of required) {
    const names = typeof column === "string" ? [column] : column;
    if (!names.some((name) => header.includes(name))) {
      throw new Error(
        `${path}: expected a column "${names.join('" or "')}", found the header "${header.join(",")}". ` +
          "Check that this is the right file of the right data set.",
      );
    }
  }
  return rows;
}

/** A row checked against its schema. @throws naming file, row and key */
export function parseRow<T>(schema: z.ZodType<T>, value: unknown, where: string): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const key = issue.path.length > 0 ? `key "${issue.path.join(".")}": ` : "";
  throw new Error(`${where}: ${key}${issue.message}.`);
}

/** Absolute path of a file named in a row. @throws when the name leaves the folder */
export function insideFolder(folder: string, name: string, where: string): string {
  const parts = name.split("/");
  if (
    name === "" || name.includes("\\") || name.includes("\0") || name.startsWith("/") || parts.includes("..")
  ) {
    throw new Error(`${where}: expected a file name inside ${folder}, found ${JSON.stringify(name)}.`);
  }
  return resolve(folder, name);
}

/** Collects image paths and then checks them all at once. */
export interface ImageCheck {
  wanted: Map<string, string>;
}

export const newImageCheck = (): ImageCheck => ({ wanted: new Map() });

/** Remembers that the row `where` needs the image. */
export function wantImage(check: ImageCheck, path: string, where: string): void {
  if (!check.wanted.has(path)) check.wanted.set(path, where);
}

/** @throws naming the first missing image, its row, and how many are missing */
export async function requireAllImages(check: ImageCheck, hint: string): Promise<void> {
  const missing: [string, string][] = [];
  for (const [path, where] of check.wanted) if (!(await isThere(path))) missing.push([path, where]);
  if (missing.length === 0) return;
  const [path, where] = missing[0];
  throw new Error(
    `${where}: expected the image ${path}; it is missing (${missing.length} of ${check.wanted.size} images are). ` +
      `${hint} To use the text alone, load with requireImages: false.`,
  );
}

/** First line of licence.txt in a data set's folder, else what the data set's authors declare. */
export async function licenceOf(root: string, declared: string): Promise<string> {
  const path = join(root, "licence.txt");
  return await isThere(path) ? (await readText(path)).split("\n")[0].trim() : declared;
}
