import { parse } from "csv-parse";
import { checkpoint } from "../jupyter/mod.ts";
import { readText } from "./files.ts";

/** A row of a CSV file by column name. */
export type CsvRow = Record<string, string>;

/**
 * The rows of a CSV text with a header. Empty lines between rows are not rows.
 * @param columnsOf gets the trimmed header; gives the names to keep, false for a column that is not kept
 * @throws what is wrong with the text, with its line; the reason of `signal`
 */
export async function csvRows(
  text: string,
  columnsOf: (header: string[]) => (string | false)[],
  { delimiter = ",", signal }: { delimiter?: string; signal?: AbortSignal } = {},
): Promise<CsvRow[]> {
  const rows: CsvRow[] = [];
  let fault: Error | null = null;
  const parser = parse({
    columns: (names: string[]) => columnsOf(names.map((name) => name.trim())),
    delimiter,
    record_delimiter: ["\r\n", "\n"],
    skip_empty_lines: true,
  });
  parser.on("data", (row: CsvRow) => rows.push(row));
  parser.on("error", (error: Error) => fault ??= error);
  const ended = new Promise((resolve) => parser.on("close", resolve));
  for (const piece of pieces(text)) {
    if (fault) break;
    await checkpoint(signal);
    parser.write(piece);
  }
  parser.end();
  await ended;
  if (fault) throw fault;
  return rows;
}

/**
 * A CSV file with a header (RFC 4180: quoted fields may hold commas, quotes and line breaks; LF or CRLF), or one packed
 * with gzip. Only the named columns are kept; empty lines between rows are not rows.
 * @param required columns that must be there; a list in the list means any one of them
 * @param optional columns that are kept where they are there
 * @throws naming the file, and the line of a wrong number of fields or an open quote; the reason of `signal`
 */
export async function readCsv(
  path: string,
  required: readonly (string | readonly string[])[],
  optional: readonly string[] = [],
  signal?: AbortSignal,
): Promise<CsvRow[]> {
  const text = await readText(path), wanted = new Set([...required.flat(), ...optional]);
  let header: string[] = [];
  const choose = (names: string[]) => (header = names).map((name) => wanted.has(name) ? name : false);
  const rows = await csvRows(text, choose, { signal }).catch((error) => {
    signal?.throwIfAborted();
    throw new Error(`${path}: expected a complete CSV file, found: ${(error as Error).message}`);
  });
  for (const column of required) {
    const names = typeof column === "string" ? [column] : column;
    if (!names.some((name) => header.includes(name))) {
      throw new Error(
        `${path}: expected a column "${names.join('" or "')}", found the header "${header.join(",")}". ` +
          "Check that this is the right file of the right data set.",
      );
    }
  }
  const twice = header.find((name, k) => wanted.has(name) && header.indexOf(name) !== k);
  if (twice !== undefined) throw new Error(`${path}: expected every column once, found "${twice}" twice.`);
  return rows;
}

/** Characters that are parsed at a time. */
const PIECE = 2 ** 18;

/** A text in pieces of whole lines. */
function* pieces(text: string): Generator<string> {
  for (let start = 0; start < text.length;) {
    const end = text.indexOf("\n", start + PIECE) + 1 || text.length;
    yield text.slice(start, end);
    start = end;
  }
}
