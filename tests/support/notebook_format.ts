import { join } from "@std/path";
import { paths } from "@lib/config/mod.ts";

/**
 * Notebooks that `deno fmt` would change. `deno fmt --check` itself calls every notebook unformatted that is not in its
 * cache (Deno 2.9.8), so the formatted text is compared here.
 */
export async function unformattedNotebooks(notebooks: readonly string[]): Promise<string[]> {
  const changed: string[] = [];
  for (const notebook of notebooks) {
    const source = await Deno.readFile(notebook);
    const child = new Deno.Command(Deno.execPath(), {
      args: ["fmt", "--config", join(paths.root, "deno.json"), "--ext", "ipynb", "-"],
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    const writer = child.stdin.getWriter();
    const written = writer.write(source).then(() => writer.close());
    const [{ success, stdout }] = await Promise.all([child.output(), written]);
    const decoder = new TextDecoder();
    if (!success || decoder.decode(stdout) !== decoder.decode(source)) changed.push(notebook);
  }
  return changed;
}
