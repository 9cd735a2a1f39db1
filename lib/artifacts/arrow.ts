import {
  AsyncByteQueue,
  Bool,
  type DataType,
  Field,
  Float64,
  Int32,
  List,
  makeData,
  RecordBatch,
  RecordBatchFileWriter,
  Schema,
  Struct,
  Utf8,
  vectorFromArray,
} from "apache-arrow";
import { writeAllSync, writeFileAtomic } from "../config/mod.ts";

/** A row of a table: values by column name. */
export type Row = Readonly<
  Record<string, string | number | boolean | null | readonly string[] | readonly number[]>
>;
/** Column types, for tables without rows. */
export type ColumnType = "string" | "integer" | "number" | "boolean" | "strings" | "numbers";

/** Rows per record batch: what a writer holds in memory, and every header is read when a table is opened. */
const BATCH = 16_384;

const arrowType = (type: ColumnType): DataType => {
  switch (type) {
    case "string":
      return new Utf8();
    case "integer":
      return new Int32();
    case "number":
      return new Float64();
    case "boolean":
      return new Bool();
    case "strings":
      return new List(new Field("item", new Utf8(), true));
    case "numbers":
      return new List(new Field("item", new Float64(), true));
  }
};

function typeOfValue(value: Exclude<Row[string], null>): ColumnType {
  if (typeof value === "string") return "string";
  if (typeof value === "boolean") return "boolean";
  if (typeof value === "number") {
    return Number.isInteger(value) && Math.abs(value) < 2 ** 31 ? "integer" : "number";
  }
  return typeof value[0] === "number" ? "numbers" : "strings";
}

/** The columns of `rows`; whole numbers give way to numbers, empty lists to either kind of list. */
export function columnTypes(rows: readonly Row[]): Record<string, ColumnType> {
  const types: Record<string, ColumnType> = {};
  const lists = new Set<string>();
  rows.forEach((row, index) => {
    for (const [name, value] of Object.entries(row)) {
      if (value === null) {
        types[name] ??= "string";
        lists.add(`null:${name}`);
        continue;
      }
      const type = typeOfValue(value);
      const empty = Array.isArray(value) && value.length === 0;
      const old = lists.has(`seen:${name}`) ? types[name] : undefined;
      if (old === undefined) {
        types[name] = type;
      } else if (old !== type && !empty) {
        const numeric = (t: ColumnType) => t === "integer" || t === "number";
        if (numeric(old) && numeric(type)) types[name] = "number";
        else if (lists.has(`empty:${name}`)) types[name] = type;
        else {
          throw new Error(
            `Column "${name}" held ${old} so far, but row ${index} holds ${type}: ${JSON.stringify(value)}.`,
          );
        }
      }
      lists.add(`seen:${name}`);
      if (empty && old === undefined) lists.add(`empty:${name}`);
      if (!empty) lists.delete(`empty:${name}`);
    }
  });
  return types;
}

/** Rows as record batches of {@link BATCH} rows, made one after another. A key missing from a row is null. */
function* recordBatches(
  rows: readonly Row[],
  columns: Record<string, ColumnType>,
  schema: Schema,
): Generator<RecordBatch> {
  for (let start = 0; start < rows.length; start += BATCH) {
    const part = rows.slice(start, start + BATCH);
    const children = Object.entries(columns).map(([name, type]) =>
      vectorFromArray(part.map((row) => row[name] ?? null), arrowType(type)).data[0]
    );
    const type = new Struct(schema.fields);
    yield new RecordBatch(schema, makeData({ type, length: part.length, nullCount: 0, children }));
  }
}

/** Where a writer's bytes go: straight into a file. */
class FileSink extends AsyncByteQueue {
  constructor(readonly file: Deno.FsFile) {
    super();
  }
  override write(chunk: Uint8Array): void {
    writeAllSync(this.file, chunk);
  }
}

/**
 * Writes rows as an uncompressed Arrow IPC file, batch by batch; whole or not at all.
 * @throws Error with one sentence when the disk is full, read-only or closed to this user
 */
export async function writeArrow(
  path: string,
  rows: readonly Row[],
  columns: Record<string, ColumnType> = columnTypes(rows),
): Promise<void> {
  const schema = new Schema(
    Object.entries(columns).map(([name, type]) => new Field(name, arrowType(type), true)),
  );
  await writeFileAtomic(path, (file) => {
    const writer = new RecordBatchFileWriter().reset(new FileSink(file), schema);
    for (const batch of recordBatches(rows, columns, schema)) writer.write(batch);
    writer.finish();
  });
}
