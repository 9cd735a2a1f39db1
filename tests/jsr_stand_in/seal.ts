/** Writes the metadata files of the stand-in registry: run after a change of a module here. */
import { dirname, fromFileUrl, join } from "@std/path";
import { sha256 } from "../../lib/config/mod.ts";

const root = join(dirname(fromFileUrl(import.meta.url)), "@std"), version = "1.0.0";
for await (const { name } of Deno.readDir(root)) {
  const bytes = await Deno.readFile(join(root, name, version, "mod.ts"));
  const manifest = { "/mod.ts": { size: bytes.length, checksum: `sha256-${sha256(bytes)}` } };
  const write = (file: string, value: unknown) =>
    Deno.writeTextFile(join(root, name, file), JSON.stringify(value, null, 1) + "\n");
  await write("meta.json", { scope: "std", name, latest: version, versions: { [version]: {} } });
  await write(`${version}_meta.json`, { exports: { ".": "./mod.ts" }, manifest });
}
