/** What training is compared with, and what a mixture takes once of what both of its sets show. */
import { assertEquals, assertThrows } from "@std/assert";
import { auditSets, withoutShared } from "@lib/annealing/mod.ts";
import { findLeaks, lookalikesOf, picturesOf } from "@lib/audit/mod.ts";
import type { CorpusRecord } from "@lib/corpus/mod.ts";
import { pair } from "./pair.ts";

const record = (dataset: string, n: number, fields: Partial<CorpusRecord> = {}) =>
  ({
    id: `${dataset}/test/${n}`,
    imageId: `${dataset}/${n}`,
    caseId: null,
    imageSha256: `bytes of ${dataset} ${n}`,
    question: null,
    answer: null,
    caption: `caption ${n}`,
    ...fields,
  }) as CorpusRecord;

Deno.test("training is compared with every held-out split and with evaluation sets by name", () => {
  const records = [record("roco_v2", 1), record("roco_v2", 2), record("medpix2", 3), record("vqa_rad", 4)];
  const pairs = [
    pair("roco_v2", 1),
    pair("roco_v2", 2, { split: "test" }),
    pair("medpix2", 3, { split: "validation", caseId: "c" }),
  ];
  const { training, evaluation } = auditSets(pairs, records, { radiographs: ["vqa_rad/test/4"] });
  assertEquals(training.map((t) => [t.id, t.imageSha256]), [["roco_v2/1/q", "bytes of roco_v2 1"]]);
  assertEquals(Object.keys(evaluation), ["roco_v2/test", "medpix2/validation", "radiographs"]);
  assertEquals(evaluation.radiographs.map((e) => [e.id, e.answer]), [["vqa_rad/test/4", "caption 4"]]);
  const copies = lookalikesOf([{ a: "roco_v2/1", b: "vqa_rad/4" }]);
  assertEquals(findLeaks(training, evaluation, copies), [
    { set: "radiographs", kind: "look", matches: [["roco_v2/1/q", "vqa_rad/test/4"]] },
  ]);
  assertThrows(
    () => auditSets(pairs, records, { lost: ["gone"] }),
    Error,
    "lost names the record gone",
  );
});

Deno.test("a mixture takes a picture that both sets have from the enrichment set", () => {
  const records = [record("roco_v2", 1), record("roco_v2", 2), record("medpix2", 1)];
  const pictures = picturesOf(records, lookalikesOf([{ a: "roco_v2/2", b: "medpix2/1" }]));
  const base = [pair("roco_v2", 1), pair("roco_v2", 2), pair("roco_v2", 9)];
  assertEquals(withoutShared(base, [pair("medpix2", 1)], pictures).map((p) => p.imageId), [
    "roco_v2/1",
    "roco_v2/9",
  ]);
});
