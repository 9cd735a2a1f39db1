import type { CorpusRecord } from "../corpus/mod.ts";
import type { ImagePair } from "./pictures.ts";

/** What two splits, of one data set or of two, have in common; or one split with itself (bytes and look only). */
export interface Overlap {
  /**
   * What is the same. image: the image id. bytes: the file, under two ids. look: the picture, in other bytes under another
   * id. case: the patient case.
   */
  kind: "image" | "bytes" | "look" | "case";
  /** `${dataset}/${split}`. */
  a: string;
  /** The other one, likewise. */
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
 * @param pairs images that show the same picture (findCopies)
 */
export function overlapAudit(
  records: readonly CorpusRecord[],
  pairs: readonly ImagePair[] = [],
): Overlap[] {
  const differ = (x: Place, y: Place) => x.imageId !== y.imageId;
  return [
    ...sharedBy(records, "image", (r) => r.imageId, (x, y) => x.place !== y.place),
    ...sharedBy(records, "bytes", (r) => r.imageSha256, differ),
    ...sharedLooks(records, pairs),
    ...sharedBy(records, "case", (r) => r.caseId, (x, y) => x.place !== y.place),
  ];
}

/**
 * What no published data set has between its own splits, so that it is an error: the same image id or the same case. All
 * else is a finding: 03 drops what training shares with an evaluation set.
 */
export const splitErrors = (overlaps: readonly Overlap[]): Overlap[] =>
  overlaps.filter(({ kind, a, b }) =>
    (kind === "image" || kind === "case") && a !== b && a.split("/")[0] === b.split("/")[0]
  );

/** Pairs of images that show the same picture, by the splits they are in. */
function sharedLooks(records: readonly CorpusRecord[], pairs: readonly ImagePair[]): Overlap[] {
  const placesOf = new Map<string, Map<string, string | null>>();
  for (const { imageId, imageSha256, dataset, split } of records) {
    if (!placesOf.has(imageId)) placesOf.set(imageId, new Map());
    placesOf.get(imageId)!.set(`${dataset}/${split}`, imageSha256);
  }
  const found = new Map<string, Overlap>();
  for (const { a, b } of pairs) {
    for (const [x, bytes] of placesOf.get(a) ?? []) {
      for (const [y, others] of placesOf.get(b) ?? []) {
        if (bytes !== null && bytes === others) continue;
        const [first, second] = [x, y].sort(), name = JSON.stringify([first, second]);
        const overlap = found.get(name) ?? { kind: "look", a: first, b: second, shared: 0, examples: [] };
        overlap.shared++;
        if (overlap.examples.length < 5) overlap.examples.push(`${a} and ${b}`);
        found.set(name, overlap);
      }
    }
  }
  return inOrder(found);
}

/** Overlaps by a key: two images overlap where their keys are the same and `counts` holds for them. */
function sharedBy(
  records: readonly CorpusRecord[],
  kind: Overlap["kind"],
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
        if (overlap.examples.length < 5) overlap.examples.push(key);
        found.set(name, overlap);
      }
    }
  }
  return inOrder(found);
}

const inOrder = (found: ReadonlyMap<string, Overlap>): Overlap[] =>
  [...found.values()].map((row) => ({ ...row, examples: row.examples.sort() }))
    .sort((x, y) => (`${x.a} ${x.b}` < `${y.a} ${y.b}` ? -1 : 1));
