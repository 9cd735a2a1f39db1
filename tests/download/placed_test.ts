import { assertEquals } from "@std/assert";
import { join } from "@std/path";
import { checkFolder, verifyDataset } from "../../lib/download/mod.ts";
import { manifestAt } from "./dataset_fixture.ts";
import { withFolder } from "./server.ts";

const manifest = manifestAt("http://127.0.0.1:1", {
  files: [],
  byHand: ["Fetch it."],
  holds: [{ any: ["rows.csv"] }, { any: ["images"], files: 2 }],
});

Deno.test("files put there by hand: ready when none is empty, hashed at the first --verify, compared at the next", async () => {
  await withFolder(async (dir) => {
    await Deno.mkdir(join(dir, "images"));
    for (const name of ["rows.csv", "images/0.png", "images/1.png", "images/._1.png"]) {
      await Deno.writeTextFile(join(dir, name), name);
    }
    assertEquals((await checkFolder(manifest, dir)).state, "ready");
    assertEquals(await verifyDataset(dir), { recorded: 3, same: 0, changed: [], missing: [] });
    assertEquals(await verifyDataset(dir), { recorded: 0, same: 3, changed: [], missing: [] });
    await Deno.writeTextFile(join(dir, "images/0.png"), "");
    assertEquals((await checkFolder(manifest, dir)).missing, ["images with 2 files (it has 1)"]);
    await Deno.writeTextFile(join(dir, "rows.csv"), "");
    await Deno.remove(join(dir, "images/1.png"));
    await Deno.writeTextFile(join(dir, "images/2.png"), "");
    assertEquals((await checkFolder(manifest, dir)).missing[0], "rows.csv (it is empty)");
    const found = await verifyDataset(dir);
    assertEquals({ ...found, changed: found.changed.sort() }, {
      recorded: 0,
      same: 0,
      changed: ["images/0.png", "images/2.png (empty)", "rows.csv"],
      missing: ["images/1.png"],
    });
  });
});

Deno.test("a single file put there by hand is hashed and compared as well", async () => {
  await withFolder(async (dir) => {
    await Deno.writeTextFile(join(dir, "rows.csv"), "rows");
    assertEquals(await verifyDataset(dir), { recorded: 1, same: 0, changed: [], missing: [] });
    await Deno.writeTextFile(join(dir, "rows.csv"), "other rows");
    assertEquals(await verifyDataset(dir), { recorded: 0, same: 0, changed: ["rows.csv"], missing: [] });
  });
});
