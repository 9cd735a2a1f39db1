import { walk } from "@std/fs";
import { relative } from "@std/path";
import { one, skippedOne, type Tally } from "./tally.ts";

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
