import { assert, assertEquals } from "@std/assert";
import { lookalikesOf, picturesOf, representatives } from "../../lib/audit/mod.ts";
import type { CorpusRecord } from "../../lib/corpus/mod.ts";

const record = (imageId: string, imageSha256: string | null, split = "train") => {
  const dataset = imageId.split("/")[0];
  return { imageId, imageSha256, dataset, split } as CorpusRecord;
};

Deno.test("images with the same bytes or found to look the same are one picture", () => {
  const records = [
    record("roco_v2/1", "a"),
    record("roco_v2/2", "b"),
    record("roco_v2/3", "a"),
    record("roco_v2/4", null),
    record("roco_v2/5", null),
    record("roco_v2/2", "b"),
  ];
  const near = lookalikesOf([{ a: "roco_v2/1", b: "roco_v2/4" }, { a: "elsewhere/1", b: "roco_v2/2" }]);
  assertEquals(Object.fromEntries(picturesOf(records, near)), {
    "roco_v2/1": "roco_v2/1",
    "roco_v2/2": "roco_v2/2",
    "roco_v2/3": "roco_v2/1",
    "roco_v2/4": "roco_v2/1",
    "roco_v2/5": "roco_v2/5",
  });
});

Deno.test("one image stands for a picture within a data set and split; other sets keep theirs", () => {
  const records = [
    record("roco_v2/1", "a"),
    record("roco_v2/2", "a"),
    record("roco_v2/3", "a", "test"),
    record("medpix2/1", "a"),
  ];
  assertEquals(Object.fromEntries(representatives(records, picturesOf(records))), {
    "roco_v2/1": "roco_v2/1",
    "roco_v2/2": "roco_v2/1",
    "roco_v2/3": "roco_v2/3",
    "medpix2/1": "medpix2/1",
  });
});

Deno.test("neighbours of neighbours are not one picture: each has the name of one that it was compared with", () => {
  const slices = Array.from({ length: 10 }, (_, k) => `medpix2/${k}`);
  const next = lookalikesOf(slices.slice(1).map((b, k) => ({ a: slices[k], b })));
  const pictures = picturesOf(slices.map((id) => record(id, null)), next);
  for (const [id, name] of pictures) {
    assert(id === name || next.get(id)!.includes(name), `${id} is called ${name}`);
  }
  assertEquals(new Set(pictures.values()).size, 5);
});
