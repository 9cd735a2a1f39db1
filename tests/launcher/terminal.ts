import { join } from "@std/path";
import { paths } from "../../lib/config/mod.ts";
import type { Result } from "./support.ts";

/** Whether this machine gives no pseudo-terminal: a chroot without /dev/pts does not. */
export const NO_TERMINAL = !new Deno.Command(join(paths.venv, "bin/python"), {
  args: ["-c", "import os; os.openpty()"],
  stderr: "null",
}).outputSync().success;

/** Runs a program in a terminal (terminal.py); `text` is what the terminal got. */
export async function inTerminal(args: string[], env: Record<string, string> = {}): Promise<Result> {
  const { code, stdout, stderr } = await new Deno.Command(join(paths.venv, "bin/python"), {
    args: [join(import.meta.dirname!, "terminal.py"), ...args],
    env,
    stdin: "null",
  }).output();
  return { code, text: new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr) };
}

/** Lines of a terminal's text that are wider than it, of those that are written over and over. */
export const brokenLines = (text: string, columns: number): string[] =>
  text.split("\n").filter((line) => line.replace(/\r$/, "").includes("\r"))
    .flatMap((line) => line.split("\r")).filter((line) => line.length >= columns);
