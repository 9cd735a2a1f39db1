import { escapeMarkdown } from "../jupyter/mod.ts";
import type { Interval } from "../stats/mod.ts";

/** A cell; null and undefined are shown as a dash. */
export type Cell = string | number | boolean | null | undefined;

/** How a row of the paper and ours compare. */
export type Verdict = "exact" | "trend" | "not reproduced" | "not judged" | "not run";

function cellText(cell: Cell): string {
  if (cell === null || cell === undefined || cell === "") return "–";
  if (typeof cell === "boolean") return cell ? "yes" : "no";
  if (typeof cell === "number") {
    return Number.isInteger(cell) ? cell.toLocaleString("en-US") : String(Number(cell.toPrecision(4)));
  }
  return cell;
}

function columnsOf(rows: readonly Record<string, Cell>[]): string[] {
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
export function tableMarkdown(rows: readonly Record<string, Cell>[]): string {
  const columns = columnsOf(rows);
  const escape = (cell: Cell) => typeof cell === "number" ? cellText(cell) : escapeMarkdown(cellText(cell));
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
