import { parse } from "csv-parse/sync";
import { readText } from "./files.ts";

/** A row of a CSV file by column name. */
export type CsvRow = Record<string, string>;

/**
 * A CSV file with a header (RFC 4180: quoted fields may hold commas, quotes and line breaks; LF or CRLF), or one packed
 * with gzip. Only the named columns are kept; empty lines between rows are not rows.
 * @param required columns that must be there; a list in the list means any one of them
 * @param optional columns that are kept where they are there
 * @throws naming the file, and the line of a wrong number of fields or an open quote
 */
export async function readCsv(
  path: string,
  required: readonly (string | readonly string[])[],
  optional: readonly string[] = [],
): Promise<CsvRow[]> {
  const text = await readText(path), wanted = new Set([...required.flat(), ...optional]);
  let header: string[] = [], rows: CsvRow[];
  try {
    rows = parse(text, {
      columns: (names: string[]) => {
        header = names.map((name) => name.trim());
        return header.map((name) => wanted.has(name) ? name : false);
      },
      record_delimiter: ["\r\n", "\n"],
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
  const twice = header.find((name, k) => wanted.has(name) && header.indexOf(name) !== k);
  if (twice !== undefined) throw new Error(`${path}: expected every column once, found "${twice}" twice.`);
  return rows;
}
