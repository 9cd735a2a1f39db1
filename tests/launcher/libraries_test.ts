import { assert, assertEquals } from "@std/assert";
import { walk } from "@std/fs";
import { basename, join } from "@std/path";
import { paths } from "../../lib/config/mod.ts";
import { neededLibraries } from "./elf.ts";

/** What every Linux with glibc and Python has (Debian's minbase and python3). */
const SYSTEM = new Set(
  ("ld-linux-x86-64.so.2 libc.so.6 libm.so.6 libdl.so.2 libpthread.so.0 librt.so.1 libutil.so.1 libresolv.so.2 " +
    "libgcc_s.so.1 libstdc++.so.6 libz.so.1").split(" "),
);

Deno.test("no library is needed that neither set-up brings nor a minimal Debian has", async () => {
  const brought = new Set<string>(), asks = new Map<string, string>();
  for (const tree of [join(paths.venv, "lib"), join(paths.root, "node_modules")]) {
    for await (const { path, isFile } of walk(tree, { includeDirs: false })) {
      if (!/\.(so|node)(\.|$)/.test(basename(path))) continue;
      brought.add(basename(path));
      // For musl's systems, or an addon that is never loaded (its JavaScript side alone is used).
      if (!isFile || /musl|tfjs-node-gpu/.test(path)) continue;
      for (const name of await neededLibraries(path)) asks.set(name, path);
    }
  }
  assert(asks.has("libc.so.6"), "no library was read");
  const missing = [...asks].filter(([name]) => !SYSTEM.has(name) && !brought.has(name));
  assertEquals(missing, [], "bring it from a wheel, as libgomp.so.1, or take another package");
});

Deno.test("the language model's server finds libgomp.so.1 in set-up's own folder", async () => {
  const file = join(paths.venv, "lib/gomp/libgomp.so.1");
  assert((await neededLibraries(file)).includes("libc.so.6"));
});
