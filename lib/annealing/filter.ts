import type { CorpusRecord } from "../corpus/mod.ts";
import type { QaPair } from "../synthesis/mod.ts";

export interface PathologyClass {
  /** Location as the data set writes it; null for records without one. */
  location: string | null;
  images: number;
  kept: boolean;
}

export interface PathologyResult {
  kept: CorpusRecord[];
  /** Images left of images in. */
  images: { kept: number; of: number };
  /** Largest first. */
  classes: PathologyClass[];
}

/**
 * Keeps the records whose location (MedPix "Location", `region`) has at least `minImages` different images: the common
 * pathologies are reinforced, rare ones left out (paper section 4.3 and figure 4; there 100, 1,474 of 2,050 images).
 *
 * @throws if no record has a location
 */
export function pathologyFilter(
  records: readonly CorpusRecord[],
  { minImages }: { minImages: number },
): PathologyResult {
  const imagesOf = new Map<string | null, Set<string>>();
  for (const { region, imageId } of records) {
    const location = region?.trim() || null;
    imagesOf.set(location, (imagesOf.get(location) ?? new Set()).add(imageId));
  }
  if (records.length > 0 && ![...imagesOf.keys()].some((location) => location !== null)) {
    throw new Error(`pathology filter: expected records with a location, found none among ${records.length}`);
  }
  const classes = [...imagesOf].map(([location, images]) => ({
    location,
    images: images.size,
    kept: location !== null && images.size >= minImages,
  })).sort((a, b) => b.images - a.images || (String(a.location) < String(b.location) ? -1 : 1));
  const common = new Set(classes.filter((c) => c.kept).map((c) => c.location));
  const kept = records.filter(({ region }) => common.has(region?.trim() || null));
  const count = (rows: readonly CorpusRecord[]) => new Set(rows.map((row) => row.imageId)).size;
  return { kept, images: { kept: count(kept), of: count(records) }, classes };
}

export interface QualityResult {
  kept: QaPair[];
  dropped: { pair: QaPair; rule: string }[];
  /** Rule -> pairs dropped by it; a pair counts for the first rule that it breaks. */
  counts: Record<string, number>;
}

/** The paper's answers have fewer words than this. */
const ANSWER_WORDS = 60;

const RULES: readonly [string, (pair: QaPair) => boolean][] = [
  [
    "verdict",
    (pair) => Object.values(JSON.parse(pair.verdicts) as Record<string, string>).some((v) => v !== "pass"),
  ],
  ["empty", (pair) => pair.question.trim() === "" || pair.answer.trim() === ""],
  ["history", (pair) => /\bhistory\b/i.test(pair.question)],
  ["long", (pair) => pair.answer.trim().split(/\s+/).length >= ANSWER_WORDS],
];

/**
 * Keeps the pairs fit for enrichment: no verdict against them, question and answer there, no question about history,
 * answers under 60 words, each question once per image. Every rule is counted.
 */
export function qualityFilter(pairs: readonly QaPair[]): QualityResult {
  const counts: Record<string, number> = Object.fromEntries([...RULES.map(([name]) => [name, 0]), [
    "repeated",
    0,
  ]]);
  const kept: QaPair[] = [];
  const dropped: QualityResult["dropped"] = [];
  const seen = new Set<string>();
  for (const pair of pairs) {
    const key = JSON.stringify([pair.imageId, pair.question.trim().toLowerCase()]);
    const rule = RULES.find(([, breaks]) => breaks(pair))?.[0] ?? (seen.has(key) ? "repeated" : undefined);
    if (rule) {
      counts[rule]++;
      dropped.push({ pair, rule });
    } else {
      seen.add(key);
      kept.push(pair);
    }
  }
  return { kept, dropped, counts };
}
