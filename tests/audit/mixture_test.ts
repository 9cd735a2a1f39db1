import { assertEquals } from "@std/assert";
import { join } from "@std/path";
import sharp from "sharp";
import { auditSets, curate } from "../../lib/annealing/mod.ts";
import { findCopies, findLeaks, lookalikesOf, picturesOf } from "../../lib/audit/mod.ts";
import { rng } from "../../lib/config/mod.ts";
import { type Corpus, type CorpusRecord, inspectImages } from "../../lib/corpus/mod.ts";
import { pair } from "../annealing/pair.ts";

const SIDE = 240;

/** A grey picture of 40 waves in random directions: no two seeds look alike. */
function picture(seed: number) {
  const random = rng(`waves/${seed}`);
  const waves = Array.from({ length: 40 }, () => [random() * 0.3, random() * 0.3, random() * 7]);
  const grey = Uint8Array.from({ length: SIDE * SIDE }, (_, i) => {
    const x = i % SIDE, y = Math.floor(i / SIDE);
    return 128 + waves.reduce((sum, [u, v, phase]) => sum + Math.cos(u * x + v * y + phase), 0) * 8;
  });
  return sharp(grey, { raw: { width: SIDE, height: SIDE, channels: 1 } });
}

const dir = await Deno.makeTempDir();
const plan = {
  "roco_v2/1": ["train", await picture(1).png().toBuffer()],
  "roco_v2/2": ["train", await picture(2).png().toBuffer()],
  "roco_v2/3": ["train", await picture(2).resize(170).jpeg({ quality: 60 }).toBuffer()],
  "medpix2/4": ["test", await picture(1).jpeg({ quality: 50 }).toBuffer()],
  "medpix2/5": ["test", await picture(5).png().toBuffer()],
} as const;
const records = await Promise.all(
  Object.entries(plan).map(async ([imageId, [split, bytes]]) => {
    const imagePath = join(dir, `${imageId.replace("/", "-")}.img`), dataset = imageId.split("/")[0];
    await Deno.writeFile(imagePath, bytes);
    return {
      id: imageId,
      imageId,
      imagePath,
      dataset,
      split,
      region: "Eye",
      imageSha256: null,
    } as CorpusRecord;
  }),
);
const seen: number[] = [];
const { records: hashed, facts } = await inspectImages(
  { records, dropped: [] as Corpus["dropped"], repaired: [] as Corpus["repaired"] } as Corpus,
  (done) => void seen.push(done),
);
const prints = new Map([...facts].map(([id, { fingerprint }]) => [id, fingerprint]));
const near = await findCopies(prints);
await Deno.remove(dir, { recursive: true });
const lookalikes = lookalikesOf(near), pictures = picturesOf(hashed, lookalikes);
const pairs = Object.entries(plan).map(([imageId, [split]]) =>
  pair(imageId.split("/")[0], Number(imageId.split("/")[1]), { split })
);

Deno.test("re-encoded and resized copies are found, different pictures are not", () => {
  assertEquals(near.map(({ a, b }) => [a, b]), [["roco_v2/2", "roco_v2/3"], ["roco_v2/1", "medpix2/4"]]);
  assertEquals(seen, [1, 2, 3, 4, 5]);
});

Deno.test("of two near-identical training images one stays; the evaluation set keeps its copy", () => {
  const { pairs: kept, dropped } = curate(pairs, hashed, { minImages: 1, pictures });
  assertEquals(kept.map((p) => p.imageId), ["roco_v2/1", "roco_v2/2", "medpix2/4", "medpix2/5"]);
  assertEquals(dropped.map((d) => [d.id, d.step]), [["roco_v2/3/q", "each picture once"]]);
});

Deno.test("a re-encoded evaluation image in training is found, though id, bytes and text differ", () => {
  const { training, evaluation } = auditSets(pairs, hashed);
  assertEquals(findLeaks(training, evaluation, lookalikes), [
    { set: "medpix2/test", kind: "look", matches: [["roco_v2/1/q", "medpix2/4/q"]] },
  ]);
  assertEquals(findLeaks(training, evaluation), []);
});
