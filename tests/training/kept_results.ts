import { fromFileUrl } from "@std/path";

const config = fromFileUrl(new URL("../../deno.json", import.meta.url));

/** The command that runs a script with `results` as the folder of results. */
export function keptCommand(
  script: URL,
  results: string,
  args: readonly string[],
  env: Record<string, string> = {},
): Deno.Command {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", "--no-check", `--config=${config}`, fromFileUrl(script), ...args],
    env: { ...env, LAB_RESULTS: results },
    stdout: "piped",
    stderr: "piped",
  });
}

/** What a script prints as JSON. @throws with its errors when it fails */
export async function runKept<Result>(
  script: URL,
  results: string,
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<Result> {
  const { success, stdout, stderr } = await keptCommand(script, results, args, env).output();
  const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  if (!success) throw new Error(decode(stderr));
  return JSON.parse(decode(stdout));
}
