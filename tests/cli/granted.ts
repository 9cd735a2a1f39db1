import { join } from "@std/path";
import { paths } from "../../lib/config/mod.ts";

/** The Deno permissions that the launcher gives a command with these arguments, as its `permissions` says. */
export async function granted(...command: string[]): Promise<string[]> {
  const launcher = await Deno.readTextFile(join(paths.root, "lab"));
  const [body] = launcher.match(/^permissions\(\) \{\n[^}]*\n\}$/m) ?? [""];
  const args = ["-euc", `${body}\npermissions "$@"`, "sh", ...command];
  const { stdout } = await new Deno.Command("sh", { args }).output();
  return new TextDecoder().decode(stdout).trim().split(" ");
}
