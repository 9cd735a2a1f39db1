import { z } from "zod";
import type { ColumnType } from "./arrow.ts";

/** What of a JSON Schema tells the type of a column. */
interface CellSchema {
  type?: string | string[];
  items?: CellSchema;
  anyOf?: CellSchema[];
}

/** The kinds of value that a schema lets through, null aside. */
const kindsOf = ({ type = [], items = {}, anyOf = [] }: CellSchema): string[] =>
  [[type].flat().map((kind) => kind === "array" ? `${kindsOf(items)}s` : kind), anyOf.map(kindsOf)]
    .flat(2).filter((kind) => kind !== "null");

const COLUMN_TYPES: Record<string, ColumnType> = {
  string: "string",
  integer: "integer",
  number: "number",
  boolean: "boolean",
  strings: "strings",
  integers: "numbers",
  numbers: "numbers",
};

/**
 * Columns of a table whose rows a schema describes, as they are written (a codec's encoded side).
 * @throws Error for a column that holds neither text, numbers, booleans nor lists of text or numbers
 */
export function columnsOf(row: z.ZodType): Record<string, ColumnType> {
  const { properties = {} } = z.toJSONSchema(row, { io: "input" }) as {
    properties?: Record<string, CellSchema>;
  };
  return Object.fromEntries(
    Object.entries(properties).map(([name, schema]) => {
      const [kind, ...others] = new Set(kindsOf(schema)), type = COLUMN_TYPES[kind];
      if (!type || others.length) {
        throw new Error(
          `Column "${name}": expected a schema of one kind of cell, found ${JSON.stringify(schema)}.`,
        );
      }
      return [name, type];
    }),
  );
}
