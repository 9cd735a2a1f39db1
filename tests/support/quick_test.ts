import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { exists } from "@std/fs";
import { join } from "@std/path";
import { usage } from "@lib/cli/test.ts";
import { paths } from "@lib/config/mod.ts";
import { isQuick, LEFT_OUT } from "./quick.ts";
import { testFilesIn } from "./run_deno.ts";
import { stepsOf } from "./test_run.ts";

const places = LEFT_OUT.filter((name) => name.startsWith("tests/"));

Deno.test("what the quick test leaves out is there, is named once, and the help names it", async () => {
  for (const place of places) assert(await exists(join(paths.root, place)), place);
  assertEquals(new Set(places).size, places.length);
  const help = usage.replace(/\s+/g, " ");
  for (const name of LEFT_OUT) assertStringIncludes(help, name);
});

Deno.test("every other test file is quick, a new one too; one that is left out is in a place that is named", async () => {
  const files = await testFilesIn(""), quick = files.filter(isQuick);
  const named = (file: string) => places.some((place) => place === file || file.startsWith(`${place}/`));
  assertEquals(files.filter((file) => !named(file)), quick);
  assert(quick.length > files.length / 4, `${quick.length} of ${files.length} test files are quick`);
  assertEquals(
    places.filter((place) => !files.some((file) => file === place || file.startsWith(`${place}/`))),
    [],
  );
  assert(isQuick("tests/stats/new_test.ts") && isQuick("tests/modelled/new_test.ts"));
  assert(!isQuick("tests/model/new_test.ts"));
});

Deno.test("the quick test begins as the whole one does", () => {
  const [whole, quick] = [false, true].map((quick) => stepsOf(quick).map(([name]) => name));
  assertEquals(quick, ["format", "lint", "types, notebook cells", "examples of lib", "quick tests"]);
  assertEquals(whole.slice(0, 4), quick.slice(0, 4));
  assertEquals(whole.slice(4), ["tests, TensorFlow.js specs", "as on other processors", "notebooks"]);
});
