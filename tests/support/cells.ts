import { basename, join } from "@std/path";
import { z } from "zod";
import { paths } from "@lib/config/mod.ts";

const source = z.union([z.string(), z.array(z.string()).transform((lines) => lines.join(""))]);

/** The parts of a notebook file that are checked. */
const Notebook = z.object({
  metadata: z.object({ kernelspec: z.object({ name: z.string() }).optional() }),
  cells: z.array(z.object({
    cell_type: z.string(),
    source,
    outputs: z.array(z.unknown()).optional(),
    execution_count: z.number().nullable().optional(),
  })),
});

/** Lines of code a cell may have: what a reader has to follow, without imports and lone brackets. */
const CELL_LINES = 15;

const linesToFollow = (code: string): number =>
  code.replace(/^import\s[^;]*;$/gm, "").split("\n").filter((line) => /\w/.test(line)).length;

const forbidden: readonly [RegExp, string][] = [
  [/\bimport\.meta\b/, "import.meta does not exist in a Deno kernel"],
  [
    /\bconsole\.(log|info|debug)\(/,
    "console output can be lost or land under another cell; use await print()",
  ],
  [/\bfrom\s+"(?!@lib\/[a-z]+\/mod\.ts")/, "notebooks import only from @lib/ROOM/mod.ts"],
  [/\bimport\s*\(/, "notebooks import only from @lib/ROOM/mod.ts, with import statements"],
];

/** Code cells of a notebook as one TypeScript file. */
export interface Extracted {
  /** The TypeScript file. */
  file: string;
  /** Where line i + 1 of the file comes from, such as "04_stage1.ipynb: cell 3, line 2". */
  places: string[];
  /** What is wrong without compiling anything. */
  problems: string[];
}

/** Writes the code cells of a notebook to build/notebooks/NAME.ts and checks the rules that need no compiler. */
export async function extractCells(notebook: string): Promise<Extracted> {
  const name = basename(notebook);
  const parsed = Notebook.safeParse(JSON.parse(await Deno.readTextFile(notebook)));
  if (!parsed.success) throw new Error(`${name} is not a notebook: ${z.prettifyError(parsed.error)}`);
  const { cells, metadata } = parsed.data;
  const problems: string[] = [], lines = ["export {};"], places = [name];
  if (metadata.kernelspec?.name !== "deno") problems.push(`${name}: the kernel is not "deno"`);
  for (const [i, cell] of cells.entries()) {
    if (cell.cell_type !== "code") continue;
    const where = `${name}: cell ${i + 1}`;
    if (cell.outputs?.length || cell.execution_count != null) {
      problems.push(`${where}: stored output; clear all outputs and save`);
    }
    const code = cell.source.split("\n"), count = linesToFollow(cell.source);
    if (count > CELL_LINES) problems.push(`${where}: ${count} lines of code, ${CELL_LINES} are allowed`);
    for (const [j, line] of code.entries()) {
      for (const [pattern, why] of forbidden) {
        if (pattern.test(line)) problems.push(`${where}, line ${j + 1}: ${why}`);
      }
      lines.push(line);
      places.push(`${where}, line ${j + 1}`);
    }
    lines.push(";"); // a cell is a statement list of its own
    places.push(where);
  }
  const folder = join(paths.root, "build", "notebooks");
  await Deno.mkdir(folder, { recursive: true });
  const file = join(folder, name.replace(/\.ipynb$/, ".ts"));
  await Deno.writeTextFile(file, lines.join("\n") + "\n");
  return { file, places, problems };
}
