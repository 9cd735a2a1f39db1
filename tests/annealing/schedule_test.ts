import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import {
  auditSchedule,
  learningRateScale,
  mix,
  ratioAt,
  type Schedule,
  scheduleOf,
  scheduleRows,
} from "../../lib/annealing/mod.ts";
import { loadConfig } from "../../lib/config/mod.ts";
import { pair } from "./pair.ts";

const shaped = (shape: Schedule["shape"], start: number, end: number, endPhase = 0.25): Schedule => ({
  shape,
  start,
  end,
  endPhase,
});

Deno.test("every shape starts and ends where it should, and is in between what its formula says", () => {
  const at = (schedule: Schedule, steps: number[], of: number) =>
    steps.map((step) => Number(ratioAt(schedule, step, of).toFixed(12)));
  assertEquals(at(shaped("constant", 0.3, 0.9), [0, 50, 100], 101), [0.3, 0.3, 0.3]);
  assertEquals(at(shaped("linear", 0, 0.5), [0, 25, 50, 100], 101), [0, 0.125, 0.25, 0.5]);
  assertEquals(at(shaped("cosine", 0.6, 0.1), [0, 50, 100], 101), [0.6, 0.35, 0.1]);
  const cosine = shaped("cosine", 0.6, 0.1);
  assertAlmostEquals(ratioAt(cosine, 25, 101), 0.6 - 0.5 * (1 - Math.SQRT1_2) / 2, 1e-12);
  assertEquals(at(shaped("end-phase", 0.1, 0.7), [0, 74, 75, 99], 100), [0.1, 0.1, 0.7, 0.7]);
  assertEquals(at(shaped("linear", 0.1, 0.7), [0], 1), [0.1]);
});

Deno.test("an end phase has at least one step, and may be the whole run", () => {
  assertEquals([8, 9].map((step) => ratioAt(shaped("end-phase", 0, 1, 0.01), step, 10)), [0, 1]);
  assertEquals([0, 9].map((step) => ratioAt(shaped("end-phase", 0, 1, 1), step, 10)), [1, 1]);
});

Deno.test("the learning rate falls to 0 in an end phase and is constant otherwise", () => {
  const scales = (schedule: Schedule) =>
    [0, 5, 6, 7, 8, 9].map((step) => learningRateScale(schedule, step, 10));
  assertEquals(scales(shaped("end-phase", 0, 1, 0.4)), [1, 1, 1, 0.75, 0.5, 0.25]);
  assertEquals(learningRateScale(shaped("end-phase", 0, 1, 0.4), 10, 10), 0);
  for (const shape of ["constant", "linear", "cosine"] as const) {
    assertEquals(new Set(scales(shaped(shape, 0, 1))), new Set([1]));
  }
});

Deno.test("the schedule of a configuration is its own", () => {
  const { annealing } = loadConfig({ SCALE: "full" });
  assertEquals(
    scheduleOf({ annealing: { ...annealing, shape: "end-phase", startRatio: 0, endRatio: 0.3 } }),
    {
      shape: "end-phase",
      start: 0,
      end: 0.3,
      endPhase: annealing.endPhase,
    },
  );
});

Deno.test("the audit counts the written order itself and finds a wrong one", () => {
  const base = Array.from({ length: 40 }, (_, n) => pair("roco_v2", n));
  const enrich = Array.from({ length: 10 }, (_, n) => pair("medpix2", n));
  const schedule = shaped("linear", 0.1, 0.5);
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
