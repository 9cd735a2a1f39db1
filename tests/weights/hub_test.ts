import { assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { createHash } from "node:crypto";
import { paths } from "@lib/config/mod.ts";
import { tf } from "@lib/tensor/mod.ts";
import { loadCheckpoint, resolveModel, saveCheckpoint } from "@lib/weights/mod.ts";
import { inTempDir, randomParams, TINY, valuesOf } from "./make.ts";

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

Deno.test("a hub model is downloaded once, with its card, and then loads", () =>
  inTempDir(async (dir) => {
    const params = randomParams(TINY, 5), source = join(dir, "source"), modelsDir = join(dir, "models");
    await saveCheckpoint(source, params, TINY);
    await Deno.writeTextFile(join(source, "README.md"), "---\ndemonstration: true\nnotice: a toy\n---\n");
    let requests = 0;
    const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
      requests++;
      const { pathname } = new URL(request.url);
      if (pathname === "/api/models/some-owner/tiny/revision/v1.0") {
        return Response.json({
          _id: "1",
          id: "some-owner/tiny",
          sha: "0".repeat(40),
          private: false,
          gated: false,
        });
      }
      if (pathname.includes("/tree/")) {
        return Response.json([...Deno.readDirSync(source)].map((e) => treeEntry(source, e.name)));
      }
      return new Response(Deno.readFileSync(join(source, pathname.split("/").at(-1)!)));
    });
    const before = Deno.env.get("HF_ENDPOINT");
    Deno.env.set("HF_ENDPOINT", `http://127.0.0.1:${server.addr.port}`);
    try {
      const found = await resolveModel("some-owner/tiny@v1.0", { modelsDir });
      assertEquals(found, join(modelsDir, "some-owner--tiny@v1.0"));
      const names = [...Deno.readDirSync(found)].map((e) => e.name).sort();
      assertEquals(names, [
        "README.md",
        "config.json",
        "lab_download.json",
        "model.safetensors",
        "preprocessor_config.json",
      ]);
      const { params: back, card } = await loadCheckpoint(found);
      assertEquals(card, { demonstration: true, notice: "a toy" });
      assertEquals(valuesOf(back), valuesOf(params));
      const count = requests;
      assertEquals([await resolveModel("some-owner/tiny@v1.0", { modelsDir }), requests], [found, count]);
      tf.dispose([params, back]);
    } finally {
      if (before === undefined) Deno.env.delete("HF_ENDPOINT");
      else Deno.env.set("HF_ENDPOINT", before);
      await server.shutdown();
    }
  }));

/** A file as the hub's API lists it, with its git blob id. */
function treeEntry(dir: string, path: string): Record<string, unknown> {
  const bytes = Deno.readFileSync(join(dir, path));
  const oid = createHash("sha1").update(`blob ${bytes.length}\0`).update(bytes).digest("hex");
  return { type: "file", path, size: bytes.length, oid };
}
