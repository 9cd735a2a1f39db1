import { assertEquals, assertStringIncludes } from "@std/assert";
import { checkNotebooks } from "./check_notebooks.ts";
import { notebookText, scratchNotebook } from "../jupyter/support.ts";

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

/** What the cells below work with; `loose` has the type any. */
const NAMES = `${IMPORTS}
const bad = Date.now() > 0, loose = JSON.parse("0"), bar = bad ? { stop: () => print("end") } : null;`;

Deno.test("un-awaited promises are found, in whatever form they come", async () => {
  const lost = [
    "print(1);",
    "bad && print(2);",
    "loose && print(3);",
    "bad ? print(4) : undefined;",
    "bar?.stop();",
    "loose ?? print(5);",
    "(print(6), bad);",
    "[1].map(print);",
    "[1].map((n) => [n, print(n)] as const);",
    "Promise.all([1].map(print));",
    "print(7).catch(print);",
  ];
  const text = await problemsOf([NAMES, lost.join("\n")]);
  assertEquals(
    text.split("\n"),
    lost.map((line, i) => `checked.ipynb: cell 2, line ${i + 1}: the promise is not awaited: ${line}`),
  );
});

Deno.test("the types of @std are known: what its functions promise is found too", async () => {
  const text = await problemsOf([`import { ensureDir } from "@std/fs";\nensureDir("nowhere");`]);
  assertStringIncludes(text, 'line 2: the promise is not awaited: ensureDir("nowhere");');
});

Deno.test("promises that are awaited, kept or marked with void pass", async () => {
  const cell = `let kept: Promise<void> | undefined;
await print(1);
void print(2);
bad && await print(3);
bad ? await print(4) : void print(5);
await bar?.stop();
await Promise.all([1].map(print));
void [1].map(print);
kept = print(6);
kept && await kept;
kept ??= print(7);
[1, loose, "two"].map((x) => [x]);`;
  assertEquals(await problemsOf([NAMES, cell]), "");
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

Deno.test("a call that Stop could end but that gets no signal is found, with no list of such calls", async () => {
  const cells = [
    `import { contactSheet, loadSlake } from "@lib/corpus/mod.ts";
import { print, stopSignal } from "@lib/jupyter/mod.ts";
const reading = { signal: stopSignal() }, text = { requireImages: false };
await print((await loadSlake("slake", reading)).records.length, (await contactSheet([], reading)).length);`,
    `await loadSlake("slake");
await loadSlake("slake", text);
await contactSheet([], { side: 100 });
await fetch("http://localhost");`,
  ];
  const text = await problemsOf(cells);
  const deaf = "Stop does not end this call; pass { signal: stopSignal() }";
  assertEquals(text.split("\n"), [
    `checked.ipynb: cell 2, line 1: ${deaf}: loadSlake("slake")`,
    `checked.ipynb: cell 2, line 2: ${deaf}: loadSlake("slake", text)`,
    `checked.ipynb: cell 2, line 3: ${deaf}: contactSheet([], { side: 100 })`,
  ]);
});

Deno.test("an element that may not be there, as after a limit, is found where it is used unguarded", async () => {
  const cell = `const rows = [1, 2].filter((n) => n > 5), [first] = rows, byName: Record<string, number> = {};
await print(rows[0].toFixed());
await print(first.toFixed());
await print(rows.at(-1)!.toFixed());
await print(byName["a"].toFixed());
if (first !== undefined) await print(first.toFixed(), rows[0]?.toFixed());`;
  const lines = (await problemsOf([IMPORTS, cell])).split("\n");
  assertEquals(
    lines.map((line) => line.split(":").slice(0, 3).join(":")),
    [2, 3, 5].map((n) => `checked.ipynb: cell 2, line ${n}: there may be none, in a limited run for example`),
  );
});
