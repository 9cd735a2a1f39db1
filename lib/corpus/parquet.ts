import {
  type AsyncBuffer,
  asyncBufferFromFile,
  type FileMetaData,
  parquetMetadataAsync,
  parquetReadObjects,
  parquetSchema,
} from "hyparquet";
import { join } from "@std/path";
import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from "node:zlib";
import { isThere, splitNamed } from "./files.ts";
import { type Split, SPLITS } from "./record.ts";

/** hyparquet unpacks snappy itself; pandas, polars and DuckDB may use the others. A page says how large it unpacks. */
const compressors = {
  GZIP: (input: Uint8Array, length: number) => gunzipSync(input, { maxOutputLength: length }),
  ZSTD: (input: Uint8Array, length: number) => zstdDecompressSync(input, { maxOutputLength: length }),
  BROTLI: (input: Uint8Array, length: number) => brotliDecompressSync(input, { maxOutputLength: length }),
};

/**
 * Rows of a parquet file, one row group in memory at a time: the hub's files hold gigabytes of images.
 * @param required columns that must be there
 * @param optional columns that are read where they are there
 * @throws naming the file
 */
export async function* parquetRows(
  path: string,
  required: readonly string[],
  optional: readonly string[] = [],
): AsyncGenerator<Record<string, unknown>> {
  if (!(await Deno.stat(path)).isFile) throw new Error(`${path}: expected a file, found a folder.`);
  const file = forgivingFile(await asyncBufferFromFile(path));
  const metadata = await readable(path, async () => {
    return requireSound(await parquetMetadataAsync(file), file.byteLength);
  });
  const there = parquetSchema(metadata).children.map(({ element }) => element.name);
  const missing = required.find((name) => !there.includes(name));
  if (missing) {
    throw new Error(`${path}: expected a column "${missing}", found ${there.join(", ") || "none"}.`);
  }
  const columns = [...required, ...optional.filter((name) => there.includes(name))];
  let rowStart = 0;
  for (const { num_rows } of metadata.row_groups) {
    const rowEnd = rowStart + Number(num_rows);
    const options = { file, metadata, columns, rowStart, rowEnd, compressors, utf8: false };
    const rows = await readable(path, () => parquetReadObjects(options));
    if (rows.length !== rowEnd - rowStart) {
      throw new Error(
        `${path}: expected ${rowEnd - rowStart} rows after row ${rowStart}, found ${rows.length}.`,
      );
    }
    yield* rows;
    rowStart = rowEnd;
  }
}

/** The file whose reads may be left behind: the reader fetches ahead, and a damaged page makes it stop waiting. */
function forgivingFile({ byteLength, slice }: AsyncBuffer): AsyncBuffer {
  const read = async (start: number, end?: number) => await slice(start, end);
  return {
    byteLength,
    slice: (start, end) => {
      const bytes = read(start, end);
      bytes.catch(() => {});
      return bytes;
    },
  };
}

/**
 * Checks what the reader takes for granted: a footer that is wrong about a column makes it leave promises behind that
 * fail when nobody waits for them any more.
 */
function requireSound(metadata: FileMetaData, fileBytes: number): FileMetaData {
  const schema = parquetSchema(metadata);
  let rows = 0;
  for (const { num_rows, columns } of metadata.row_groups) {
    rows += Number(num_rows);
    for (const { meta_data } of columns) {
      if (!meta_data) throw new Error("a column without metadata");
      const { path_in_schema, dictionary_page_offset, data_page_offset, total_compressed_size } = meta_data;
      const start = Number(dictionary_page_offset || data_page_offset), size = Number(total_compressed_size);
      if (!(start >= 4 && size >= 0 && start + size <= fileBytes)) {
        throw new Error(
          `column ${path_in_schema.join(".")} at bytes ${start} to ${start + size} of ${fileBytes}`,
        );
      }
      let node: typeof schema | undefined = schema;
      for (const name of path_in_schema) node = node?.children.find(({ element }) => element.name === name);
      if (!node) throw new Error(`column ${path_in_schema.join(".")}, which the schema does not have`);
    }
  }
  if (rows !== Number(metadata.num_rows)) {
    throw new Error(`${rows} rows in its groups, ${metadata.num_rows} announced`);
  }
  return metadata;
}

/** @throws what the parquet library says, with the file's name */
async function readable<T>(path: string, read: () => T | Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`${path}: expected a complete parquet file, found: ${reason}. Download the file again.`);
  }
}

/** A file of one split of a data set on the hub. */
export interface HubFile {
  split: Split;
  path: string;
}

const HUB_NAME = /^([A-Za-z]+)-(\d{5})-of-(\d{5})(?:-[0-9a-f]+)?\.parquet$/;

/** Whether `dir` or `dir`/data holds parquet files under the hub's names. */
export async function hasHubFiles(dir: string): Promise<boolean> {
  return (await namesIn(join(dir, "data"))).concat(await namesIn(dir)).some((name) => HUB_NAME.test(name));
}

/**
 * The parquet files of a data set from the hub, `{split}-00000-of-00014[-hash].parquet` in `dir`/data or `dir`, by
 * split and number.
 * @throws naming the file that is missing from a split, or the split that is none
 */
export async function hubFiles(dir: string): Promise<HubFile[]> {
  const folder = await isThere(join(dir, "data")) ? join(dir, "data") : dir;
  const found = (await namesIn(folder)).sort().flatMap((name) => {
    const match = name.match(HUB_NAME);
    if (!match) return [];
    const split = splitNamed(match[1]);
    if (!split) throw new Error(`${join(folder, name)}: expected a split's name, found "${match[1]}".`);
    return [{ split, path: join(folder, name), number: Number(match[2]), of: Number(match[3]) }];
  });
  if (found.length === 0) {
    throw new Error(`Expected ${folder}/{split}-00000-of-00001.parquet; no such file is there.`);
  }
  for (const split of SPLITS) {
    const files = found.filter((file) => file.split === split);
    files.forEach((file, k) => {
      if (file.number === k && file.of === files.length) return;
      throw new Error(
        `${file.path}: expected ${file.of} files of ${split} numbered 0 to ${
          file.of - 1
        }, found ${files.length}. ` +
          "Download the missing ones, and keep one version.",
      );
    });
  }
  return SPLITS.flatMap((split) => found.filter((file) => file.split === split))
    .map(({ split, path }) => ({ split, path }));
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return [];
    throw error;
  }
}

/**
 * The encoded image in a cell: the hub's struct {bytes, path}, or plain bytes.
 * @returns null where there are none
 */
export function imageCell(cell: unknown): { bytes: Uint8Array; name: string | null } | null {
  if (cell instanceof Uint8Array) return cell.length > 0 ? { bytes: cell, name: null } : null;
  if (typeof cell !== "object" || cell === null) return null;
  const { bytes, path } = cell as { bytes?: unknown; path?: unknown };
  if (!(bytes instanceof Uint8Array) || bytes.length === 0) return null;
  return { bytes, name: typeof path === "string" && path !== "" ? path : null };
}
