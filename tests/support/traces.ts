import { walk } from "@std/fs";
import { relative } from "@std/path";
import { one, skippedOne, type Tally } from "./tally.ts";

async function git(root: string, args: string[], env: Record<string, string>): Promise<string | null> {
  try {
    const command = new Deno.Command("git", {
      args: ["-C", root, ...args],
      clearEnv: true,
      env,
      stderr: "null",
    });
    const { success, stdout } = await command.output();
    return success ? new TextDecoder().decode(stdout) : null;
  } catch {
    return null; // no git
  }
}

/** The commit that is checked out, with a mark where files differ from it; null without git, or where `root` is no checkout's top. */
export async function commitOf(root: string): Promise<string | null> {
  const env = Deno.env.toObject(), changed = await checkoutState(root, env);
  const commit = changed && (await git(root, ["rev-parse", "--short", "HEAD"], env))?.trim();
  return commit ? `${commit}${changed.length > 0 ? ", with changes" : ""}` : null;
}

/**
 * What git, in this environment, says has changed in a checkout, line by line; null without git, or where `root` is not
 * a checkout's top.
 */
export async function checkoutState(
  root: string,
  env: Record<string, string>,
): Promise<string[] | null> {
  if ((await git(root, ["rev-parse", "--show-prefix"], env))?.trim() !== "") return null;
  const status = ["--no-optional-locks", "status", "--porcelain", "--untracked-files=all"];
  return (await git(root, status, env))?.split("\n").filter(Boolean) ?? null;
}

/** Whether a checkout is as it was; prints the lines that differ. */
export function sameCheckout(before: readonly string[] | null, after: readonly string[] | null): Tally {
  if (!before || !after) return skippedOne("no git, or no checkout, to compare before and after");
  const lines = [
    ...after.filter((line) => !before.includes(line)).map((line) => `  now: ${line}`),
    ...before.filter((line) => !after.includes(line)).map((line) => `  before: ${line}`),
  ];
  if (lines.length) console.error(`The checkout is not as it was (git status):\n${lines.join("\n")}`);
  return one(lines.length === 0);
}

/** Whether nothing was written to a home folder; prints what was. */
export async function emptyHome(home: string): Promise<Tally> {
  const found: string[] = [];
  for await (const { path, isDirectory } of walk(home)) {
    if (path !== home) found.push(`  ${relative(home, path)}${isDirectory ? "/" : ""}`);
  }
  if (found.length) console.error(`Written to HOME:\n${found.sort().slice(0, 20).join("\n")}`);
  return one(found.length === 0);
}
