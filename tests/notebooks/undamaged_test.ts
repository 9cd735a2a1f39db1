/** The control: what is only copied is not noticed, so it is the damage that the other tests see. */
import { Buffer } from "node:buffer";
import { assertEquals } from "@std/assert";
import { walk } from "@std/fs";
import { relative } from "@std/path";
import { data, results, undamagedTest } from "./damage.ts";

for (const notebook of ["03", "08"]) undamagedTest(notebook);

Deno.test({
  name:
    "no table, page or manifest of a course names its data folder: it may be moved together with its data",
  ignore: !results || !data,
  fn: async () => {
    const folder = `${data}/`, naming: string[] = [];
    for await (
      const { path } of walk(`${results}/tiny`, { includeDirs: false, exts: [".arrow", ".json", ".html"] })
    ) {
      if (Buffer.from(await Deno.readFile(path)).includes(folder)) naming.push(relative(results!, path));
    }
    assertEquals(naming, []);
  },
});
