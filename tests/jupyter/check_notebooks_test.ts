import { assertEquals, assertStringIncludes } from "@std/assert";
import { checkNotebooks } from "../../lib/jupyter/check_notebooks.ts";
import { notebookText, scratchNotebook } from "./support.ts";

/** Problems of a notebook of these cells. */
async function problemsOf(cells: string[], change = (text: string) => text): Promise<string> {
  const { notebook, remove } = await scratchNotebook([]);
  try {
    const name = notebook.replace("x.ipynb", "checked.ipynb");
    await Deno.writeTextFile(name, change(notebookText(cells)));
    return (await checkNotebooks([name])).join("\n");
  } finally {
    await remove();
  }
}

const IMPORTS = `import { print } from "@lib/jupyter/mod.ts";`;

Deno.test("a sound notebook has no problems", async () => {
  assertEquals(await problemsOf([IMPORTS, `const rows = [1, 2];\nawait print(rows);`, `rows.length`]), "");
});

Deno.test("problems name cell and line: types, lint, names used twice", async () => {
  const text = await problemsOf([
    `${IMPORTS}\nawait print(1);`,
    `const n = 1;\nconst s: string = n;\nawait print(s);`,
    `const n = 2;\nvar old = n;\nawait print(old);`,
  ]);
  assertStringIncludes(text, "Type 'number' is not assignable to type 'string'");
  assertStringIncludes(text, "checked.ipynb: cell 2, line 2");
  assertStringIncludes(text, "Cannot redeclare block-scoped variable 'n'");
  assertStringIncludes(text, "checked.ipynb: cell 3, line 2 - `var`");
});

Deno.test("un-awaited promises are found, awaited and voided ones pass", async () => {
  const text = await problemsOf([IMPORTS, `print(1);`, `await print(2);\nvoid print(3);`, `[1].map(print);`]);
  assertEquals(text, "checked.ipynb: cell 2, line 1: the promise is not awaited: print(1);");
});

Deno.test("what a kernel cannot do, foreign imports and long cells are refused", async () => {
  const text = await problemsOf([
    `import { join } from "@std/path";\nconsole.log(join("a", "b"), import.meta.url);`,
    Array.from({ length: 16 }, (_, i) => `export const x${i} = ${i};`).join("\n"),
  ]);
  assertStringIncludes(text, "cell 1, line 1: notebooks import only from @lib/ROOM/mod.ts");
  assertStringIncludes(text, "cell 1, line 2: console output can be lost");
  assertStringIncludes(text, "cell 1, line 2: import.meta does not exist");
  assertStringIncludes(text, "cell 2: 16 lines of code, 15 are allowed");
});

Deno.test("stored outputs and another kernel are refused", async () => {
  const text = await problemsOf(
    [`1 + 1`],
    (text) => text.replace('"outputs":[]', '"outputs":[{}]').replace('"name":"deno"', '"name":"python3"'),
  );
  assertStringIncludes(text, 'checked.ipynb: the kernel is not "deno"');
  assertStringIncludes(text, "checked.ipynb: cell 1: stored output");
});
