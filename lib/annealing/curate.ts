import { z } from "zod";
import { type PictureOf, representatives } from "../audit/mod.ts";
import type { CorpusRecord } from "../corpus/mod.ts";
import type { QaPair } from "../synthesis/mod.ts";
import { pathologyFilter, type PathologyResult } from "./pathology.ts";
import { qualityProblems } from "./quality.ts";
import { VERDICT_STEPS, verdictOf } from "./verdicts.ts";

/** A pair that does not enter the mixture, and the first step and rule against it. */
export const DroppedPair = z.object({
  /** Id of the pair. */
  id: z.string(),
  /** Its data set. */
  dataset: z.string(),
  /** Its split. */
  split: z.string(),
  /** Who wrote it: "teacher" or "template". */
  origin: z.string(),
  /** Name of the step that dropped it. */
  step: z.string(),
  /** "rule" or "rule: what it found". */
  reason: z.string(),
});
/** A pair that {@linkcode DroppedPair} accepts. */
export type DroppedPair = z.infer<typeof DroppedPair>;

/** What a step of the curation saw and took from one data set. */
export interface CurationStep {
  /** Whose pairs are counted. */
  dataset: string;
  /** Name of the step. */
  step: string;
  /** Pairs before the step. */
  in: number;
  /** Pairs that the step applies to: with a verdict of the filter, or of a data set with locations. */
  judged: number;
  /** Pairs that the step drops. */
  dropped: number;
  /** Pairs after it. */
  left: number;
}

/** What curation keeps and drops. */
export interface Curation {
  /** Pairs that are kept. */
  pairs: QaPair[];
  /** Every other pair, with the step and the reason. */
  dropped: DroppedPair[];
  /** In order; pairs in = pairs left + pairs dropped in each. */
  steps: CurationStep[];
  /** Locations and whether they are kept. */
  pathology: PathologyResult;
}

/** What a step says of a pair: judged or not, and the reason against it. */
type Judge = (pair: QaPair) => { judged: boolean; against: string | null };

/**
 * Curates the pairs of captioned images in the order of the paper (section 4.3, figure 4): MedPix images at common
 * locations alone, then the verdicts in the pairs (rules, language model, person; see verdicts.ts), then the rules of
 * the authors' code (qualityProblems), and each picture once per data set and split.
 *
 * @param records of the images
 * @param pictures which images show the same picture (picturesOf)
 * @throws when a pair's verdicts cannot be read
 */
export function curate(
  pairs: readonly QaPair[],
  records: readonly CorpusRecord[],
  { minImages, pictures }: { minImages: number; pictures: PictureOf },
): Curation {
  const pathology = pathologyFilter(records.filter((r) => r.dataset === "medpix2"), { minImages });
  const common = new Set(pathology.kept.map((r) => r.imageId));
  const representative = representatives(records, pictures);
  const dropped: DroppedPair[] = [], steps: CurationStep[] = [];
  const datasets = [...new Set(pairs.map((p) => p.dataset))];
  let left = [...pairs];
  const apply = (step: string, judge: Judge) => {
    const verdicts = left.map((pair) => ({ pair, ...judge(pair) }));
    const kept = verdicts.filter(({ against }) => against === null).map(({ pair }) => pair);
    for (const { pair: { id, dataset, split, origin }, against } of verdicts) {
      if (against !== null) dropped.push({ id, dataset, split, origin, step, reason: against });
    }
    for (const dataset of datasets) {
      const seen = verdicts.filter(({ pair }) => pair.dataset === dataset);
      const judged = seen.filter((verdict) => verdict.judged).length;
      const rest = seen.filter(({ against }) => against === null).length;
      steps.push({ dataset, step, in: seen.length, judged, dropped: seen.length - rest, left: rest });
    }
    left = kept;
  };
  apply("common location", ({ dataset, imageId }) => {
    const judged = dataset === "medpix2", rare = judged && !common.has(imageId);
    return { judged, against: rare ? `location with fewer than ${minImages} images` : null };
  });
  for (const step of VERDICT_STEPS) apply(step, (pair) => verdictOf(pair, step));
  const problems = qualityProblems(left);
  apply("quality", ({ id }) => ({ judged: true, against: problems.get(id) ?? null }));
  apply("each picture once", ({ imageId }) => {
    const first = representative.get(imageId) ?? imageId;
    return { judged: true, against: first === imageId ? null : "the same picture as another image" };
  });
  return { pairs: left, dropped, steps, pathology };
}

/** What one data set had at first and after each step, for figure 4. */
export function funnelOf(
  steps: readonly CurationStep[],
  dataset: string,
): { step: string; count: number; unit: string }[] {
  const own = steps.filter((s) => s.dataset === dataset);
  const left = own.map(({ step, judged, left }) => ({
    step: judged === 0 ? `${step} (not run)` : step,
    count: left,
    unit: "pairs",
  }));
  return [{ step: "pairs written", count: own[0]?.in ?? 0, unit: "pairs" }, ...left];
}

/** One line a data set: pairs written, dropped by each step, and kept. */
export function curationAccount(steps: readonly CurationStep[]): Record<string, string | number>[] {
  return [...Map.groupBy(steps, (s) => s.dataset)].map(([dataset, own]) => ({
    dataset,
    written: own[0].in,
    ...Object.fromEntries(own.map(({ step, dropped }) => [step, dropped])),
    kept: own[own.length - 1].left,
  }));
}

/** Dropped pairs per data set, step and rule. */
export function dropReasons(
  dropped: readonly DroppedPair[],
): { dataset: string; step: string; reason: string; pairs: number; origins: string }[] {
  const ruleOf = ({ reason }: DroppedPair) => reason.split(": ")[0];
  return [...Map.groupBy(dropped, (d) => JSON.stringify([d.dataset, d.step, ruleOf(d)]))].map(([, own]) => {
    const { dataset, step } = own[0], origins = [...new Set(own.map((d) => d.origin))].sort();
    return { dataset, step, reason: ruleOf(own[0]), pairs: own.length, origins: origins.join(", ") };
  });
}

/**
 * The base pairs of a mixture without those on pictures that the enrichment set has too: its copy, of the data set of
 * higher quality, is the one that stays.
 */
export function withoutShared(
  base: readonly QaPair[],
  enrich: readonly QaPair[],
  pictures: PictureOf,
): QaPair[] {
  const pictureOf = ({ imageId }: QaPair) => pictures.get(imageId) ?? imageId;
  const shown = new Set(enrich.map(pictureOf));
  return base.filter((pair) => !shown.has(pictureOf(pair)));
}
