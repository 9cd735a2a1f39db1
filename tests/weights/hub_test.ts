import { assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { paths } from "@lib/config/mod.ts";
import { resolveModel } from "@lib/weights/mod.ts";
import { inTempDir } from "./make.ts";

Deno.test("a local folder is taken as it is, absolute or from the repository", () =>
  inTempDir(async (dir) => {
    assertEquals(await resolveModel(dir), dir);
    assertEquals(await resolveModel("lib/weights"), join(paths.root, "lib/weights"));
  }));

Deno.test("a misspelt local folder is an error, and not looked for on the hub", async () => {
  for (const name of ["lib/wieghts", "./nowhere", "/no/such/folder", "nano", "a/b/c", ""]) {
    await assertRejects(() => resolveModel(name), Error, name ? `found "${name}"` : "found an empty name");
  }
});

Deno.test("a hub model that is there already is used without a network", () =>
  inTempDir(async (modelsDir) => {
    for (
      const [name, folder] of [["some-owner/some.model", "main"], [
        "some-owner/some.model@refs/pr/1",
        "refs--pr--1",
      ]]
    ) {
      const dir = join(modelsDir, `some-owner--some.model@${folder}`);
      await Deno.mkdir(dir);
      await Deno.writeTextFile(join(dir, "lab_download.json"), "{}");
      assertEquals(await resolveModel(name, { modelsDir }), dir);
    }
  }));
