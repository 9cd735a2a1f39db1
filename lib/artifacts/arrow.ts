import {
  Bool,
  type DataType,
  Field,
  Float64,
  Int32,
  List,
  RecordBatch,
  Schema,
  Struct,
  Table,
  tableFromIPC,
  tableToIPC,
  Utf8,
  vectorFromArray,
} from "apache-arrow";
import { makeData } from "apache-arrow";

/** What a cell of a table may hold. */
export type Cell = string | number | boolean | null | readonly string[] | readonly number[];
export type Row = Readonly<Record<string, Cell>>;
/** Column types, for tables without rows. */
export type ColumnType = "string" | "integer" | "number" | "boolean" | "strings" | "numbers";

/** Rows per record batch: few enough to be read one by one from a memory map. */
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

function cellType(value: Exclude<Cell, null>): ColumnType {
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
      const type = cellType(value);
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

/** An Arrow table of plain rows. A key missing from a row is null. */
export function toArrow(
  rows: readonly Row[],
  columns: Record<string, ColumnType> = columnTypes(rows),
): Table {
  const names = Object.keys(columns);
  const schema = new Schema(names.map((name) => new Field(name, arrowType(columns[name]), true)));
  const batches: RecordBatch[] = [];
  for (let start = 0; start < rows.length; start += BATCH) {
    const part = rows.slice(start, start + BATCH);
    const children = names.map((name) =>
      vectorFromArray(part.map((row) => row[name] ?? null), arrowType(columns[name])).data[0]
    );
    batches.push(
      new RecordBatch(
        schema,
        makeData({ type: new Struct(schema.fields), length: part.length, nullCount: 0, children }),
      ),
    );
  }
  return batches.length ? new Table(schema, batches) : new Table(schema);
}

/** Writes rows as an uncompressed Arrow IPC file; whole or not at all. */
export async function writeArrow(
  path: string,
  rows: readonly Row[],
  columns?: Record<string, ColumnType>,
): Promise<void> {
  const temporary = `${path}.tmp`;
  await Deno.writeFile(temporary, tableToIPC(toArrow(rows, columns), "file"));
  await Deno.rename(temporary, path);
}

const plain = (value: unknown): Cell => {
  if (value === null || value === undefined) return null;
  if (typeof value === "bigint") return Number(value);
  if (typeof value === "object") return Array.from(value as Iterable<string>);
  return value as Cell;
};

/** Rows of an Arrow IPC file as plain objects. */
export async function readArrow<T extends Row = Row>(path: string): Promise<T[]> {
  const table = tableFromIPC(await Deno.readFile(path));
  const names = table.schema.fields.map((field) => field.name);
  const columns = names.map((name) => table.getChild(name));
  return Array.from(
    { length: table.numRows },
    (_, i) => Object.fromEntries(names.map((name, k) => [name, plain(columns[k]?.get(i))])) as T,
  );
}
