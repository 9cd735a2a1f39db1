import { assert, assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import sharp from "sharp";
import {
  type PhantomCounts,
  phantomOf,
  readGroundTruth,
  writePhantomCorpora,
} from "../../lib/phantom/mod.ts";

const counts: PhantomCounts = {
  slake: { train: 12, validation: 3, test: 4 },
  pmc_vqa: { train: 4, validation: 0, test: 4 },
  roco_v2: { train: 5, validation: 2, test: 3 },
  medpix2: { train: 4, validation: 1, test: 2 },
};
const parent = await Deno.makeTempDir();
const dir = join(parent, "phantoms");
const first = await writePhantomCorpora(dir, { seed: 1, counts });
const truth = await readGroundTruth(dir);

async function listing(root: string): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for await (const entry of Deno.readDir(root)) {
    const path = join(root, entry.name);
    if (entry.isDirectory) Object.assign(found, await listing(path));
    else found[path.slice(dir.length)] = (await Deno.readFile(path)).join();
  }
  return found;
}

Deno.test("every image of the ground truth is there and is the phantom of its seed", async () => {
  assert(truth.length > 40);
  assertEquals(first.images.slake, counts.slake);
  for (const row of truth) {
    const phantom = phantomOf(row);
    const { data, info } = await sharp(join(dir, row.imageFile)).raw().toBuffer({ resolveWithObject: true });
    assertEquals([info.width, info.height, info.channels], [112, 112, 3]);
    const error = phantom.pixels.reduce((sum, v, i) => sum + Math.abs(v - data[3 * i]), 0) /
      phantom.pixels.length;
    assert(error < 2.5, `${row.imageFile}: mean error ${error}`);
    assertEquals([row.lesion, row.side, row.organ], [phantom.lesion, phantom.side, phantom.organ]);
    assertEquals(row.maskFile === null, row.lesion === null);
    if (row.maskFile) {
      const mask = await sharp(join(dir, row.maskFile)).extractChannel(0).raw().toBuffer();
      assertEquals([...mask].map((v) => v / 255), [...phantom.mask]);
    }
  }
});

Deno.test("no seed occurs twice, and splits use their own ranges", () => {
  assertEquals(new Set(truth.map((row) => row.seed)).size, truth.length);
  for (const row of truth) {
    assertEquals(Math.floor(row.seed / 1e6), { train: 5, validation: 6, test: 7 }[row.split]);
  }
});

Deno.test("writing again does nothing, and a fresh folder gets the same bytes", async () => {
  const before = await Deno.stat(join(dir, "ground_truth.jsonl"));
  const again = await writePhantomCorpora(dir, { seed: 1, counts });
  assertEquals([again.written, again.hash], [false, first.hash]);
  assertEquals((await Deno.stat(join(dir, "ground_truth.jsonl"))).mtime, before.mtime);
  const old = await listing(dir);
  await Deno.remove(dir, { recursive: true });
  await writePhantomCorpora(dir, { seed: 1, counts });
  assertEquals(await listing(dir), old);
});

Deno.test("other counts replace the corpora, and nothing half-written stays beside them", async () => {
  const target = join(parent, "replaced");
  const few = { ...counts, roco_v2: { train: 1, validation: 1, test: 1 } };
  await writePhantomCorpora(target, { counts });
  await writePhantomCorpora(target, { counts: few });
  assertEquals((await readGroundTruth(target)).filter((row) => row.dataset === "roco_v2").length, 3);
  const names = [];
  for await (const entry of Deno.readDir(parent)) names.push(entry.name);
  assert(!names.some((name) => name.endsWith(".tmp")));
});

Deno.test("a folder with something else in it is refused and left alone", async () => {
  const target = await Deno.makeTempDir();
  await Deno.writeTextFile(join(target, "thesis.txt"), "mine");
  await assertRejects(() => writePhantomCorpora(target, { counts }), Error, "holds something else");
  assertEquals(await Deno.readTextFile(join(target, "thesis.txt")), "mine");
  const many = { ...counts, slake: { train: 1e6, validation: 0, test: 0 } };
  await assertRejects(() => writePhantomCorpora(join(target, "x"), { counts: many }), Error, "slake train");
});
