import { assert, assertEquals } from "@std/assert";
import { exists, walk } from "@std/fs";
import { dirname, join, relative, resolve } from "@std/path";
import { paths } from "../../lib/config/mod.ts";

/** The rooms in the order in which data flows: a room imports only rooms before it. */
const ROOMS = (
  "config artifacts download stats jupyter image phantom corpus audit llm synthesis annealing evaluation tensor text weights " +
  "model training nano answers saliency report figures cli"
).split(" ");

const lib = join(paths.root, "lib");

/** Files under a folder with this extension. */
async function files(folder: string, ext: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { path } of walk(folder, { exts: [ext], includeDirs: false })) found.push(path);
  return found.sort();
}

/** What a module imports or re-exports. */
const importsOf = (source: string): string[] =>
  [...source.matchAll(/(?:^(?:import|export)\b[^"'`;]*?from\s*|^import\s*|\bimport\(\s*)"([^"]+)"/gms)].map((
    m,
  ) => m[1]);

/** What alone may import from tests/: the commands that measure and test, whose work lies there. */
const OF_TESTS: Readonly<Record<string, string>> = {
  "cli/bench.ts": "tests/bench/",
  "cli/test.ts": "tests/support/",
};

/** What breaks the rule in a module of `room`. */
function violations(file: string, source: string, room: string): string[] {
  return importsOf(source).flatMap((specifier) => {
    const where = `${relative(paths.root, file)} imports ${specifier}`;
    if (specifier.startsWith("@lib/")) return [`${where}: rooms import each other by relative paths`];
    if (/^(npm|jsr|https?):/.test(specifier)) return [`${where}: name it in deno.json, with its version`];
    if (!specifier.startsWith(".")) return [];
    const path = resolve(dirname(file), specifier), target = relative(lib, path), [other] = target.split("/");
    const open = OF_TESTS[relative(lib, file)];
    if (other === room || open && relative(paths.root, path).startsWith(open)) return [];
    if (!ROOMS.includes(other)) return [`${where}: it is not in a room of lib`];
    if (ROOMS.indexOf(other) > ROOMS.indexOf(room)) return [`${where}: ${other} comes after ${room}`];
    return target === `${other}/mod.ts` ? [] : [`${where}: only ${other}/mod.ts is open to other rooms`];
  });
}

Deno.test("the rule finds what it forbids", () => {
  const file = join(lib, "text/x.ts");
  const of = (specifier: string) => violations(file, `import { a } from "${specifier}";`, "text").length;
  assertEquals(of("../config/mod.ts"), 0);
  assertEquals(of("./y.ts"), 0);
  assertEquals(of("zod"), 0);
  assertEquals(of("../config/paths.ts"), 1);
  assertEquals(of("../model/mod.ts"), 1);
  assertEquals(of("@lib/config/mod.ts"), 1);
  assertEquals(of("npm:zod"), 1);
  assertEquals(of("../../tests/x.ts"), 1);
  assertEquals(of("../../tests/bench/x.ts"), 1);
  const command = (specifier: string) =>
    violations(join(lib, "cli/bench.ts"), `import { a } from "${specifier}";`, "cli").length;
  assertEquals([command("../../tests/bench/x.ts"), command("../../tests/support/x.ts")], [0, 1]);
  const lazy =
    `import {\n  a,\n  b,\n} from "../model/mod.ts";\nconst c = await import("../figures/mod.ts");`;
  assertEquals(violations(file, lazy, "text").length, 2);
});

Deno.test("a room imports only rooms before it, through their mod.ts", async () => {
  const problems: string[] = [];
  for (const room of ROOMS) {
    for (const file of await files(join(lib, room), ".ts")) {
      problems.push(...violations(file, await Deno.readTextFile(file), room));
    }
  }
  assertEquals(problems, []);
});

Deno.test("no module imports itself over others", async () => {
  const graph = new Map<string, string[]>();
  for (const file of await files(lib, ".ts")) {
    // Types vanish before anything runs.
    const source = (await Deno.readTextFile(file)).replace(/^(import|export) type [^;]*;/gms, "");
    const local = importsOf(source).filter((s) => s.startsWith("."));
    graph.set(file, local.map((s) => resolve(dirname(file), s)));
  }
  const done = new Set<string>();
  const visit = (file: string, path: string[]): void => {
    assert(!path.includes(file), `${[...path, file].map((f) => relative(lib, f)).join(" -> ")}`);
    if (done.has(file)) return;
    for (const next of graph.get(file) ?? []) visit(next, [...path, file]);
    done.add(file);
  };
  for (const file of graph.keys()) visit(file, []);
});

/** Loaders of data sets that no lesson reads: for notebooks of one's own. */
const FOR_OWN_NOTEBOOKS = ["loadMimicCxr", "loadMedPixShortQa", "loadRocoQa"];

/** The values that a text imports or exports by name from modules whose specifier is like that; types do not count. */
const namesIn = (source: string, of: RegExp): string[] =>
  [...source.matchAll(/\b(?:import|export)\s+(?!type\b)\{([^}]*)\}\s*from\s*"([^"]+)"/g)]
    .filter(([, , specifier]) => of.test(specifier))
    .flatMap(([, list]) => list.split(",").map((name) => name.trim().split(" as ")[0]))
    .filter((name) => name !== "" && !name.startsWith("type "));

/** Values that a room's mod.ts exports although nobody outside uses them, and no type of the room is made of them. */
function unused(facade: string, inside: string, outside: string, room: string): string[] {
  const used = new Set(namesIn(outside, new RegExp(`(^|/)${room}/mod\\.ts$`)));
  const dynamic = [
    ...outside.matchAll(new RegExp(`\\{([^{}]*)\\}\\s*=\\s*await import\\([^)]*\\b${room}/mod\\.ts`, "g")),
  ];
  const words = new Set(dynamic.flatMap(([, list]) => list.match(/\w+/g) ?? []));
  return namesIn(facade, /^\.\//).filter((name) =>
    !used.has(name) && !words.has(name) && !FOR_OWN_NOTEBOOKS.includes(name) &&
    !new RegExp(`\\btypeof ${name}\\b`).test(inside)
  );
}

Deno.test("a value that nobody outside uses is found, one that a type is made of or an example imports is not", () => {
  const facade = `export { a, b, type T } from "./a.ts";\nexport { c } from "./c.ts";`;
  const inside = "export type T = typeof b[number];",
    outside = `import {\n  type T,\n  c,\n} from "../x/mod.ts";`;
  assertEquals(unused(facade, inside, outside, "x"), ["a"]);
  assertEquals(unused(facade, inside, `${outside} import { a } from "@lib/x/mod.ts";`, "x"), []);
  assertEquals(unused(facade, inside, `${outside} const { a } = await import("../x/mod.ts");`, "x"), []);
  assertEquals(unused(facade, inside, `${outside} import { a } from "../y/mod.ts";`, "x"), ["a"]);
});

Deno.test("a mod.ts exports what other rooms, notebooks or examples use: what tests alone need they import from its file", async () => {
  const sources = new Map<string, string>();
  for (const file of await files(lib, ".ts")) sources.set(relative(lib, file), await Deno.readTextFile(file));
  const cells: string[] = [];
  for (const file of await files(join(paths.root, "notebooks"), ".ipynb")) {
    for (const { source } of JSON.parse(await Deno.readTextFile(file)).cells) {
      cells.push([source].flat().join(""));
    }
  }
  const problems = ROOMS.filter((room) => room !== "cli").flatMap((room) => {
    const own = [...sources].filter(([file]) => file.startsWith(`${room}/`) && file !== `${room}/mod.ts`);
    const others = [...sources].filter(([file]) => !file.startsWith(`${room}/`)).map(([, source]) => source);
    const examples = own.map(([, source]) => source.replaceAll(/^ \* ?/gm, "")).flatMap((source) =>
      source.match(/^import[^;]*"@lib\/[^;]*;$/gm) ?? []
    );
    const outside = [...others, ...cells, ...examples].join("\n");
    return unused(sources.get(`${room}/mod.ts`)!, own.map(([, source]) => source).join("\n"), outside, room)
      .map((name) => `${room}/mod.ts: ${name}`);
  });
  assertEquals(problems, []);
});

Deno.test("every room is known, has a mod.ts and tests of its name", async () => {
  for await (const { name, isDirectory } of Deno.readDir(lib)) {
    assert(!isDirectory || ROOMS.includes(name), `lib/${name} is not among the rooms`);
  }
  for (const room of ROOMS) {
    assert(room === "cli" || await exists(join(lib, room, "mod.ts")), `lib/${room}/mod.ts is missing`);
    const tests = (await files(join(paths.root, "tests", room), ".ts")).filter((f) => f.endsWith("_test.ts"));
    assert(tests.length > 0, `tests/${room} has no test`);
  }
});

Deno.test("every folder of tests belongs to a room, or is known", async () => {
  const others = ["bench", "full", "jsr_stand_in", "launcher", "notebooks", "parity", "structure", "support"];
  for await (const { name, isDirectory } of Deno.readDir(join(paths.root, "tests"))) {
    if (isDirectory) assert([...ROOMS, ...others].includes(name), `tests/${name} belongs to no room`);
  }
});
