import { assertEquals } from "@std/assert";
import { join } from "@std/path";
import { unformattedNotebooks } from "./notebook_format.ts";

Deno.test("a notebook whose cells deno fmt would change is named, a formatted one is not", async () => {
  const folder = await Deno.makeTempDir({ prefix: "format-" });
  const write = async (name: string, code: string) => {
    const cell = {
      cell_type: "code",
      execution_count: null,
      id: "a",
      metadata: {},
      outputs: [],
      source: [code],
    };
    const path = join(folder, name),
      notebook = {
        cells: [cell],
        metadata: { language_info: { name: "typescript" } },
        nbformat: 4,
        nbformat_minor: 5,
      };
    await Deno.writeTextFile(path, JSON.stringify(notebook, null, 1) + "\n");
    return path;
  };
  try {
    const [good, bad] = [await write("good.ipynb", "const x = 1;"), await write("bad.ipynb", "const x   =1")];
    await new Deno.Command(Deno.execPath(), { args: ["fmt", "--quiet", "--no-config", good] }).output();
    assertEquals(await unformattedNotebooks([good, bad]), [bad]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
