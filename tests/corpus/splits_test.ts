import { assert, assertEquals, assertThrows } from "@std/assert";
import { type CorpusRecord, evaluationIds, overlapAudit, splitByGroup } from "../../lib/corpus/mod.ts";

const record = (n: number, image: number, about: Partial<CorpusRecord> = {}): CorpusRecord => ({
  id: `vqa_rad/train/${n}`,
  dataset: "vqa_rad",
  split: "train",
  sourceId: String(n),
  imagePath: `/x/${image}.jpg`,
  imageId: `vqa_rad/${image}`,
  caseId: null,
  imageSha256: null,
  question: "?",
  answer: "yes",
  choices: null,
  answerType: "closed",
  caption: null,
  modality: null,
  region: null,
  contentType: null,
  language: "en",
  licence: "CC0 1.0",
  noThirdParty: false,
  context: null,
  ...about,
});
const many = Array.from({ length: 300 }, (_, n) => record(n, n % 60, { caseId: `case ${n % 30}` }));
const shares = { train: 8, validation: 1, test: 1 };

Deno.test("evaluation ids depend on seed and ids, not on order, and a larger set contains a smaller one", () => {
  const ids = evaluationIds(many, 40, 7);
  assertEquals(ids, evaluationIds([...many].reverse(), 40, 7));
  assertEquals(evaluationIds(many, 60, 7).slice(0, 40), ids);
  assertEquals(new Set(ids).size, 40);
  assert(ids.join() !== evaluationIds(many, 40, 8).join());
  assertThrows(() => evaluationIds(many, 301, 7), Error, "at least 301 records to choose from, found 300");
});

Deno.test("a split by group keeps images and cases whole, and does not depend on the records' order", () => {
  const split = splitByGroup(many, shares, 1);
  for (const key of ["imageId", "caseId"] as const) {
    const seen = new Map<string, string>();
    for (const r of split) {
      assertEquals(seen.set(r[key]!, seen.get(r[key]!) ?? r.split).get(r[key]!), r.split);
    }
  }
  const sizes = (["train", "validation", "test"] as const).map((s) =>
    split.filter((r) => r.split === s).length
  );
  assertEquals(sizes, [240, 30, 30]);
  const byId = new Map(splitByGroup([...many].reverse(), shares, 1).map((r) => [r.id, r.split]));
  assert(split.every((r) => byId.get(r.id) === r.split));
});

Deno.test("records joined only through others go to one split", () => {
  // image 1001 - case a - image 1002 - hash h - image 1003
  const chain = [
    record(1001, 1001, { caseId: "a" }),
    record(1002, 1002, { caseId: "a" }),
    record(1003, 1002, { imageSha256: "h" }),
    record(1004, 1003, { imageSha256: "h" }),
  ];
  for (let seed = 0; seed < 20; seed++) {
    const mine = splitByGroup([...many, ...chain], shares, seed).filter((r) => Number(r.sourceId) > 1000);
    assertEquals([mine.length, new Set(mine.map((r) => r.split)).size], [4, 1]);
  }
});

Deno.test("the overlap audit by hash refuses records without one", () => {
  assertThrows(() => overlapAudit(many, "imageSha256"), Error, "call hashImages first");
});
