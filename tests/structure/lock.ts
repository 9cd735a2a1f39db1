/**
 * deno.lock as it is committed: the working lock file (.venv/deno.lock) without the hashes of what comes from JSR, since
 * that is the stand-in on some machines; its versions stay. After a change of deno.json, with the released packages
 * (JSR_URL unset where JSR answers): `./lab deno run -A tests/structure/lock.ts`
 */
import { join } from "@std/path";
import { paths, writeFileAtomic } from "../../lib/config/mod.ts";

interface Lock {
  specifiers: Record<string, string>;
  jsr?: unknown;
  [key: string]: unknown;
}

/** The lock file without the hashes of JSR packages. */
export function withoutJsrHashes({ jsr: _, ...rest }: Lock): Lock {
  return rest;
}

if (import.meta.main) {
  const working = JSON.parse(await Deno.readTextFile(join(paths.venv, "deno.lock")));
  await writeFileAtomic(
    join(paths.root, "deno.lock"),
    JSON.stringify(withoutJsrHashes(working), null, 2) + "\n",
  );
}
