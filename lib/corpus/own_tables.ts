import { basename, extname, join } from "@std/path";
import { csvRows } from "./csv.ts";
import { parseJson, readBytes, splitNamed } from "./files.ts";
import { parquetColumns, parquetRows } from "./parquet.ts";
import type { Split } from "./record.ts";

/** A row of a table by column name. */
export type OwnRow = Record<string, unknown>;

/** A table of somebody's own, before anything is made of its columns. */
export interface OwnTable {
  file: string;
  /** What it was read as: "CSV, UTF-8, separated by semicolons". */
  format: string;
  /** As the file names them: one may be there twice. */
  columns: string[];
  /** @param columns that are needed; others may be left out */
  rows(columns: readonly string[]): AsyncIterable<OwnRow> | Iterable<OwnRow>;
}

const ENDINGS = [".csv", ".tsv", ".jsonl", ".ndjson", ".json", ".parquet"];

const ending = (file: string): string => extname(file).toLowerCase();

const isTable = (name: string): boolean => ENDINGS.includes(ending(name)) && !name.startsWith(".");

/** Folders in a folder that are looked into for tables. */
const DEPTH = 3;

/**
 * The table files of `path`, in order: the file itself, or those of a folder. Where the hub's image folders have their
 * metadata files, these; else the tables in the folder, in its "data", or below. Hidden files (as "._a.csv" of macOS)
 * are none.
 * @throws when there is none
 */
export async function tableFiles(path: string): Promise<string[]> {
  const about = await Deno.stat(path).catch(() => null);
  if (about?.isFile && isTable(path)) return [path];
  const found = about?.isDirectory ? await tablesBelow(path, DEPTH) : [];
  const metadata = found.filter((file) => /^metadata\.(csv|jsonl|parquet)$/.test(basename(file)));
  const inFolder = (folder: string) => found.filter((file) => join(folder, basename(file)) === file);
  const files = [metadata, inFolder(path), inFolder(join(path, "data")), found].find((list) =>
    list.length > 0
  );
  if (files) return files.sort();
  const is = about === null ? "it is missing" : about.isDirectory ? "it has none" : "it is none";
  throw new Error(
    `Expected ${path} to be a table (${ENDINGS.join(", ")}) or a folder with tables; ${is}. ` +
      "Its columns are image, question and answer.",
  );
}

async function tablesBelow(folder: string, depth: number): Promise<string[]> {
  const entries = await Array.fromAsync(Deno.readDir(folder)), found: string[] = [];
  for (const { name, isDirectory } of entries) {
    if (name.startsWith(".")) continue;
    if (isDirectory && depth > 0) found.push(...await tablesBelow(join(folder, name), depth - 1));
    else if (!isDirectory && isTable(name)) found.push(join(folder, name));
  }
  return found;
}

/**
 * The split that a path's parts name: "testing.csv", "my_test_set.csv", "data/train-00000-of-00002.parquet",
 * "valid/metadata.csv"; null where none does.
 * @throws when the file's name names two
 */
export function splitOfPath(path: string): Split | null {
  for (const part of path.split("/").reverse()) {
    const words = part.replace(/\.[^.]*$/, "").replace(/([a-z])([A-Z])/g, "$1 $2").split(/[^A-Za-z]+/);
    const splits = new Set(words.map((word) => splitNamed(word.replace(/(?<=.)(set|split|data)$/i, ""))));
    splits.delete(null);
    if (splits.size > 1) {
      throw new Error(
        `${path}: expected a name with one split, found ${
          [...splits].join(" and ")
        }: rename it, or add a column split.`,
      );
    }
    if (splits.size === 1) return [...splits][0];
  }
  return null;
}

/** Opens a table; rows come when they are asked for. @throws in one sentence, naming the file */
export async function openTable(file: string, signal?: AbortSignal): Promise<OwnTable> {
  if (ending(file) === ".parquet") {
    const columns = await parquetColumns(file);
    return { file, format: "Parquet", columns, rows: (wanted) => parquetRows(file, wanted) };
  }
  const { text, encoding } = decoded(await readBytes(file));
  if (text.trim() === "") throw new Error(`${file}: expected a table, found white space alone.`);
  if (ending(file) === ".csv" || ending(file) === ".tsv") return await csvTable(file, text, encoding, signal);
  const lines = ending(file) !== ".json";
  const values = lines
    ? text.split(/\r?\n/).flatMap((line, k) => line.trim() === "" ? [] : [parseJson(line, file, k + 1)])
    : rowsOfJson(parseJson(text, file), file);
  const rows = values.map((value, k): OwnRow => {
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as OwnRow;
    throw new Error(
      `${file}, row ${k + 1}: expected an object with keys, found ${JSON.stringify(value).slice(0, 60)}.`,
    );
  });
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  return { file, format: `JSON${lines ? " lines" : ""}, ${encoding}`, columns, rows: () => rows };
}

/** A list; or an object that holds one list of rows, or one list a split ({"train": [...], "test": [...]}). */
function rowsOfJson(value: unknown, file: string): unknown[] {
  if (Array.isArray(value)) return value;
  const lists = Object.entries(value ?? {}).filter(([, list]) => Array.isArray(list)) as [
    string,
    unknown[],
  ][];
  if (lists.length === 1) return lists[0][1];
  if (lists.length > 1 && lists.every(([name]) => splitNamed(name))) {
    return lists.flatMap(([split, list]) => list.map((row) => ({ split, ...(row as OwnRow) })));
  }
  throw new Error(
    `${file}: expected a list of rows, found ${value === null ? "null" : `one ${typeof value}`}: ` +
      'write one object a row (pandas: to_json(orient="records")).',
  );
}

const SEPARATORS = { ",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars" } as const;

/** The separator that the header has most often outside quotes. */
function separatorOf(text: string): keyof typeof SEPARATORS {
  const header = text.trimStart().split(/\r?\n/, 1)[0].replace(/"[^"]*"/g, "");
  const times = (mark: string) => header.split(mark).length;
  return (Object.keys(SEPARATORS) as (keyof typeof SEPARATORS)[])
    .reduce((best, mark) => times(mark) > times(best) ? mark : best);
}

async function csvTable(
  file: string,
  text: string,
  encoding: string,
  signal?: AbortSignal,
): Promise<OwnTable> {
  const delimiter = separatorOf(text);
  let columns: string[] = [];
  const rows = await csvRows(text, (header) => columns = header, { delimiter, signal }).catch((error) => {
    signal?.throwIfAborted();
    throw new Error(
      `${file}: expected a complete table separated by ${SEPARATORS[delimiter]}, found: ` +
        `${(error as Error).message}. Put texts that hold the separator, quotes or line breaks in quotes.`,
    );
  });
  return {
    file,
    format: `CSV, ${encoding}, separated by ${SEPARATORS[delimiter]}`,
    columns,
    rows: () => rows,
  };
}

/**
 * Bytes as text: UTF-8, UTF-16 (by its mark, or by the zeros of Latin letters), else GB18030 where all other bytes come in
 * pairs above 0xA0, as Chinese characters have them, else Windows-1252 (Latin-1).
 */
function decoded(bytes: Uint8Array): { text: string; encoding: string } {
  const as = (encoding: string, fatal = true) => new TextDecoder(encoding, { fatal }).decode(bytes);
  const head = bytes.subarray(0, 1000), [first, second] = bytes;
  const zeros = (odd: 0 | 1) =>
    head.filter((byte, k) => byte === 0 && k % 2 === odd).length > head.length / 8;
  const wide = first === 0xff && second === 0xfe || zeros(1)
    ? "utf-16le"
    : first === 0xfe && second === 0xff || zeros(0)
    ? "utf-16be"
    : null;
  if (wide) return { text: as(wide, false), encoding: wide.toUpperCase() };
  try {
    return { text: as("utf-8"), encoding: "UTF-8" };
  } catch { // another encoding
  }
  let pairs = true;
  for (let at = 0; at < bytes.length && pairs; at++) {
    if (bytes[at] < 0x80) continue;
    pairs = bytes[at] > 0xa0 && bytes[++at] > 0xa0;
  }
  const encoding = pairs ? "gb18030" : "windows-1252";
  return { text: as(encoding, false), encoding: pairs ? "GB18030" : "Windows-1252" };
}
