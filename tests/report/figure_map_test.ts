/** What counts as a result of an item of the paper. */
import { assertEquals } from "@std/assert";
import { join } from "@std/path";
import type { StageInput } from "../../lib/artifacts/mod.ts";
import { sha256 } from "../../lib/config/mod.ts";
import { hasFile } from "../../lib/report/figure_map.ts";

Deno.test("a result is a file that its run wrote and that nothing has changed since", async () => {
  const dir = await Deno.makeTempDir();
  const outputs = { "table1.md": { sha256: sha256("| a |\n"), bytes: 6 } };
  const input = { manifest: { outputs }, file: (name: string) => join(dir, name) } as unknown as StageInput;
  const found = (file: string, stage = "06_evaluation") =>
    hasFile({ item: "Table 1", what: "", stage, file }, { "06_evaluation": input });
  try {
    assertEquals(await found("table1.md"), false); // listed, but gone
    await Deno.writeTextFile(join(dir, "table1.md"), "| b |\n");
    assertEquals(await found("table1.md"), false);
    await Deno.writeTextFile(join(dir, "table1.md"), "| a |\n");
    assertEquals(await found("table1.md"), true);
    assertEquals([await found("table9.md"), await found("table1.md", "07_saliency")], [false, false]);
    assertEquals(await found("manifest.json"), true);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});
