import { assert } from "@std/assert";
import { join } from "@std/path";

/** Runs ./lab review with the permissions that it has, as a person does after the download; returns what it says. */
export async function labReview(...args: string[]): Promise<string> {
  const { granted } = await import("./granted.ts"); // when the test has set where the rooms find results
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", ...await granted("review"), "--no-check"],
      ...[join(import.meta.dirname!, "../../lib/cli/main.ts"), "review", ...args],
    ],
  }).output();
  const text = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
  assert(success, text);
  return text;
}
