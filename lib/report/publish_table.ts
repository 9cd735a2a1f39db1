import { table } from "../jupyter/mod.ts";
import { type ShownRow, tableMarkdown } from "./tables.ts";

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
