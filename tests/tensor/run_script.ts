import { assert } from "@std/assert";
import { fromFileUrl } from "@std/path";

const config = fromFileUrl(new URL("../../deno.json", import.meta.url));

/** Runs a script in a process of its own and gives the JSON that it prints. */
export async function runScript<Result>(script: URL, flags: readonly string[] = []): Promise<Result> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", "--no-check", ...flags, `--config=${config}`, fromFileUrl(script)],
  }).output();
  assert(success, new TextDecoder().decode(stderr));
  return JSON.parse(new TextDecoder().decode(stdout));
}
