/** Checks notebooks without running them: deno run -A tests/support/check_notebooks.ts notebooks/*.ipynb */
import { paths } from "@lib/config/mod.ts";
import { extractCells } from "./cells.ts";
import { programProblems } from "./cell_program.ts";

/** Cells are scripts: a name is used by a later cell or shown, and `;` ends each cell. */
const LINT = ["lint", "--no-config", "--compact", "--rules-exclude=no-extra-semi"];

/**
 * Types, lint, un-awaited promises, calls without Stop's signal, unguarded elements, imports, sizes and stored outputs of
 * notebooks' cells.
 *
 * @returns one text for each problem, with notebook, cell and line; none when all is well.
 */
export async function checkNotebooks(notebooks: readonly string[]): Promise<string[]> {
  if (!notebooks.length) return [];
  const extracted = await Promise.all(notebooks.map(extractCells));
  const problems = extracted.flatMap((e) => e.problems), files = extracted.map((e) => e.file);
  const placeOf = (file: string, line: number) =>
    extracted.find((e) => e.file === file)?.places[line - 1] ?? `${file}:${line}`;
  for (const args of [["check", "--quiet"], LINT]) {
    const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [...args, ...files],
      cwd: paths.root,
      env: { NO_COLOR: "1", RUST_BACKTRACE: "0" },
    }).output();
    if (success) continue;
    const text = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
    problems.push(
      text.trim().replace(
        /(?:file:\/\/)?(\/[^\s:]*\/build\/notebooks\/[^\s:]+):(?: line )?(\d+)(?::\d+|, col \d+)?/g,
        (_, file, line) => placeOf(decodeURI(file), Number(line)),
      ),
    );
  }
  for (const { file, line, text } of await programProblems(files)) {
    problems.push(`${placeOf(file, line)}: ${text}`);
  }
  return problems;
}

if (import.meta.main) {
  const problems = await checkNotebooks(Deno.args);
  if (problems.length) {
    console.error(problems.join("\n"));
    Deno.exit(1);
  }
  console.log(`${Deno.args.length} notebooks: types, lint, imports and sizes are fine`);
}
