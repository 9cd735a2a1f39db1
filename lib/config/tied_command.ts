import { join } from "@std/path";
import { paths } from "./paths.ts";

/**
 * A command whose process gets SIGTERM from the system when this process ends, even if that is killed, so that no child
 * outlives its parent. To be spawned where the thread lives as long as the process: not in a worker.
 */
export function tiedCommand(program: string, options: Deno.CommandOptions = {}): Deno.Command {
  const script = join(import.meta.dirname!, "end_with_parent.py");
  return new Deno.Command(join(paths.venv, "bin/python"), {
    ...options,
    args: ["-I", "-S", script, String(Deno.pid), program, ...options.args ?? []],
  });
}
