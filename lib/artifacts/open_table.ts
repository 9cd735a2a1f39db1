import { type Table, tableFromIPC } from "apache-arrow";
import type { Row } from "./arrow.ts";
import { checkFrame } from "./arrow_frame.ts";
import { mapFile } from "./mapped_file.ts";

/** An Arrow table on disk, of which only what is asked for is read. Rows and values given out are copies. */
export interface OpenTable<T extends Row = Row> extends Disposable, Iterable<T> {
  /** Number of rows. */
  readonly length: number;
  /** Names of the columns, in order. */
  readonly columns: readonly string[];
  /** The row with this index, from 0. @throws RangeError when there is no such row; Error when the table is closed, as all methods do */
  row(index: number): T;
  /** All values of a column. @throws RangeError when there is no such column */
  column<Name extends keyof T & string>(name: Name): T[Name][];
  /** Gives the memory map back. */
  close(): void;
}

const MAGIC = "ARROW1";

function plain(value: unknown): Row[string] {
  if (value === null || value === undefined) return null;
  if (typeof value === "bigint") return Number(value);
  if (typeof value === "object") return Array.from(value as Iterable<string>);
  return value as Row[string];
}

/** The columns' views of the bytes; nothing but the batches' headers is read. */
function parse(bytes: Uint8Array): Table {
  const text = (start: number, end?: number) => new TextDecoder("latin1").decode(bytes.subarray(start, end));
  if (text(0, MAGIC.length) !== MAGIC) throw new Error("wrong magic bytes");
  if (bytes.length < 2 * MAGIC.length || text(-MAGIC.length) !== MAGIC) throw new Error("its end is missing");
  checkFrame(bytes);
  return tableFromIPC(bytes);
}

/**
 * Opens an uncompressed Arrow IPC file ({@link writeArrow} writes such) as a memory map: columns are views of the file,
 * which the system reads page by page. Close it, or declare it with `using`.
 *
 * @throws Deno.errors.NotFound; Error when it is not such a file or its end is missing
 *
 * @example A table written, and a row of it read
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { writeArrow } from "@lib/artifacts/mod.ts";
 * import { openTable } from "@lib/artifacts/open_table.ts";
 *
 * const path = await Deno.makeTempFile({ suffix: ".arrow" });
 * await writeArrow(path, [{ id: "a", loss: 0.5 }, { id: "b", loss: 0.25 }]);
 * using table = await openTable(path);
 * assertEquals(table.row(1), { id: "b", loss: 0.25 });
 * ```
 */
export async function openTable<T extends Row = Row>(path: string): Promise<OpenTable<T>> {
  const file = await mapFile(path);
  return tableOver(path, file.bytes, () => file.close());
}

/** The table in a file's bytes; `release` is called once nothing reads them any more. */
function tableOver<T extends Row>(path: string, bytes: Uint8Array, release: () => void): OpenTable<T> {
  let table: Table | null;
  try {
    table = parse(bytes);
  } catch (cause) {
    release();
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Error(
      `${path} is not a complete Arrow IPC file (${reason}): run again what writes it, or restore it.`,
      { cause },
    );
  }
  const columns = table.schema.fields.map((field) => field.name), length = table.numRows;
  const vectors = columns.map((_, k) => table!.getChildAt(k)!);
  const check = () => {
    if (table === null) throw new Error(`${path} is closed: its rows can be read before close() only.`);
  };
  const row = (index: number) => {
    check();
    if (!Number.isInteger(index) || index < 0 || index >= length) {
      throw new RangeError(`${path} has rows 0 to ${length - 1}, row ${index} was asked for.`);
    }
    return Object.fromEntries(columns.map((name, k) => [name, plain(vectors[k].get(index))])) as T;
  };
  const close = () => {
    table = null;
    vectors.length = 0;
    release();
  };
  return {
    length,
    columns,
    row,
    column<Name extends keyof T & string>(name: Name) {
      check();
      const vector = vectors[columns.indexOf(name)];
      if (!vector) throw new RangeError(`${path} has no column "${name}"; it has ${columns.join(", ")}.`);
      return Array.from(vector, plain) as T[Name][];
    },
    *[Symbol.iterator]() {
      for (let i = 0; i < length; i++) yield row(i);
    },
    close,
    [Symbol.dispose]: close,
  };
}

/** All rows of an Arrow IPC file, read whole: without a map, for which a process needs leave. @throws as {@link openTable} does */
export async function readArrow<T extends Row = Row>(path: string): Promise<T[]> {
  return [...tableOver<T>(path, await Deno.readFile(path), () => {})];
}
