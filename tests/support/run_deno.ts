import { walk } from "@std/fs";
import { join, relative } from "@std/path";
import { paths } from "@lib/config/mod.ts";
import type { Ended } from "./tally.ts";

/** Runs Deno and passes its output on; returns what it wrote to standard output as well. */
export async function runDeno(args: string[], env: Record<string, string> = {}): Promise<Ended> {
  const child = new Deno.Command(Deno.execPath(), {
    args,
    cwd: paths.root,
    env: { NO_COLOR: "1", ...env },
    stdin: "null",
    stdout: "piped",
  }).spawn();
  const decoder = new TextDecoder();
  let text = "";
  for await (const bytes of child.stdout) {
    text += decoder.decode(bytes, { stream: true });
    await Deno.stdout.write(bytes);
  }
  const { success, signal } = await child.status;
  return { success, signal, text };
}

/** Runs Deno and gives what it writes to `later`, to be shown when there is room. */
export async function runDenoQuietly(
  args: string[],
  later: Deno.CommandOutput[],
  env: Record<string, string> = {},
): Promise<Ended> {
  const output = await new Deno.Command(Deno.execPath(), {
    args,
    cwd: paths.root,
    env: { NO_COLOR: "1", ...env },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).output();
  later.push(output);
  return { ...output, text: new TextDecoder().decode(output.stdout) };
}

/** Test files of a folder of tests/, as `deno test` names them. */
export async function testFilesIn(folder: string): Promise<string[]> {
  const found = await Array.fromAsync(walk(join(paths.root, "tests", folder), { exts: ["ts"] }));
  return found.map(({ path }) => relative(paths.root, path)).filter((path) => path.endsWith("_test.ts"))
    .sort();
}
