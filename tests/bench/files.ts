import { join } from "@std/path";
import { makeFolder, paths, writeFileAtomic } from "@lib/config/mod.ts";
import { shownPath } from "@lib/cli/support/shown_path.ts";

/** Writes NAME.json and NAME.md into results/local/bench; returns the text's place in the repository. */
export async function writeBench(name: string, value: unknown, text: string): Promise<string> {
  const folder = join(paths.results, "bench");
  await makeFolder(folder);
  await writeFileAtomic(join(folder, `${name}.json`), JSON.stringify(value, null, 1) + "\n");
  await writeFileAtomic(join(folder, `${name}.md`), text);
  return shownPath(join(folder, `${name}.md`));
}
