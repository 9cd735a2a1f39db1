import { escapeMarkdown, table } from "../jupyter/mod.ts";
import type { Interval } from "../stats/mod.ts";

/** A row of a table that people read: values by column title; null and undefined are shown as a dash. */
export type ShownRow = Record<string, string | number | boolean | null | undefined>;

/** How a row of the paper and ours compare. */
export type Verdict = "exact" | "trend" | "not reproduced" | "not judged" | "not run";

function valueText(value: ShownRow[string]): string {
  if (value === null || value === undefined || value === "") return "–";
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value === "number") {
    return Number.isInteger(value) ? value.toLocaleString("en-US") : String(Number(value.toPrecision(4)));
  }
  return value;
}

function columnsOf(rows: readonly ShownRow[]): string[] {
  if (rows.length === 0) throw new Error("A table needs at least one row; found none.");
  return [...new Set(rows.flatMap((row) => Object.keys(row)))];
}

/**
 * Rows as a GitHub Markdown table: numbers right-aligned, text escaped so that data never becomes markup.
 *
 * @throws without rows.
 *
 * @example Numbers to the right, text escaped
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { tableMarkdown } from "@lib/report/mod.ts";
 *
 * assertEquals(tableMarkdown([{ cell: "base", items: 12 }]), "| cell | items |\n| --- | ---: |\n| base | 12 |\n");
 * ```
 */
export function tableMarkdown(rows: readonly ShownRow[]): string {
  const columns = columnsOf(rows);
  const escape = (value: ShownRow[string]) =>
    typeof value === "number" ? valueText(value) : escapeMarkdown(valueText(value));
  const numeric = (column: string) => rows.some((row) => typeof row[column] === "number");
  const line = (cells: string[]) => `| ${cells.join(" | ")} |`;
  return [
    line(columns.map(escape)),
    line(columns.map((column) => (numeric(column) ? "---:" : "---"))),
    ...rows.map((row) => line(columns.map((column) => escape(row[column])))),
  ].join("\n") + "\n";
}

/** A share with its interval as text: "34.0% (27.8–40.8)". */
export function percentText({ estimate, low, high }: Interval): string {
  const percent = (value: number) => (100 * value).toFixed(1);
  return `${percent(estimate)}% (${percent(low)}–${percent(high)})`;
}

/**
 * Shows a table under the current cell and saves it with the run: `NAME.json` with the rows and what they were made
 * from, `NAME.md` for people.
 *
 * @throws without rows.
 */
export async function publishTable(
  run: {
    writeJson(name: string, value: unknown): Promise<void>;
    writeText(name: string, text: string): Promise<void>;
  },
  name: string,
  rows: readonly ShownRow[],
  sources: Record<string, unknown>,
): Promise<void> {
  const text = tableMarkdown(rows);
  await table(rows);
  await run.writeJson(name, { rows, ...sources });
  await run.writeText(`${name}.md`, text);
}
