/** Verdicts about the paper's items, from what runs measured. */
import { assertEquals, assertStringIncludes } from "@std/assert";
import type { StageInput } from "@lib/artifacts/mod.ts";
import { loadConfig } from "@lib/config/mod.ts";
import { paperCurves } from "@lib/figures/curves.ts";
import type { ScalingFit } from "@lib/stats/mod.ts";
import { type PairedRow, stage1Verdict } from "@lib/report/mod.ts";
import { FIGURE_MAP } from "@lib/report/figure_map.ts";
import { paperVerdicts } from "@lib/report/verdicts.ts";

const curve = (cell: string, last: number) =>
  [[1, 2], [2, last]].map(([epoch, validationLoss]) => ({ cell, step: epoch, epoch, validationLoss }));
const curves = [
  ...curve("medpix2__with", 1.5),
  ...curve("roco_v2__with", 1.2),
  ...curve("roco_medpix__with", 1.1),
  ...curve("pmc_vqa__with", 1),
];
const overlaps = [0.3, 0.2, 0.4].map((rouge1, i) => ({
  cell: `${["medpix2", "roco_v2", "roco_medpix"][i]}__without`,
  answers: { rouge1 },
}));

const gains = (lead: number) =>
  ["another image", "rollout, diagonal"].map((baseline, i) => ({
    ...{ question: "all", baseline, rollout: 0.35, other: 0.35 - lead },
    difference: { estimate: lead, low: lead - 0.1 * (i + 1), high: lead + 0.1 },
  }));
const equation2 = { maskedRow: 0, overAnswer: [1, 1], column: { raw: 31, rollout: 7.5 } };

const interval = (low: number) => ({ estimate: 0.3, low, high: 0.5 });
const fit = (low: number, warnings: string[] = []): ScalingFit => ({
  law: { A: 1, alpha: 0.3, beta: 0.3, E: 0.3 },
  intervals: { alpha: interval(low), beta: interval(0.1), E: interval(0) },
  ...{ held: [], points: 32, trainingError: 0.01, warnings },
  ...{ pointOut: { law: 0.01, constant: 0.1 }, sizeOut: { law: 0.02, constant: 0.1 } },
});

/** Inputs of notebook 08 with one difference of stage 1 on every dataset. */
function inputs(
  estimate: number,
  pValue = 0.01,
  lead = 0.5,
  law: ScalingFit | null = null,
): Record<string, StageInput> {
  const comparisons = ["pmc_vqa", "roco_v2", "medpix2"].map((set) => ({
    ...{ testSet: set, first: `${set}__without`, second: `${set}__with`, estimate },
    ...{ low: estimate - 0.03, high: estimate + 0.03, pValue },
  } as PairedRow));
  const json: Record<string, unknown> = {
    table1: { comparisons },
    table4: { overlaps },
    scaling_law: { fit: law },
  };
  const input = {
    manifest: { notes: { pointing: gains(lead), equation2 } },
    table: (name: string) => Promise.resolve(name === "curve" ? curve("slake__with", 1) : curves),
    json: (name: string) => Promise.resolve(json[name]),
  } as unknown as StageInput;
  return { "04_stage1": input, "05_stage2": input, "06_evaluation": input, "07_saliency": input };
}

Deno.test("every item of the map has a verdict; a difference below zero is not called a gain", async () => {
  const config = loadConfig({}), none = await paperVerdicts(inputs(-0.001), config);
  assertEquals(FIGURE_MAP.map(({ item }) => item).filter((item) => !(item in none)), []);
  assertEquals(Object.keys(none).length, FIGURE_MAP.length);
  assertStringIncludes(none["Table 1"].reason, "no gain (best: -0.1 points)");
  assertEquals(none["Table 1"].verdict, "not reproduced");
  const some = await paperVerdicts(inputs(0.05), config);
  assertStringIncludes(some["Table 1"].reason, "largest gain 5.0 points");
  assertEquals([some["Table 1"].verdict, some["Table 4"].verdict], ["trend", "not reproduced"]);
  assertStringIncludes(some["Table 1"].reason, "above zero on 2, below zero on 0 of 2 datasets"); // MedPix is not in it
  const lucky = await paperVerdicts(inputs(0.05, 0.2, -0.1), config);
  assertEquals([lucky["Table 1"].verdict, lucky["Figure 7"].verdict], ["not reproduced", "not reproduced"]);
  const real = await paperVerdicts(inputs(0.05), loadConfig({ LAB_SET: 'corpora.source="real"' }));
  assertEquals([real["Figure 3"].verdict, real["Table 2"].verdict], ["not judged", "not judged"]);
});

Deno.test("a gain of stage 1 counts with p and interval, and no more where a loss counts too", () => {
  const row = (low: number, high: number, pValue: number) => ({
    estimate: (low + high) / 2,
    low,
    high,
    pValue,
  });
  const gain = row(0.02, 0.08, 0.049), loss = row(-0.09, -0.02, 0.049);
  const verdictOf = (...rows: ReturnType<typeof row>[]) => stage1Verdict(rows).verdict;
  assertEquals(verdictOf(), "not run");
  assertEquals([verdictOf(gain), verdictOf(gain, row(-0.09, -0.02, 0.05))], ["trend", "trend"]);
  const none = [[gain, loss], [loss], [row(0.02, 0.08, 0.05)], [row(0, 0.08, 0.01)], [row(-0.03, 0.03, 1)]];
  assertEquals(none.map((rows) => verdictOf(...rows)), none.map(() => "not reproduced"));
});

Deno.test("figure 7's row names the figure with the maps that its reason is about", async () => {
  const row = FIGURE_MAP.find(({ item }) => item === "Figure 7")!;
  assertEquals(row.file, "figures/figure7c.png");
  assertStringIncludes((await paperVerdicts(inputs(0), loadConfig({})))["Figure 7"].reason, "rollout");
});

Deno.test("rollout must be ahead of every baseline over all types of questions, or the verdict names those it fails against", async () => {
  const of = async (lead: number) => (await paperVerdicts(inputs(0, 1, lead), loadConfig({})))["Figure 7"];
  assertEquals(await of(0.3), {
    verdict: "trend",
    reason: "rollout points at 35% of lesions over all types of questions; ahead of all 2 baselines",
  });
  assertEquals(await of(0.15), {
    verdict: "not reproduced",
    reason:
      "rollout points at 35% of lesions over all types of questions; not ahead of: rollout, diagonal (20%)",
  });
});

Deno.test("a law of which something is not determined is not reproduced, and without runs it is not run", async () => {
  const of = async (law: ScalingFit | null) =>
    (await paperVerdicts(inputs(0, 1, 0, law), loadConfig({})))["Equation 1"];
  assertEquals((await of(null)).verdict, "not run");
  assertEquals((await of(fit(0.1))).verdict, "trend");
  assertEquals((await of(fit(0, ["alpha cannot be told from 0."]))).verdict, "not reproduced");
  const open = await of(fit(0.1, ["E is not determined: every value from 0 to the least loss fits."]));
  assertEquals(open.verdict, "not reproduced");
  assertStringIncludes(open.reason, "Error on sizes left out 0.020, of a constant 0.10. E is not determined");
});

Deno.test("equation 2's verdict says what each reading gives", async () => {
  const { reason } = (await paperVerdicts(inputs(0), loadConfig({})))["Equation 2"];
  assertStringIncludes(reason, "sums to 1.00 to 1.00 for every patch");
  assertStringIncludes(reason, "masked row is 0.00 at most");
  assertStringIncludes(reason, "31 times the smallest (rollout: 7.5 times)");
});

Deno.test("the paper's MIMIC-CXR curve is drawn, and named training loss", () => {
  const [pmc, mimic] = paperCurves(["pmc_vqa", "mimic_cxr"]);
  assertEquals([pmc.name, mimic.name], ["PMC-VQA, paper", "MIMIC-CXR, paper (training loss)"]);
  assertEquals(mimic.points.at(-1), [2, 0.3216]);
});
