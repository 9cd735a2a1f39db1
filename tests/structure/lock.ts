/**
 * deno.lock as it is committed: the working lock file (.venv/deno.lock) without what comes from JSR, since that is the
 * stand-in on some machines. After a change of deno.json: `./lab deno run -A tests/structure/lock.ts`
 */
import { join } from "@std/path";
import { paths } from "../../lib/config/mod.ts";

interface Lock {
  specifiers: Record<string, string>;
  jsr?: unknown;
  workspace?: { dependencies?: string[] };
  [key: string]: unknown;
}

/** The lock file without the entries of JSR packages. */
export function withoutJsr(lock: Lock): Lock {
  const { jsr: _, ...rest } = lock;
  const npm = (name: string) => !name.startsWith("jsr:");
  return {
    ...rest,
    specifiers: Object.fromEntries(Object.entries(lock.specifiers).filter(([name]) => npm(name))),
    ...(lock.workspace &&
      { workspace: { ...lock.workspace, dependencies: lock.workspace.dependencies?.filter(npm) } }),
  };
}

if (import.meta.main) {
  const working = JSON.parse(await Deno.readTextFile(join(paths.venv, "deno.lock")));
  const file = join(paths.root, "deno.lock");
  await Deno.writeTextFile(`${file}.tmp`, JSON.stringify(withoutJsr(working), null, 2) + "\n");
  await Deno.rename(`${file}.tmp`, file);
}
