import { assertEquals } from "@std/assert";
import { join } from "@std/path";
import { paths } from "@lib/config/mod.ts";
import { pointerProblems } from "./pointers.ts";

const CODE = 'import { print } from "@lib/jupyter/mod.ts";\nimport { tf } from "@lib/tensor/mod.ts";\n' +
  'import {\n  type Tokenizer,\n  padBatch,\n  questionPrefix,\n} from "@lib/text/mod.ts";\n';
const cell = (type: string, text: string) => ({ cell_type: type, source: text.split(/(?<=\n)/) });
const notebook = (...cells: unknown[]) => JSON.stringify({ cells });

Deno.test("prose above a cell that imports names the files of what it imports, not those of types and plumbing", async () => {
  const right = "Padding:\n\n→ `lib/tensor/` backend; `lib/text/` prompt, sequence";
  assertEquals(await pointerProblems("x", notebook(cell("markdown", right), cell("code", CODE))), []);
  const expected = "expected → `lib/tensor/` backend; `lib/text/` prompt, sequence at its end";
  for (const wrong of ["Padding:", right.replace(", sequence", ""), `${right}, mask`]) {
    const [problem, ...others] = await pointerProblems(
      "x",
      notebook(cell("markdown", wrong), cell("code", CODE)),
    );
    assertEquals([problem.startsWith(`x: cell 1: ${expected}`), others], [true, []]);
  }
});

Deno.test("the pointer is the last paragraph alone: prose below another arrow is nothing that the writer may take away", async () => {
  const text =
    "→ `lib/text/` is a room.\n\nPadding:\n\n→ `lib/tensor/` backend; `lib/text/` prompt, sequence";
  assertEquals(await pointerProblems("x", notebook(cell("markdown", text), cell("code", CODE))), []);
});

Deno.test("a pointer to nothing, and a cell that imports with no prose above it, are found", async () => {
  const plain = cell("code", 'import { print } from "@lib/jupyter/mod.ts";\n');
  const lost = await pointerProblems(
    "x",
    notebook(cell("markdown", "Shown.\n\n→ `lib/text/` prompt"), plain),
  );
  assertEquals(lost.map((text) => text.split(":").slice(0, 3).join(":")), [
    "x: cell 1: expected no pointer at its end",
  ]);
  assertEquals(await pointerProblems("x", notebook(plain, cell("code", CODE))), [
    "x: cell 2: it imports from the library with no prose above it",
  ]);
});

Deno.test("every lesson points to the files of the library behind its cells", async () => {
  const folder = join(paths.root, "notebooks"), problems: string[] = [];
  for await (const { name } of Deno.readDir(folder)) {
    if (!/^\d\d_.*\.ipynb$/.test(name)) continue;
    problems.push(...await pointerProblems(name, await Deno.readTextFile(join(folder, name))));
  }
  assertEquals(problems, []);
});
