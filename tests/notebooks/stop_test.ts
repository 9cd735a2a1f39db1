import { assert, assertEquals } from "@std/assert";
import { join } from "@std/path";
import { paths } from "@lib/config/mod.ts";

/** What takes more than a moment at one scale or the other. */
const LONG = [
  "askCell",
  "checkPictures",
  "compareAccuracy",
  "complete",
  "greedyRight",
  "inspectImages",
  "judgeOpen",
  "openModel",
  "studyLesions",
  "synthesize",
  "trainCell",
  "trainStage1",
  "trainStage2",
];

/** The code cells of every notebook, under "NOTEBOOK CELL". */
async function codeCells(): Promise<Map<string, string>> {
  const cells = new Map<string, string>(), folder = join(paths.root, "notebooks");
  for await (const { name } of Deno.readDir(folder)) {
    if (!name.endsWith(".ipynb")) continue;
    const notebook = JSON.parse(await Deno.readTextFile(join(folder, name)));
    for (const { cell_type, id, source } of notebook.cells) {
      if (cell_type === "code") cells.set(`${name} ${id}`, source.join(""));
    }
  }
  return cells;
}

Deno.test("every cell with a long call asks for Stop's signal", async () => {
  const calls = new RegExp(`\\bawait (${LONG.join("|")})\\(`, "g"), called = new Set<string>(), deaf = [];
  for (const [name, source] of await codeCells()) {
    const found = [...source.matchAll(calls)].map(([, what]) => what);
    for (const what of found) called.add(what);
    if (found.length && !source.includes("stopSignal()")) deaf.push(`${name}: ${found.join(", ")}`);
  }
  assertEquals(deaf, []);
  assertEquals(LONG.filter((name) => !called.has(name)), []);
  assert(called.size > 0);
});
