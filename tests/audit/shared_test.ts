import { assert, assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { findCopies, overlapAudit, splitErrors } from "../../lib/audit/mod.ts";
import { inspectImages, loadVqaRad, splitByGroup } from "../../lib/corpus/mod.ts";
import { drawPhantom } from "../../lib/phantom/mod.ts";
import sharp from "sharp";
import { rad } from "../corpus/layouts.ts";
import { record } from "../corpus/record.ts";

const kinds = (found: ReturnType<typeof overlapAudit>) =>
  found.map(({ kind, a, b, shared }) => [kind, a.replace("vqa_rad/", ""), b.replace("vqa_rad/", ""), shared]);
const test = { split: "test" } as const;

Deno.test("each way to share is found and told apart", () => {
  const records = [
    record(1, 1),
    record(2, 1, test),
    record(3, 3, { imageSha256: "s" }),
    record(4, 4, { imageSha256: "s", ...test }),
    record(5, 5, { imageSha256: "t" }),
    record(6, 6, { imageSha256: "u", ...test }),
    record(7, 7, { caseId: "c" }),
    record(8, 8, { caseId: "c", ...test }),
    record(9, 9, { ...test, dataset: "slake" }),
    record(10, 10),
    record(11, 11),
  ];
  const near = [[3, 4], [5, 6], [5, 9], [6, 9], [10, 11]].map(([a, b]) => ({
    a: `vqa_rad/${a}`,
    b: `vqa_rad/${b}`,
  }));
  assertEquals(kinds(overlapAudit(records, near)), [
    ["image", "test", "train", 1],
    ["bytes", "test", "train", 1],
    ["look", "slake/test", "test", 1],
    ["look", "slake/test", "train", 1],
    ["look", "test", "train", 1],
    ["look", "train", "train", 1],
    ["case", "test", "train", 1],
  ]);
  assertEquals(kinds(splitErrors(overlapAudit(records, near))).map(([kind]) => kind), ["image", "case"]);
});

Deno.test("images are counted once, however many rows are about them", () => {
  const records = Array.from({ length: 40 }, (_, n) => record(n, n % 4, n % 8 < 4 ? {} : test));
  assertEquals(kinds(overlapAudit(records)), [["image", "test", "train", 4]]);
});

/** Rows in VQA-RAD's layout about pictures of phantoms; `rows` gives image number and phrase type of each. */
async function vqaRadFolder(
  rows: [image: number, phrase: string][],
  copyOf?: [number, number],
): Promise<string> {
  const dir = await Deno.makeTempDir(), images = join(dir, "VQA_RAD Image Folder");
  await Deno.mkdir(images);
  for (const image of new Set(rows.map(([image]) => image))) {
    const isCopy = image === copyOf?.[0];
    const { pixels } = drawPhantom(isCopy ? copyOf![1] : image, "shifted"), side = Math.sqrt(pixels.length);
    const grey = sharp(new Uint8Array(pixels), { raw: { width: side, height: side, channels: 1 } });
    const file = join(images, `synpic${image}.jpg`);
    await grey.jpeg({ quality: isCopy ? 85 : 95 }).toFile(
      file,
    );
  }
  const table = rows.map(([image, phrase_type], qid) =>
    rad(qid, {
      phrase_type,
      qid_linked_id: `${qid}`,
      image_case_url: `https://case/${image}`,
      image_name: `synpic${image}.jpg`,
    })
  );
  await Deno.writeTextFile(join(dir, "VQA_RAD Dataset Public.json"), JSON.stringify(table));
  return dir;
}

Deno.test("a split of VQA-RAD's layout by question is an error, with count and examples; one by image is not", async () => {
  const rows = Array.from(
    { length: 30 },
    (_, n): [number, string] => [n % 6, n < 20 ? "freeform" : "test_freeform"],
  );
  const { records } = await loadVqaRad(await vqaRadFolder(rows));
  const errors = splitErrors(overlapAudit(records));
  assertEquals(errors.map(({ kind, a, b, shared }) => [kind, a, b, shared]), [
    ["image", "vqa_rad/test", "vqa_rad/train", 6],
    ["case", "vqa_rad/test", "vqa_rad/train", 6],
  ]);
  assert(errors[0].examples.includes("vqa_rad/synpic0"));
  const again = splitByGroup(records, { train: 4, validation: 1, test: 1 }, 1);
  assertEquals(splitErrors(overlapAudit(again)), []);
});

Deno.test("a JPEG of a training picture under another name and case is found by its look alone", async () => {
  const rows: [number, string][] = [[1, "freeform"], [2, "freeform"], [3, "test_para"], [4, "test_para"]];
  const corpus = await inspectImages(await loadVqaRad(await vqaRadFolder(rows, [4, 2])));
  assertEquals(overlapAudit(corpus.records), []); // not by id, bytes or case
  const pairs = await findCopies(new Map([...corpus.facts].map(([id, facts]) => [id, facts.fingerprint])));
  assertEquals(pairs.map(({ a, b }) => [a, b]), [["vqa_rad/synpic2", "vqa_rad/synpic4"]]);
  const [overlap] = overlapAudit(corpus.records, pairs);
  assertEquals([overlap.kind, overlap.shared, overlap.examples], ["look", 1, [
    "vqa_rad/synpic2 and vqa_rad/synpic4",
  ]]);
  assertEquals(splitErrors([overlap]), [], "a finding, not an error");
  const split = splitByGroup(
    corpus.records,
    { train: 2, validation: 0, test: 2 },
    1,
    pairs.map(({ a, b }) => [a, b]),
  );
  assertEquals(overlapAudit(split, pairs).filter(({ a, b }) => a !== b), []);
});

Deno.test("an image that cannot be decoded takes its rows out of the corpus, counted, with its file", async () => {
  const dir = await vqaRadFolder([[1, "freeform"], [2, "freeform"], [2, "para"]]);
  const path = join(dir, "VQA_RAD Image Folder", "synpic2.jpg");
  await Deno.truncate(path, 300);
  const { records, dropped, facts } = await inspectImages(await loadVqaRad(dir));
  assertEquals(records.map((r) => r.imageId), ["vqa_rad/synpic1"]);
  assert(/^[0-9a-f]{64}$/.test(records[0].imageSha256!));
  assertEquals([...facts.keys()], ["vqa_rad/synpic1"]);
  assertEquals(dropped.map(({ reason }) => reason), ["image cannot be decoded", "image cannot be decoded"]);
  assert(dropped[0].where.includes(path), dropped[0].where);
});

Deno.test("reading images that is stopped rejects with the reason: an image that was not read is not a damaged one", async () => {
  const rows = Array.from({ length: 6 }, (_, image): [number, string] => [image, "freeform"]);
  const corpus = await loadVqaRad(await vqaRadFolder(rows));
  const stop = new AbortController(), reason = new Error("Stop was pressed");
  const reading = inspectImages(corpus, () => stop.abort(reason), { signal: stop.signal });
  assertEquals(await assertRejects(() => reading), reason);
});
