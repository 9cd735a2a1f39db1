import { assert, assertEquals } from "@std/assert";
import { splitByGroup } from "../../lib/corpus/mod.ts";
import { record } from "./record.ts";

const many = Array.from({ length: 300 }, (_, n) => record(n, n % 60, { caseId: `case ${n % 30}` }));
const shares = { train: 8, validation: 1, test: 1 };

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

Deno.test("near-identical images go to one split with all that belongs to them", () => {
  for (let seed = 0; seed < 20; seed++) {
    const near = [["vqa_rad/7", "vqa_rad/31"], ["vqa_rad/8", "vqa_rad/12", "vqa_rad/25"]];
    const split = splitByGroup(many, shares, seed, near);
    for (const group of near) {
      const cases = new Set(split.filter((r) => group.includes(r.imageId)).map((r) => r.caseId));
      assertEquals(new Set(split.filter((r) => cases.has(r.caseId)).map((r) => r.split)).size, 1);
    }
  }
});
