import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import {
  auditSchedule,
  curate,
  dropReasons,
  funnelOf,
  mix,
  scheduleRows,
  splitForAudit,
} from "../../lib/annealing/mod.ts";
import type { CorpusRecord } from "../../lib/corpus/mod.ts";
import type { QaPair } from "../../lib/synthesis/mod.ts";

const record = (dataset: "medpix2" | "roco_v2", n: number, region: string | null, bytes = `${dataset}${n}`) =>
  ({
    dataset,
    split: "train",
    imageId: `${dataset}/${n}`,
    region,
    imageSha256: bytes,
  }) as CorpusRecord;
const pair = (dataset: string, n: number, change: Partial<QaPair> = {}) =>
  ({
    id: `${dataset}/${n}/${change.question ?? "q"}`,
    dataset,
    split: "train",
    imageId: `${dataset}/${n}`,
    question: "which side?",
    answer: "left",
    origin: "template",
    verdicts: "{}",
    ...change,
  }) as QaPair;

Deno.test("rare locations, unfit pairs and repeated pictures go, each for a named reason, and the sums are exact", () => {
  const records = [
    record("medpix2", 1, "Brain"),
    record("medpix2", 2, "Brain"),
    record("medpix2", 3, "Eye"),
    record("roco_v2", 1, null, "same"),
    record("roco_v2", 2, null, "same"),
  ];
  const pairs = [
    pair("medpix2", 1),
    pair("medpix2", 2, { question: "what is the history?" }),
    pair("medpix2", 3),
    pair("roco_v2", 1),
    pair("roco_v2", 1, { id: "again" }),
    pair("roco_v2", 2),
  ];
  const { pairs: kept, dropped, steps, pathology } = curate(pairs, records, { minImages: 2 });
  assertEquals(kept.map((p) => p.id), ["medpix2/1/q", "roco_v2/1/q"]);
  assertEquals(dropped.map((d) => [d.id, d.reason]), [
    ["medpix2/3/q", "location with fewer than 2 images"],
    ["medpix2/2/what is the history?", "quality: history"],
    ["again", "quality: repeated"],
    ["roco_v2/2/q", "the same picture as another image"],
  ]);
  assertEquals(pathology.images, { kept: 2, of: 3 });
  assertEquals(funnelOf(steps, "medpix2").map((s) => s.count), [3, 2, 1, 1]);
  for (const dataset of ["medpix2", "roco_v2"]) {
    const own = steps.filter((s) => s.dataset === dataset);
    own.forEach((s, i) => {
      assertEquals(s.in, i === 0 ? pairs.filter((p) => p.dataset === dataset).length : own[i - 1].left);
      assertEquals(s.in, s.left + s.dropped);
    });
  }
});

Deno.test("the audit counts the written order itself and finds a wrong one", () => {
  const base = Array.from({ length: 40 }, (_, n) => pair("roco_v2", n));
  const enrich = Array.from({ length: 10 }, (_, n) => pair("medpix2", n));
  const schedule = { shape: "linear" as const, start: 0.1, end: 0.5 };
  const mixture = mix({ base, enrich, schedule, seed: 1, steps: 50, batchSize: 8 });
  const rows = scheduleRows(mixture);
  assertEquals(rows.slice(0, 9).map((r) => [r.step, r.position]), [
    ...Array.from({ length: 8 }, (_, i) => [0, i]),
    [1, 0],
  ]);
  const sourceOf = (id: string) => id.split("/")[0];
  const options = { source: "medpix2", schedule, window: 10 };
  const { windows, largestGap } = auditSchedule(rows, sourceOf, options);
  assertEquals(windows.map((w) => w.step), [0, 10, 20, 30, 40]);
  assert(largestGap <= 0.5 + 1e-9);
  windows.forEach((w) => assertAlmostEquals(w.measured, w.target, 1 / 80));
  assertAlmostEquals(windows.reduce((sum, w) => sum + w.measured, 0) / 5, mixture.measured, 1e-12);
  const reversed = rows.map((row) => ({ ...row, step: 49 - row.step }));
  assert(auditSchedule(reversed, sourceOf, options).largestGap > 20);
});

Deno.test("drop reasons count pairs and name their origins; held-out splits become named sets with hashes", () => {
  const drop = (id: string, origin: string, reason: string) => ({
    id,
    dataset: "d",
    split: "train",
    origin,
    reason,
  });
  assertEquals(
    dropReasons([drop("1", "teacher", "x"), drop("2", "template", "x"), drop("3", "teacher", "y")]),
    [
      { dataset: "d", reason: "x", pairs: 2, origins: "teacher, template" },
      { dataset: "d", reason: "y", pairs: 1, origins: "teacher" },
    ],
  );
  const pairs = [
    pair("roco_v2", 1),
    pair("roco_v2", 2, { split: "test" }),
    pair("medpix2", 3, { split: "test" }),
  ];
  const { training, evaluation } = splitForAudit(pairs, [record("roco_v2", 1, null, "bytes")]);
  assertEquals(training.map((t) => [t.id, t.imageSha256]), [["roco_v2/1/q", "bytes"]]);
  assertEquals(Object.keys(evaluation), ["roco_v2/test", "medpix2/test"]);
});
