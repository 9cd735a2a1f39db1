/**
 * The prose above a cell ends with the files of the library that do what the cell imports: → `lib/model/` mask, open.
 * This writes these lines anew: deno run -A tests/support/pointers.ts notebooks/*.ipynb
 */
import { basename, join } from "@std/path";
import { z } from "zod";
import { paths } from "@lib/config/mod.ts";

/** Rooms of which a reader of a lesson needs no file: settings, run folders and how a cell shows something. */
const PLUMBING = ["config", "artifacts", "jupyter"];
/** The paragraph that ends a text. */
const POINTER = /(?:^|\n+)→ `lib\/(?:.|\n(?!\n))*$/;
/** What is left of a text whose lines `deno fmt` may have wrapped. */
const unwrapped = (text: string) => text.replace(/\s+/g, " ");

const Notebook = z.object({
  cells: z.array(z.object({ cell_type: z.string(), source: z.array(z.string()) })),
});

const namesIn = (list: string): string[] =>
  list.split(",").map((name) => name.trim()).filter((name) => name !== "" && !name.startsWith("type "));

const rooms = new Map<string, Promise<Map<string, string>>>();

/** Which file of a room each of its exported values lies in. */
async function readRoom(room: string): Promise<Map<string, string>> {
  const text = await Deno.readTextFile(join(paths.root, "lib", room, "mod.ts"));
  return new Map(
    [...text.matchAll(/^export \{([^}]*)\} from "\.\/([^"]+)";/gms)].flatMap(([, names, file]) =>
      namesIn(names).map((name): [string, string] => [name, basename(file, ".ts")])
    ),
  );
}

/**
 * The pointer to the files that a cell's imports come from, room by room in the order of the imports; null without any, and for
 * an exercise, whose answer it would point to.
 */
async function pointerOf(code: string): Promise<string | null> {
  if (/^await exercise\(/m.test(code)) return null;
  const files = new Map<string, Set<string>>();
  for (const [, names, room] of code.matchAll(/^import \{([^}]*)\} from "@lib\/(\w+)\/mod\.ts";/gms)) {
    const values = namesIn(names);
    if (PLUMBING.includes(room) || values.length === 0) continue;
    if (!rooms.has(room)) rooms.set(room, readRoom(room));
    const fileOf = await rooms.get(room)!, own = files.get(room) ?? new Set();
    files.set(room, own);
    for (const name of values) own.add(fileOf.get(name) ?? "mod");
  }
  if (files.size === 0) return null;
  return `→ ${[...files].map(([room, own]) => `\`lib/${room}/\` ${[...own].sort().join(", ")}`).join("; ")}`;
}

/**
 * What each cell's text should be, with the pointer that the cell below it asks for.
 * @returns also the places of cells that import from the library with no prose above them, from 0
 */
async function pointed(
  cells: z.infer<typeof Notebook>["cells"],
): Promise<{ texts: string[]; bare: number[] }> {
  const bare: number[] = [], texts = cells.map(({ source }) => source.join(""));
  for (const [i, { cell_type: type }] of cells.entries()) {
    const below = cells[i + 1], pointer = below?.cell_type === "code" ? await pointerOf(texts[i + 1]) : null;
    if (type === "markdown") texts[i] = texts[i].replace(POINTER, "") + (pointer ? `\n\n${pointer}` : "");
    else if (pointer) bare.push(i + 1);
  }
  return { texts, bare };
}

/** What is wrong with the pointers of a notebook, whose name and text are given. */
export async function pointerProblems(name: string, text: string): Promise<string[]> {
  const { cells } = Notebook.parse(JSON.parse(text)), { texts, bare } = await pointed(cells);
  return [
    ...bare.map((i) => `${name}: cell ${i + 1}: it imports from the library with no prose above it`),
    ...cells.flatMap(({ source }, i) =>
      unwrapped(source.join("")) === unwrapped(texts[i]) ? [] : [
        `${name}: cell ${i + 1}: expected ${/→ .*$/.exec(texts[i])?.[0] ?? "no pointer"} at its end: ` +
        "deno run -A tests/support/pointers.ts writes it.",
      ]
    ),
  ];
}

if (import.meta.main) {
  for (const path of Deno.args) {
    const notebook = JSON.parse(await Deno.readTextFile(path)), { cells } = Notebook.parse(notebook);
    const { texts } = await pointed(cells);
    texts.forEach((text, i) => notebook.cells[i].source = text.split(/(?<=\n)/));
    await Deno.writeTextFile(path, JSON.stringify(notebook, null, 1) + "\n");
  }
}
