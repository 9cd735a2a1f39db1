/**
 * Writes the metadata files of the stand-in registry; run it after a change of a module here, without the stand-in:
 * `JSR_URL= deno run --no-config -A tests/jsr_stand_in/seal.ts`
 */
import { createHash } from "node:crypto";
import deno from "../../deno.json" with { type: "json" };

const root = new URL("./@std/", import.meta.url);
for await (const { name } of Deno.readDir(root)) {
  const version = (deno.imports as Record<string, string>)[`@std/${name}`].split("@").at(-1)!;
  const bytes = await Deno.readFile(new URL(`${name}/${version}/mod.ts`, root));
  const checksum = `sha256-${createHash("sha256").update(bytes).digest("hex")}`;
  const write = (file: string, value: unknown) =>
    Deno.writeTextFile(new URL(`${name}/${file}`, root), JSON.stringify(value, null, 2) + "\n");
  await write("meta.json", { scope: "std", name, latest: version, versions: { [version]: {} } });
  await write(`${version}_meta.json`, {
    exports: { ".": "./mod.ts" },
    manifest: { "/mod.ts": { size: bytes.length, checksum } },
  });
}
