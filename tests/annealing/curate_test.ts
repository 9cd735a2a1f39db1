import { assert, assertEquals, assertThrows } from "@std/assert";
import { curate, curationAccount, dropReasons, funnelOf, refusedPairs } from "../../lib/annealing/mod.ts";
import { qualityProblems } from "../../lib/annealing/quality.ts";
import { verdictOf } from "../../lib/annealing/verdicts.ts";
import { lookalikesOf, picturesOf } from "../../lib/audit/mod.ts";
import type { CorpusRecord } from "../../lib/corpus/mod.ts";
import type { QaPair } from "../../lib/synthesis/mod.ts";
import { pair } from "./pair.ts";

const record = (dataset: "medpix2" | "roco_v2", n: number, region: string | null, bytes = `${dataset}${n}`) =>
  ({
    dataset,
    split: "train",
    imageId: `${dataset}/${n}`,
    region,
    imageSha256: bytes,
  }) as CorpusRecord;
const verdicts = (entries: Record<string, string>) => ({ verdicts: JSON.stringify(entries) });
const curated = (pairs: readonly QaPair[], records: readonly CorpusRecord[], near: string[][] = []) =>
  curate(pairs, records, {
    minImages: 2,
    pictures: picturesOf(records, lookalikesOf(near.map(([a, b]) => ({ a, b })))),
  });

Deno.test("rare locations, refused and unfit pairs and repeated pictures go, each for a named reason; the sums are exact", () => {
  const records = [
    record("medpix2", 1, "Brain"),
    record("medpix2", 2, "Brain"),
    record("medpix2", 3, "Eye"),
    record("roco_v2", 1, null, "same"),
    record("roco_v2", 2, null, "same"),
    record("roco_v2", 3, null),
  ];
  const rules = { form: "pass", leak: "pass" };
  const pairs = [
    pair("medpix2", 1, { origin: "teacher", ...verdicts({ ...rules, llm: "pass", review: "pass" }) }),
    pair("medpix2", 2, { question: "what is the history?" }),
    pair("medpix2", 3),
    pair("roco_v2", 1),
    pair("roco_v2", 1, { id: "again" }),
    pair("roco_v2", 2),
    pair("roco_v2", 3),
    pair("roco_v2", 1, { id: "leaks", ...verdicts({ ...rules, leak: "the question contains the answer" }) }),
    pair("roco_v2", 1, { id: "wrong", ...verdicts({ ...rules, llm: "the caption says right" }) }),
    pair("roco_v2", 1, { id: "poor", ...verdicts({ ...rules, llm: "pass", review: "rejected: unclear" }) }),
    pair("roco_v2", 1, { id: "both", ...verdicts({ llm: "no", review: "rejected" }) }),
  ];
  const { pairs: kept, dropped, steps, pathology } = curated(pairs, records, [["roco_v2/3", "roco_v2/2"]]);
  assertEquals(kept.map((p) => p.id), ["medpix2/1/q", "roco_v2/1/q"]);
  assertEquals(dropped.map((d) => [d.id, d.step, d.reason]), [
    ["medpix2/3/q", "common location", "location with fewer than 2 images"],
    ["leaks", "rules", "leak: the question contains the answer"],
    ["wrong", "LLM filter", "llm: the caption says right"],
    ["both", "LLM filter", "llm: no"],
    ["poor", "manual filter", "review: rejected: unclear"],
    ["medpix2/2/what is the history?", "quality", "history"],
    ["again", "quality", "repeated"],
    ["roco_v2/2/q", "each picture once", "the same picture as another image"],
    ["roco_v2/3/q", "each picture once", "the same picture as another image"],
  ]);
  assertEquals(pathology.images, { kept: 2, of: 3 });
  assertEquals(steps.filter((s) => s.dataset === "roco_v2").map((s) => [s.step, s.judged, s.dropped]), [
    ["common location", 0, 0],
    ["rules", 3, 1],
    ["LLM filter", 3, 2],
    ["manual filter", 1, 1],
    ["quality", 4, 1],
    ["each picture once", 3, 2],
  ]);
  assertEquals(curationAccount(steps)[1], {
    dataset: "roco_v2",
    written: 8,
    "common location": 0,
    rules: 1,
    "LLM filter": 2,
    "manual filter": 1,
    quality: 1,
    "each picture once": 2,
    kept: 1,
  });
  for (const dataset of ["medpix2", "roco_v2"]) {
    const own = steps.filter((s) => s.dataset === dataset);
    own.forEach((s, i) => {
      assertEquals(s.in, i === 0 ? pairs.filter((p) => p.dataset === dataset).length : own[i - 1].left);
      assertEquals(s.in, s.left + s.dropped);
      assert(s.dropped <= s.judged && s.judged <= s.in);
    });
  }
});

Deno.test("the funnel says which filters nobody has run", () => {
  const { steps } = curated([pair("medpix2", 1), pair("medpix2", 2)], [
    record("medpix2", 1, "Brain"),
    record("medpix2", 2, "Brain"),
  ]);
  assertEquals(funnelOf(steps, "medpix2").map((s) => `${s.step}: ${s.count}`), [
    "pairs written: 2",
    "common location: 2",
    "rules (not run): 2",
    "LLM filter (not run): 2",
    "manual filter (not run): 2",
    "quality: 2",
    "each picture once: 2",
  ]);
  assertEquals(funnelOf(steps, "roco_v2"), [{ step: "pairs written", count: 0, unit: "pairs" }]);
});

Deno.test("the funnel begins with all pairs, those at rare locations included", () => {
  const pairs = [pair("medpix2", 1), pair("medpix2", 2), pair("medpix2", 3)];
  const records = [record("medpix2", 1, "Brain"), record("medpix2", 2, "Brain"), record("medpix2", 3, "Eye")];
  const counts = funnelOf(curated(pairs, records).steps, "medpix2").map(({ count }) => count);
  assertEquals(counts, [3, 2, 2, 2, 2, 2, 2]);
});

Deno.test("a verdict is of the rules, the language model or a person, and anything but pass is against the pair", () => {
  const of = (entries: Record<string, string>, step: Parameters<typeof verdictOf>[1]) =>
    verdictOf(pair("medpix2", 1, verdicts(entries)), step);
  assertEquals(of({}, "LLM filter"), { judged: false, against: null });
  assertEquals(of({ llm: "pass", form: "too long" }, "LLM filter"), { judged: true, against: null });
  assertEquals(of({ llm: "pass", form: "too long" }, "rules"), { judged: true, against: "form: too long" });
  assertEquals(of({ review: "" }, "manual filter"), { judged: true, against: "review: " });
  for (const broken of ["", "[]", "null", '{"llm": true}', '{"llm": "pass"']) {
    const bad = pair("medpix2", 1, { verdicts: broken });
    assertThrows(() => verdictOf(bad, "LLM filter"), Error, "medpix2/1/q");
  }
  const all = [pair("a", 1), pair("a", 2, verdicts({ llm: "no" })), pair("a", 3, verdicts({ form: "pass" }))];
  assertEquals(refusedPairs(all).map((p) => p.id), ["a/2/q"]);
});

Deno.test("the authors' rules name the first that is broken; a question is asked once per image", () => {
  const long = Array(60).fill("word").join(" ");
  const asked: [string, string, Partial<QaPair>?][] = [
    ["What is shown?", "a nodule"],
    ["what is shown? ", "a cyst"],
    ["What is shown?", "a cyst", { imageId: "other" }],
    ["What does the history say?", "cough"],
    ["What is prehistory?", "old"],
    ["What is it?", long],
    ["What is it?", long.slice(5)],
    ["Which side?", " "],
    ["Which history?", "none", verdicts({ review: "pass" })],
  ];
  const pairs = asked.map(([question, answer, change], i) =>
    pair("medpix2", 1, { id: `${i}`, question, answer, ...change })
  );
  assertEquals([...qualityProblems(pairs)], [["1", "repeated"], ["3", "history"], ["5", "long"], [
    "7",
    "empty",
  ]]);
});

Deno.test("drop reasons count pairs by rule, without what each found, and name their origins", () => {
  const drop = (id: string, origin: string, reason: string) => ({
    id,
    dataset: "d",
    split: "train",
    origin,
    step: "rules",
    reason,
  });
  assertEquals(
    dropReasons([
      drop("1", "teacher", "leak: a"),
      drop("2", "template", "leak: b: c"),
      drop("3", "teacher", "x"),
    ]),
    [
      { dataset: "d", step: "rules", reason: "leak", pairs: 2, origins: "teacher, template" },
      { dataset: "d", step: "rules", reason: "x", pairs: 1, origins: "teacher" },
    ],
  );
});
