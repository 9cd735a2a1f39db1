import type { StageInput } from "../artifacts/mod.ts";
import type { Config } from "../config/mod.ts";
import type { CellOverlap, PairedRow } from "./accuracies.ts";
import { CurveRow, trainingArguments, validated } from "./curves.ts";
import { type ImageToResponseSummary, isAhead, type PointingGain } from "../saliency/mod.ts";
import type { ScalingFit } from "../stats/mod.ts";
import { FIGURE_MAP, hasFile, type MapEntry } from "./figure_map.ts";
import { withoutStage1 } from "./paper_tables.ts";
import { lawHolds } from "./scaling.ts";
import type { Verdict } from "./tables.ts";

type Inputs = Readonly<Record<string, StageInput>>;

/** A verdict and why. */
export interface Judgement {
  /** How far the paper's result was reproduced. */
  verdict: Verdict;
  /** Why. */
  reason: string;
}

const points = (x: number) => `${(100 * x).toFixed(1)} points`;

/** First and last validation loss of a curve; NaN where none was measured, as after a limit. */
function ends(curves: readonly CurveRow[], cell: string): [number, number] {
  const own = validated(curves, cell);
  return [own[0]?.validationLoss ?? NaN, own.at(-1)?.validationLoss ?? NaN];
}

/** The datasets of table 1 that the paper trained both without and with stage 1. */
const COMPARED = ["pmc_vqa", "roco_v2", "roco_medpix"];

/** Said of what a limited run left nothing to judge by. */
const NOTHING: Judgement = { verdict: "not run", reason: "this run left nothing to judge it by" };

function lawVerdict(fit: ScalingFit): Judgement {
  const { sizeOut, warnings, points } = fit;
  return {
    verdict: lawHolds(fit) ? "trend" : "not reproduced",
    reason: [
      `fitted (the paper does not) to final losses of ${points} independent runs of the nano model.`,
      ...(sizeOut
        ? [
          `Error on sizes left out ${sizeOut.law.toPrecision(2)}, of a constant ${
            sizeOut.constant.toPrecision(2)
          }.`,
        ]
        : []),
      ...warnings,
    ].join(" "),
  };
}

/** Rollout shows where the answer looked only where it is ahead of every baseline, over all types of questions. */
function rolloutVerdict(gains: readonly PointingGain[]): Judgement {
  const all = gains.filter(({ question }) => question === "all"),
    behind = all.filter((gain) => !isAhead(gain));
  const percent = (share: number) => `${(100 * share).toFixed(0)}%`;
  if (all.length === 0) return NOTHING;
  const others = behind.map(({ baseline, other }) => `${baseline} (${percent(other)})`);
  return {
    verdict: behind.length === 0 ? "trend" : "not reproduced",
    reason: `rollout points at ${percent(all[0].rollout)} of lesions over all types of questions; ${
      behind.length === 0 ? `ahead of all ${all.length} baselines` : `not ahead of: ${others.join(", ")}`
    }`,
  };
}

/**
 * Table 1: a gain of stage 1 that counts on one data set at least, and a loss on none; it counts where p < 0.05 and the
 * interval leaves out zero.
 *
 * @param rows with minus without stage 1, one for each data set
 */
export function stage1Verdict(
  rows: readonly Pick<PairedRow, "estimate" | "low" | "high" | "pValue">[],
): Judgement {
  if (rows.length === 0) return NOTHING;
  const telling = rows.filter(({ pValue }) => pValue < 0.05);
  const gained = telling.filter(({ low }) => low > 0), lost = telling.filter(({ high }) => high < 0);
  const largest = Math.max(...rows.map(({ estimate }) => estimate));
  return {
    verdict: gained.length > 0 && lost.length === 0 ? "trend" : "not reproduced",
    reason: `with minus without stage 1: above zero on ${gained.length}, below zero on ${lost.length} of ` +
      `${rows.length} datasets (p < 0.05 after Holm); ${
        largest > 0 ? `largest gain ${points(largest)}` : `no gain (best: ${points(largest)})`
      }. The paper's own gains lie within noise`,
  };
}

/**
 * A verdict with its reason for every entry of `FIGURE_MAP`, from what the runs measured. "Trend" is only given where a
 * direction that the paper reports is found again; at tiny scale nothing that counts real images can be reproduced.
 */
export async function paperVerdicts(inputs: Inputs, config: Config): Promise<Record<string, Judgement>> {
  const phantom = config.corpora.source !== "real";
  const counts = (what: string): Judgement =>
    phantom
      ? { verdict: "not reproduced", reason: `phantom images: ${what}` }
      : { verdict: "not judged", reason: `real images: ${what}; compare the counts by eye` };
  const curves = await inputs["05_stage2"].table("curves", CurveRow);
  const slake = await inputs["04_stage1"].table("curve", CurveRow.omit({ cell: true }));
  const losses = ["medpix2", "roco_v2", "roco_medpix"].map((d) => ends(curves, `${d}__with`));
  const [medpix, roco, mix] = losses.map(([, last]) => last);
  const falls = losses.every(([first, last]) => last < first), ordered = mix < roco && roco < medpix;
  const [pmcFirst, pmcLast] = ends(curves, "pmc_vqa__with");
  const slakeEnds = ends(slake.map((row) => ({ ...row, cell: "slake__with" })), "slake__with");
  const { comparisons } = await inputs["06_evaluation"].json<{ comparisons: PairedRow[] }>("table1");
  const { overlaps } = await inputs["06_evaluation"].json<{ overlaps: CellOverlap[] }>("table4");
  const { fit } = await inputs["05_stage2"].json<{ fit: ScalingFit | null }>("scaling_law");
  const stage1 = COMPARED.flatMap((dataset) =>
    comparisons.filter(({ first, second }) =>
      first === withoutStage1(dataset) && second === `${dataset}__with`
    )
  );
  const words = ["medpix2", "roco_v2", "roco_medpix"].map((d) =>
    overlaps.find(({ cell }) => cell === `${d}__without`)?.answers.rouge1 ?? NaN
  );
  const args = trainingArguments(config), same = args.filter(({ paper, here }) => paper === here).length;
  const ours = inputs["07_saliency"].manifest.notes as {
    pointing?: PointingGain[];
    equation2?: ImageToResponseSummary;
  };
  const { pointing, equation2 } = ours;
  const fell = ([first, last]: [number, number]): Judgement =>
    Number.isNaN(last) ? NOTHING : ({
      verdict: last < first ? "trend" : "not reproduced",
      reason: `loss on held-out pairs from ${first.toFixed(2)} to ${last.toFixed(2)}; ` +
        "heights are not comparable (other model and data)",
    });
  return {
    "Figure 1": { verdict: "exact", reason: "same parts; sizes read from the checkpoint's config" },
    "Figure 2": { verdict: "exact", reason: "same steps; numbers read from the configuration" },
    "Figure 3": counts("the counting rule is the paper's, the counts are not"),
    "Figure 4": counts("the rule is the paper's, the locations' sizes were drawn"),
    "Figure 5a": losses.flat().some(Number.isNaN) ? NOTHING : {
      verdict: falls && ordered ? "trend" : "not reproduced",
      reason: `all losses fall: ${falls ? "yes" : "no"}; ROCO + MedPix < ROCO < MedPix at the end: ${
        ordered ? "yes" : "no"
      } (${mix.toFixed(2)}, ${roco.toFixed(2)}, ${medpix.toFixed(2)})`,
    },
    "Figure 5b (SLAKE)": fell(slakeEnds),
    "Figure 5b (PMC-VQA)": fell([pmcFirst, pmcLast]),
    "Figure 5b (MIMIC-CXR)": {
      verdict: "not run",
      reason:
        "the paper's curve is drawn (it is of training loss); ours needs the credentialed MIMIC-CXR-JPG",
    },
    "Figure 6": counts("same display, other images and model"),
    "Figure 7": rolloutVerdict(pointing ?? []),
    "Figure 8": { verdict: "trend", reason: "same inputs to the teacher; our words, one pair a reply, JSON" },
    "Figure 9": { verdict: "trend", reason: "same inputs to the teacher; our words, one pair a reply, JSON" },
    "Figure 10": { verdict: "trend", reason: "same inputs to the judge; our words" },
    "Equation 1": fit === null
      ? { verdict: "not run", reason: "no independent runs are recorded (./lab bench scaling)" }
      : lawVerdict(fit),
    "Equation 2": !equation2 ? NOTHING : {
      verdict: "exact",
      reason:
        "computed as written, but it cannot say how much of the answer a patch feeds: the softmax over " +
        `the answer's keys sums to ${
          equation2.overAnswer.map((sum) => sum.toFixed(2)).join(" to ")
        } for every ` +
        `patch, and the model's own masked row is ${
          equation2.maskedRow.toFixed(2)
        } at most. The code's column ` +
        `tells patches apart: the largest is ${equation2.column.raw.toPrecision(2)} times the smallest ` +
        `(rollout: ${equation2.column.rollout.toPrecision(2)} times)`,
    },
    "Table 1": stage1Verdict(stage1),
    "Table 2": counts("same breakdown; no musculoskeletal phantoms"),
    "Table 4": words.some(Number.isNaN) ? NOTHING : {
      verdict: words[0] < words[1] && words[1] < words[2] ? "trend" : "not reproduced",
      reason: `ROUGE-1 of MedPix, ROCO, ROCO + MedPix: ${words.map((x) => x.toFixed(2)).join(", ")}; ` +
        "the paper's rise, but include the prompt",
    },
    "Table 5": {
      verdict: "not run",
      reason: "LLaVA-Med (7B) was not run; our column and the paper's are shown",
    },
    "Appendix B": {
      verdict: same === args.length ? "exact" : "not reproduced",
      reason: `${same} of ${args.length} arguments equal at scale ${config.scale}`,
    },
  };
}

/** The figure map with verdicts and whether the result file is there as it was written. */
export async function figureMapRows(
  inputs: Readonly<Record<string, StageInput>>,
  config: Config,
): Promise<(MapEntry & Judgement & { found: boolean })[]> {
  const verdicts = await paperVerdicts(inputs, config);
  return await Promise.all(FIGURE_MAP.map(async (entry) => ({
    ...entry,
    found: await hasFile(entry, inputs),
    ...verdicts[entry.item],
  })));
}
