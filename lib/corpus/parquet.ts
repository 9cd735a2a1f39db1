import {
  type AsyncBuffer,
  asyncBufferFromFile,
  type FileMetaData,
  parquetMetadataAsync,
  parquetReadObjects,
  parquetSchema,
  type RowGroup,
} from "hyparquet";
import { parquetHeader } from "hyparquet/column";
import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from "node:zlib";

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
  for (const group of metadata.row_groups) {
    const rowEnd = rowStart + Number(group.num_rows);
    requireCodec(path, group);
    await readable(path, () => requireSoundPages(file, group, columns));
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

/** Names of a parquet file's columns. @throws naming the file */
export async function parquetColumns(path: string): Promise<string[]> {
  const file = forgivingFile(await asyncBufferFromFile(path));
  const metadata = await readable(path, async () => {
    return requireSound(await parquetMetadataAsync(file), file.byteLength);
  });
  return parquetSchema(metadata).children.map(({ element }) => element.name);
}

/** What is unpacked here. */
const CODECS = ["UNCOMPRESSED", "SNAPPY", ...Object.keys(compressors)];

/** @throws when a group is packed with what is not unpacked here */
function requireCodec(path: string, { columns }: RowGroup): void {
  const other = columns.find(({ meta_data }) => meta_data && !CODECS.includes(meta_data.codec))?.meta_data
    ?.codec;
  if (other) {
    throw new Error(
      `${path}: expected columns packed with ${
        CODECS.slice(1).join(", ")
      } or not at all, found ${other}: write the ` +
        'file again, in pandas with to_parquet(path, compression="zstd").',
    );
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

/** A number that a damaged header may give as something else. */
const whole = (value: unknown): string => typeof value === "number" ? `${value}` : "unknown";

/** Bytes in which a page's header usually ends. */
const HEADER_BYTES = 16_384;

/** Checks that no page claims more values or bytes than its column has: the reader would fill memory with them first. */
async function requireSoundPages(
  file: AsyncBuffer,
  group: RowGroup,
  wanted: readonly string[],
): Promise<void> {
  for (const { meta_data } of group.columns) {
    if (!meta_data || !wanted.includes(meta_data.path_in_schema[0])) continue;
    let at = Number(meta_data.dictionary_page_offset || meta_data.data_page_offset);
    const end = at + Number(meta_data.total_compressed_size);
    while (at < end) {
      const { header, length } = await pageHeader(file, at, end);
      const page = header.data_page_header ?? header.data_page_header_v2 ?? header.dictionary_page_header;
      const values = page?.num_values ?? 0,
        { compressed_page_size: packed, uncompressed_page_size: size } = header;
      if (
        !(values >= 0 && values <= meta_data.num_values && packed >= 0 && size >= 0 &&
          size <= meta_data.total_uncompressed_size)
      ) {
        throw new Error(
          `a page of ${whole(values)} values and ${whole(size)} bytes in ${
            meta_data.path_in_schema.join(".")
          }`,
        );
      }
      at += length + packed;
    }
  }
}

async function pageHeader(file: AsyncBuffer, at: number, end: number) {
  for (const stop of [Math.min(end, at + HEADER_BYTES), end]) {
    const reader = { view: new DataView(await file.slice(at, stop)), offset: 0 };
    try {
      return { header: parquetHeader(reader), length: reader.offset };
    } catch (error) {
      if (stop === end) throw error;
    }
  }
  throw new Error("a page without a header");
}

/** @throws what the parquet library says, with the file's name */
async function readable<T>(path: string, read: () => T | Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    // Anything but a plain Error is the library stumbling over what the file says of itself.
    const plain = error instanceof Error && error.constructor === Error;
    const found = plain
      ? error.message.replace(/\.$/, "").replace("undefined", "unknown")
      : "parts that do not fit together";
    throw new Error(
      `${path}: expected a complete parquet file, found: ${found}. It is damaged: get it, or write it, again.`,
      {
        cause: error,
      },
    );
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
