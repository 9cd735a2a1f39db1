import { assertEquals } from "@std/assert";
import { picturesOf, standIns, withoutShared } from "../../lib/annealing/mod.ts";
import type { CorpusRecord } from "../../lib/corpus/mod.ts";
import { pair } from "./pair.ts";

const record = (imageId: string, imageSha256: string | null, split = "train") => {
  const dataset = imageId.split("/")[0];
  return { imageId, imageSha256, dataset, split } as CorpusRecord;
};

Deno.test("images with the same bytes or found near-identical are one picture, also through others", () => {
  const records = [
    record("roco_v2/1", "a"),
    record("roco_v2/2", "b"),
    record("roco_v2/3", "a"),
    record("roco_v2/4", null),
    record("roco_v2/5", null),
    record("roco_v2/2", "b"),
  ];
  const near = [["roco_v2/4", "roco_v2/3"], ["elsewhere/1", "roco_v2/2"]];
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
  assertEquals(Object.fromEntries(standIns(records, picturesOf(records))), {
    "roco_v2/1": "roco_v2/1",
    "roco_v2/2": "roco_v2/1",
    "roco_v2/3": "roco_v2/3",
    "medpix2/1": "medpix2/1",
  });
});

Deno.test("a mixture takes a picture that both sets have from the enrichment set", () => {
  const records = [record("roco_v2/1", "a"), record("roco_v2/2", "b"), record("medpix2/1", "c")];
  const pictures = picturesOf(records, [["roco_v2/2", "medpix2/1"]]);
  const base = [pair("roco_v2", 1), pair("roco_v2", 2), pair("roco_v2", 9)];
  assertEquals(withoutShared(base, [pair("medpix2", 1)], pictures).map((p) => p.imageId), [
    "roco_v2/1",
    "roco_v2/9",
  ]);
});
