import { assert, assertEquals } from "@std/assert";
import { join } from "@std/path";
import { paths } from "../../lib/config/mod.ts";

/** Types of ours may be made of these of others: TensorFlow.js's tensor, a zod schema, and what one reads. */
const OF_OTHERS = /^private-type-ref: public type '.*' references private type '(Tensor|ZodType|output)'/;

/** The type of a zod schema is written once, in the schema. */
const SCHEMA = /^missing-explicit-type: .*\n.*\bconst \w+ = z\./;

/** What `deno doc --lint` finds, but for what is said above: rule, text and place, with the line of code below. */
function findingsIn(text: string): string[] {
  const found = text.matchAll(/^error\[([\w-]+)\]: (.*)\n\s*--> (.*)\n\s*\|\s*\n\s*\d+ \| (.*)$/gm);
  return [...found].map(([, rule, what, where, code]) => `${rule}: ${what} (${where})\n${code}`)
    .filter((finding) => !OF_OTHERS.test(finding) && !SCHEMA.test(finding));
}

async function lint(files: readonly string[]): Promise<{ success: boolean; text: string }> {
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["doc", "--lint", ...files],
    cwd: paths.root,
    env: { NO_COLOR: "1" },
  }).output();
  return { success, text: new TextDecoder().decode(stderr) };
}

Deno.test("what a room exports is documented, says what it returns, and is made of types that are public too", async () => {
  const rooms = (await Array.fromAsync(Deno.readDir(join(paths.root, "lib")))).map(({ name }) => name);
  const files = rooms.filter((name) => name !== "cli").map((name) => join("lib", name, "mod.ts"));
  assert(files.length > 20);
  const { text } = await lint(files), stated = Number(/Found (\d+) documentation lint error/.exec(text)?.[1]);
  assertEquals(findingsIn(text), []);
  assertEquals([...text.matchAll(/^error\[/gm)].length, stated); // all of them were read
});

Deno.test("a function without return type, a field without text and a private type are found", async () => {
  const folder = await Deno.makeTempDir(), file = join(folder, "mod.ts");
  try {
    await Deno.writeTextFile(
      file,
      `interface Hidden { x: number }
/** Text. */
export function f(_: Hidden) { return [1].map((x) => x + 1); }
/** Text. */
export interface Shown { y: number }
`,
    );
    const rules = findingsIn((await lint([file])).text).map((finding) => finding.split(":")[0]).sort();
    assertEquals(rules, ["missing-jsdoc", "missing-return-type", "private-type-ref"]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
