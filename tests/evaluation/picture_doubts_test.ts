import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { pictureDoubts, type TestItems } from "../../lib/evaluation/mod.ts";
import { encodePng } from "../../lib/image/mod.ts";

Deno.test("doubtful pictures are counted once each, by test set, and named; Stop ends the look", async () => {
  const dir = await Deno.makeTempDir();
  try {
    const written = async (name: string, side: number, level: (i: number) => number) => {
      const imagePath = join(dir, `${name}.png`);
      const data = Uint8Array.from({ length: 3 * side * side }, (_, i) => level(Math.floor(i / 3)));
      await Deno.writeFile(imagePath, await encodePng({ width: side, height: side, data }));
      return { imageId: name, imagePath } as TestItems["short"][number];
    };
    const usual = await written("usual", 64, (i) => i % 256);
    const tiny = await written("tiny", 8, (i) => i % 64 * 4);
    const blank = await written("blank", 64, () => 90);
    const none = { short: [], open: [] };
    const items = {
      slake: { short: [usual, tiny, tiny], open: [blank, tiny] },
      pmc_vqa: none,
      medpix2: none,
    };
    const rows = await pictureDoubts({ ...items, roco_v2: { short: [usual], open: [] } });
    const [slake, pmc, roco] = ["slake", "pmc_vqa", "roco_v2"].map((name) =>
      rows.find(({ dataset }) => dataset === name)!
    );
    assertEquals([slake.dataset, slake.images, slake.doubtful], ["slake", 3, 2]);
    assertStringIncludes(slake.examples, "tiny: it is tiny (8x8 pixels); blank: it is nearly blank");
    assertEquals(pmc, { dataset: "pmc_vqa", images: 0, doubtful: 0, examples: "" });
    assertEquals([roco.images, roco.doubtful], [1, 0]);
    await assertRejects(() =>
      pictureDoubts({ ...items, roco_v2: none }, AbortSignal.abort(new Error("stop")))
    );
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});
