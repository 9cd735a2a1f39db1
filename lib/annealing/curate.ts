import type { CorpusRecord } from "../corpus/mod.ts";
import type { QaPair } from "../synthesis/mod.ts";
import { pathologyFilter, type PathologyResult, qualityFilter } from "./filter.ts";

/** A pair that does not enter the mixture, and the first rule against it. */
export interface DroppedPair {
  id: string;
  dataset: string;
  split: string;
  origin: string;
  reason: string;
}

/** What a step of the curation saw and took from one data set. */
export interface CurationStep {
  dataset: string;
  step: string;
  in: number;
  dropped: number;
  left: number;
}

export interface Curation {
  pairs: QaPair[];
  dropped: DroppedPair[];
  /** In order; pairs in = pairs left + pairs dropped in each. */
  steps: CurationStep[];
  pathology: PathologyResult;
}

/**
 * Curates the pairs of captioned images (paper section 4.3, figure 4): MedPix images at common locations alone, pairs fit by
 * qualityFilter, and each picture once: pairs of a file that an earlier image of the data set repeats byte by byte are left
 * out.
 * @param records of the images, hashed (hashImages)
 */
export function curate(
  pairs: readonly QaPair[],
  records: readonly CorpusRecord[],
  { minImages }: { minImages: number },
): Curation {
  const pathology = pathologyFilter(records.filter((r) => r.dataset === "medpix2"), { minImages });
  const common = new Set(pathology.kept.map((r) => r.imageId));
  const original = firstWithSameBytes(records);
  const dropped: DroppedPair[] = [], steps: CurationStep[] = [];
  const datasets = [...new Set(pairs.map((p) => p.dataset))];
  let left = [...pairs];
  const apply = (step: string, reasonOf: (pair: QaPair) => string | null) => {
    const kept: QaPair[] = [];
    const before = Map.groupBy(left, (p) => p.dataset);
    for (const pair of left) {
      const reason = reasonOf(pair), { id, dataset, split, origin } = pair;
      if (reason === null) kept.push(pair);
      else dropped.push({ id, dataset, split, origin, reason });
    }
    const after = Map.groupBy(kept, (p) => p.dataset);
    for (const dataset of datasets) {
      const [seen, rest] = [before, after].map((groups) => groups.get(dataset)?.length ?? 0);
      steps.push({ dataset, step, in: seen, dropped: seen - rest, left: rest });
    }
    left = kept;
  };
  apply(
    "common location",
    ({ dataset, imageId }) =>
      dataset === "medpix2" && !common.has(imageId) ? `location with fewer than ${minImages} images` : null,
  );
  const unfit = new Map(qualityFilter(left).dropped.map(({ pair, rule }) => [pair.id, `quality: ${rule}`]));
  apply("quality", ({ id }) => unfit.get(id) ?? null);
  apply("each picture once", ({ imageId }) => {
    const first = original.get(imageId);
    return first !== undefined && first !== imageId ? "the same picture as another image" : null;
  });
  return { pairs: left, dropped, steps, pathology };
}

/** Image id -> the first image id of the same data set and split with the same bytes. */
function firstWithSameBytes(records: readonly CorpusRecord[]): Map<string, string> {
  const first = new Map<string, string>(), original = new Map<string, string>();
  for (const { dataset, split, imageId, imageSha256 } of records) {
    if (imageSha256 === null) continue;
    const key = `${dataset}/${split}/${imageSha256}`;
    if (!first.has(key)) first.set(key, imageId);
    original.set(imageId, first.get(key)!);
  }
  return original;
}

/** What one data set had at first and after each step, for figure 4. */
export function funnelOf(
  steps: readonly CurationStep[],
  dataset: string,
): { step: string; count: number; unit: string }[] {
  const own = steps.filter((s) => s.dataset === dataset);
  const left = own.map((s) => ({ step: s.step, count: s.left, unit: "pairs" }));
  return [{ step: "pairs written", count: own[0]?.in ?? 0, unit: "pairs" }, ...left];
}

/** Dropped pairs per data set and reason. */
export function dropReasons(
  dropped: readonly DroppedPair[],
): { dataset: string; reason: string; pairs: number; origins: string }[] {
  return [...Map.groupBy(dropped, (d) => `${d.dataset} ${d.reason}`)].map(([, own]) => {
    const { dataset, reason } = own[0];
    return { dataset, reason, pairs: own.length, origins: [...new Set(own.map((d) => d.origin))].join(", ") };
  });
}

/** Columns of the table of dropped pairs, which may have no rows. */
export const DROPPED_COLUMNS = {
  id: "string",
  dataset: "string",
  split: "string",
  origin: "string",
  reason: "string",
} as const;
