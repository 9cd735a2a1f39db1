import type { CorpusRecord } from "./record.ts";

/**
 * image: the same image id. bytes: the same file under two ids. near: the same picture in other bytes under another id.
 * case: the same patient case.
 */
export type OverlapKind = "image" | "bytes" | "near" | "case";

/** What two splits, of one data set or of two, have in common; or one split with itself (bytes and near only). */
export interface Overlap {
  kind: OverlapKind;
  /** `${dataset}/${split}`. */
  a: string;
  b: string;
  /** Images, files, pictures or cases that they share. */
  shared: number;
  /** Up to five of them: the id, the hash, the case, or two image ids. */
  examples: string[];
}

interface Place {
  place: string;
  imageId: string;
  sha256: string | null;
}

/**
 * What splits share, within one data set and across data sets.
 *
 * @param records with hashes (inspectImages) for the kind "bytes"; records without are left out of that kind
 * @param near groups of image ids that show the same picture (pictureGroups)
 */
export function overlapAudit(
  records: readonly CorpusRecord[],
  near: readonly (readonly string[])[] = [],
): Overlap[] {
  const groupOf = new Map(near.flatMap((group) => group.map((id) => [id, group[0]] as const)));
  const differ = (x: Place, y: Place) => x.imageId !== y.imageId;
  return [
    ...sharedBy(records, "image", (r) => r.imageId, (x, y) => x.place !== y.place),
    ...sharedBy(records, "bytes", (r) => r.imageSha256, differ),
    ...sharedBy(
      records,
      "near",
      (r) => groupOf.get(r.imageId) ?? null,
      (x, y) => differ(x, y) && (x.sha256 === null || x.sha256 !== y.sha256),
    ),
    ...sharedBy(records, "case", (r) => r.caseId, (x, y) => x.place !== y.place),
  ];
}

/** Overlaps by a key: two images overlap where their keys are the same and `counts` holds for them. */
function sharedBy(
  records: readonly CorpusRecord[],
  kind: OverlapKind,
  keyOf: (record: CorpusRecord) => string | null,
  counts: (x: Place, y: Place) => boolean,
): Overlap[] {
  const holders = new Map<string, Map<string, Place>>();
  for (const record of records) {
    const key = keyOf(record), place = `${record.dataset}/${record.split}`, { imageId } = record;
    if (key === null) continue;
    if (!holders.has(key)) holders.set(key, new Map());
    holders.get(key)!.set(`${place} ${imageId}`, { place, imageId, sha256: record.imageSha256 });
  }
  const found = new Map<string, Overlap>();
  for (const [key, places] of holders) {
    const images = [...places.values()], seen = new Set<string>();
    for (const [i, x] of images.entries()) {
      for (const y of images.slice(i + 1)) {
        const [a, b] = [x.place, y.place].sort(), name = JSON.stringify([a, b]);
        if (seen.has(name) || !counts(x, y)) continue;
        seen.add(name);
        const overlap = found.get(name) ?? { kind, a, b, shared: 0, examples: [] };
        overlap.shared++;
        const example = kind === "near" ? `${x.imageId} and ${y.imageId}` : key;
        if (overlap.examples.length < 5) overlap.examples.push(example);
        found.set(name, overlap);
      }
    }
  }
  const rows = [...found.values()].map((row) => ({ ...row, examples: row.examples.sort() }));
  return rows.sort((x, y) => (`${x.a} ${x.b}` < `${y.a} ${y.b}` ? -1 : 1));
}

/** Overlaps between train, validation and test, of one data set or of two: what makes a measured accuracy too high. */
export const betweenSplits = (overlaps: readonly Overlap[]): Overlap[] =>
  overlaps.filter(({ a, b }) => a.split("/")[1] !== b.split("/")[1]);

/** Thrown by requireDisjoint. */
export class SplitOverlapError extends Error {
  override readonly name = "SplitOverlapError";
  constructor(readonly overlaps: readonly Overlap[]) {
    const list = overlaps.map(({ kind, a, b, shared, examples }) =>
      `${a} and ${b} share ${shared} by ${kind} (e.g. ${examples.slice(0, 2).join(", ")})`
    );
    super(
      `Expected train, validation and test to share no image and no case, found: ${list.join("; ")}. ` +
        "Split again by image and case with splitByGroup.",
    );
  }
}

/**
 * Refuses records whose splits share images, files, pictures or cases.
 * @param near as for overlapAudit
 * @throws SplitOverlapError with what is shared
 */
export function requireDisjoint(
  records: readonly CorpusRecord[],
  near: readonly (readonly string[])[] = [],
): void {
  const overlaps = betweenSplits(overlapAudit(records, near));
  if (overlaps.length > 0) throw new SplitOverlapError(overlaps);
}
