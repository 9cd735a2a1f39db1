import { fromFileUrl } from "@std/path";
import { paths } from "@lib/config/mod.ts";

/** How a case is measured in a process of its own. */
export interface CaseProcess {
  /** What is measured, for an error. */
  what: string;
  /** Runs a script of somebody else's software; without it the script is ours, and Deno runs it. */
  python?: string;
  /** What the process reads; becomes JSON. */
  input?: unknown;
  /** More variables. */
  env?: Record<string, string>;
}

/**
 * The JSON value that a script of this folder prints as its last line, in a fresh process: peak memory and compiled functions of
 * one case never touch another.
 *
 * @throws Error with the end of what the process said, if it fails
 */
export async function measureInProcess<T>(
  script: string,
  args: readonly string[],
  { what, python, input, env }: CaseProcess,
): Promise<T> {
  const file = fromFileUrl(new URL(script, import.meta.url));
  const process = new Deno.Command(python ?? Deno.execPath(), {
    args: [...python === undefined ? ["run", "-A", "--quiet", file] : [file], ...args],
    cwd: paths.root,
    env: { TRANSFORMERS_VERBOSITY: "error", HF_HUB_OFFLINE: "1", ...env },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const output = process.output(), bytes = new TextEncoder().encode(JSON.stringify(input) ?? "");
  await ReadableStream.from([bytes]).pipeTo(process.stdin).catch(() => {}); // one that ends early says why itself
  const { success, stdout, stderr } = await output,
    text = (bytes: Uint8Array) => new TextDecoder().decode(bytes).trim();
  if (!success) throw new Error(`${what} failed: ${text(stderr).slice(-600)}`);
  return JSON.parse(text(stdout).split("\n").at(-1)!);
}
