/**
 * deno.lock as it is committed: the working lock file (.venv/deno.lock). Packages of JSR have their hashes in it when they
 * came from JSR itself: Deno's hash is that of VERSION_meta.json as the registry serves it, which the stand-in and copies of
 * the packages cannot know. Without these hashes each installation records those of its first set-up, and holds to them.
 * (Deno checks none in a registry of files: hashes of JSR do not trouble the stand-in.) After a change of deno.json, best
 * where JSR answers: `./lab deno run -A tests/structure/lock.ts`
 */
import { join } from "@std/path";
import { paths, writeFileAtomic } from "../../lib/config/mod.ts";

export interface Lock {
  specifiers: Record<string, string>;
  jsr?: Record<string, { integrity: string }>;
  [key: string]: unknown;
}

/**
 * The lock file to commit.
 *
 * @param registry JSR_URL; undefined: JSR itself
 */
export function lockToCommit(lock: Lock, registry: string | undefined): Lock {
  const { jsr: _, ...rest } = lock;
  return registry === undefined ? lock : rest;
}

if (import.meta.main) {
  const working = JSON.parse(await Deno.readTextFile(join(paths.venv, "deno.lock")));
  const lock = lockToCommit(working, Deno.env.get("JSR_URL"));
  if (!lock.jsr) console.error("Without hashes of the JSR packages: they did not come from JSR itself.");
  await writeFileAtomic(join(paths.root, "deno.lock"), JSON.stringify(lock, null, 2) + "\n");
}
