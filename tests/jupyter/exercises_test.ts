import { assertEquals, assertStringIncludes } from "@std/assert";
import { pooledMap } from "@std/async";
import { basename, join } from "@std/path";
import { listNotebooks, listSolutions } from "../../lib/cli/support/notebooks.ts";
import { EXERCISE, type ExerciseResult } from "../../lib/jupyter/exercise.ts";
import { MISTAKES } from "./mistakes.ts";
import { notebookText, runPython, scratchNotebook } from "./support.ts";

interface Cell {
  cell_type: string;
  source: string | string[];
  outputs?: { data?: Record<string, unknown> }[];
}

const readCells = async (path: string): Promise<Cell[]> => JSON.parse(await Deno.readTextFile(path)).cells;
const sourceOf = ({ source }: Cell): string => [source].flat().join("");

/** Runs cells in a kernel; what became of each exercise, and the lines shown. */
async function outcomes(cells: readonly string[]): Promise<{ results: ExerciseResult[]; lines: string[] }> {
  const { folder, notebook, remove } = await scratchNotebook([]);
  try {
    const end = `import { check } from "@lib/jupyter/mod.ts";\nawait check("ran to its end", true);`;
    await Deno.writeTextFile(notebook, notebookText([...cells, end]));
    const target = join(folder, "out.ipynb");
    const { code, err } = await runPython("lib/jupyter/run_notebook.py", [notebook, target]);
    assertEquals(code, 0, err);
    const shown = (await readCells(target)).flatMap(({ outputs = [] }) => outputs).flatMap(({ data }) =>
      data?.[EXERCISE] ? [data] : []
    );
    return {
      results: shown.map((data) => data[EXERCISE] as ExerciseResult),
      lines: shown.map((data) => [data["text/plain"]].flat().join("")),
    };
  } finally {
    await remove();
  }
}

Deno.test("an exercise says how it stands, with the first input that is wrong, and ends no notebook", async () => {
  const inputs = `[[1, "a"], [3, "b"]] as [number, string][], (x) => [x / 2, x]`;
  const { results, lines } = await outcomes([
    `import { exercise } from "@lib/jupyter/mod.ts";
await exercise("open", null, ${inputs});`,
    `await exercise("right", (x: number) => [0.5 * x + 1e-12, x], ${inputs});`,
    `await exercise("wrong", (x: number) => [x < 2 ? x / 2 : NaN, x], ${inputs});`,
    `await exercise("short", (x: number) => [x / 2], ${inputs});`,
    `await exercise("throws", (): number[] => { throw new Error("<b>no</b>"); }, ${inputs});`,
    `await exercise("near", (x: number) => 1.05 * x, [[100]], (x: number) => x, { within: 0.1 });`,
    `await exercise("far", (x: number) => 1.05 * x, [[100]], (x: number) => x, { within: 0.01 });`,
  ]);
  assertEquals(lines, [
    "– open: not tried yet",
    "✓ right: right for every input",
    '✗ wrong: for (3, "b") expected [ 1.5, 3 ], found [ NaN, 3 ]',
    '✗ short: for (1, "a") expected [ 0.5, 1 ], found [ 0.5 ]',
    '✗ throws: for (1, "a") expected [ 0.5, 1 ], but it threw "<b>no</b>"',
    "✓ near: right for every input",
    "✗ far: for (100) expected 100, found 105",
  ]);
  const states = ["untried", "right", "wrong", "wrong", "wrong", "right", "wrong"];
  assertEquals(results.map(({ state }) => state), states);
});

/** An exercise of a notebook: its text, the attempt, and all else of its cell but imports. */
interface Exercise {
  name: string;
  text: string;
  attempt: string;
  check: string;
}

/** The exercises of a notebook: a cell that ends with `exercise(...)`, right after an attempt, below its text. */
async function exercisesOf(path: string): Promise<Exercise[]> {
  const cells = await readCells(path);
  return cells.flatMap((cell, i) => {
    const source = sourceOf(cell).replace(/^import\s[^;]*;\n*/gm, "");
    if (cell.cell_type !== "code" || !source.includes("exercise(")) return [];
    const found = /^(.*\| null =)(.*?)(;\nawait exercise\(\s*"([^"]+)".*)$/s.exec(source);
    if (!found) throw new Error(`${basename(path)}: expected an attempt and its exercise, found\n${source}`);
    const [, before, attempt, after, name] = found;
    return [{ name, text: sourceOf(cells[i - 1]), attempt: attempt.trim(), check: before + after }];
  });
}

const solutions = await listSolutions();

Deno.test("every exercise of the course is unsolved there, and solved once, with the same text and check", async () => {
  const course = (await Promise.all((await listNotebooks()).map(exercisesOf))).flat();
  const solved = (await Promise.all(solutions.map(exercisesOf))).flat();
  assertEquals(course.filter(({ attempt }) => attempt !== "null"), []);
  assertEquals(solved.filter(({ attempt }) => attempt === "null"), []);
  const given = (all: Exercise[]) => all.map(({ attempt: _, ...rest }) => rest);
  assertEquals(given(solved), given(course));
  assertEquals(new Set(course.map(({ name }) => name)).size, course.length);
  for (const { name, text } of course) assertStringIncludes(text, `**${name}.**`);
});

Deno.test("every solution verifies, in a kernel and without any results, and no mistake does that is near at hand", async () => {
  const known: string[] = [];
  const verify = async (path: string) => {
    const cells = (await readCells(path)).filter(({ cell_type }) => cell_type === "code").map(sourceOf);
    const own = await exercisesOf(path), names = own.map(({ name }) => name);
    const wrong = own.flatMap(({ name, check }) =>
      (MISTAKES[name] ?? []).map((mistake) => ({
        name,
        cell: `{\n${check.replace("| null =;", () => `| null = ${mistake};`)}\n}`,
      }))
    );
    const { results, lines } = await outcomes([...cells, ...wrong.map(({ cell }) => cell)]);
    assertEquals(
      results.map(({ name, state }) => `${name}: ${state}`),
      [...names.map((name) => `${name}: right`), ...wrong.map(({ name }) => `${name}: wrong`)],
      lines.join("\n"),
    );
    // A mistake is one of the answer: it has to run.
    assertEquals(lines.filter((line) => line.includes("but it threw")), []);
    known.push(...names);
  };
  await Array.fromAsync(pooledMap(2, solutions, verify)); // kernels that start at once may choose the same port
  assertEquals(Object.keys(MISTAKES).sort(), known.sort());
});
