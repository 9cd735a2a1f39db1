import { join, relative } from "@std/path";
import { paths } from "../../config/mod.ts";

/** Writes NAME.json and NAME.md into results/local/bench; returns the text's place in the repository. */
export async function writeBench(name: string, value: unknown, text: string): Promise<string> {
  const folder = join(paths.results, "bench");
  await Deno.mkdir(folder, { recursive: true });
  for (
    const [file, content] of [[`${name}.json`, JSON.stringify(value, null, 1) + "\n"], [`${name}.md`, text]]
  ) {
    const path = join(folder, file);
    await Deno.writeTextFile(`${path}.tmp`, content);
    await Deno.rename(`${path}.tmp`, path);
  }
  return relative(paths.root, join(folder, `${name}.md`));
}
