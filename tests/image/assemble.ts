/** Writes lib/image/resize.wasm from resize.wat: ./lab deno run -A tests/image/assemble.ts */
import wabt from "wabt";

const room = new URL("../../lib/image/", import.meta.url);

/** resize.wat as a WebAssembly module's bytes. @throws Error that names the line of a mistake */
export async function assemble(): Promise<Uint8Array> {
  const { parseWat } = await wabt();
  const parsed = parseWat("resize.wat", await Deno.readTextFile(new URL("resize.wat", room)));
  parsed.validate();
  const { buffer } = parsed.toBinary({});
  parsed.destroy();
  return buffer;
}

if (import.meta.main) await Deno.writeFile(new URL("resize.wasm", room), await assemble());
