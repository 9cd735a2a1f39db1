import { assertEquals } from "@std/assert";
import { mayMount } from "./small_disk.ts";

Deno.test({
  name:
    "a disk that is full or read-only is one sentence, and nothing is left of the file [needs root, unshare]",
  ignore: !await mayMount(),
  fn: async () => {
    const module = new URL("../../lib/artifacts/mod.ts", import.meta.url).href;
    const script = `const { writeArrow } = await import(${JSON.stringify(module)});
const rows = Array.from({ length: 20_000 }, (_, i) => ({ i, text: "row " + i }));
await writeArrow("/mnt/t.arrow", rows).catch((error) => console.log(error.message));
console.log([...Deno.readDirSync("/mnt")].length);`;
    const shell = `mount -t tmpfs -o size=64k,"$1" tmpfs /mnt && exec "$2" eval "$3"`;
    for (
      const [options, cause] of [["rw", "the disk is full: make room"], [
        "ro",
        "the disk is read-only: use another folder, or mount it for writing",
      ]]
    ) {
      const { stdout } = await new Deno.Command("unshare", {
        args: ["-m", "sh", "-c", shell, "sh", options, Deno.execPath(), script],
      }).output();
      assertEquals(
        new TextDecoder().decode(stdout),
        `/mnt/t.arrow cannot be written: ${cause} and run again.\n0\n`,
      );
    }
  },
});
