import type { Fingerprint } from "../image/mod.ts";
import { candidatePairs } from "./picture_keys.ts";
import { allDetailsOf, similarity } from "./picture_match.ts";

/**
 * From this similarity on two images are said to show the same picture. It lies in the gap between what
 * `./lab bench overlap` measures: planted copies of 109 radiographs reach 0.93 and more, the two most alike of different
 * radiographs 0.85 (chest films; they are of different patients).
 */
export const SAME_PICTURE = 0.9;

/** Two images that show the same picture. */
export interface NearPair {
  /** Image ids, `a` before `b` in the order in which they were given. */
  a: string;
  b: string;
  /** Correlation of their details, SAME_PICTURE to 1. */
  similarity: number;
}

/** Details are kept for at most so many pictures at once (60 MB). */
const KEPT = 4096;

/**
 * Finds images that show the same picture: re-encoded, resized, stretched, evenly cut by up to 6% on every side, with
 * text burned in at the border, grey for colour, lighter or darker. Not found: mirrored, rotated, unevenly or further
 * cut ones, and pictures of one grey.
 *
 * Candidates come from a perceptual hash (picture_keys.ts) and are then compared by their details (picture_match.ts), so
 * the time grows with the images and with the pairs that look alike, not with the square of the images.
 *
 * @param prints fingerprints by image id
 */
export function nearDuplicates(prints: ReadonlyMap<string, Fingerprint>): NearPair[] {
  const ids = [...prints.keys()], all = [...prints.values()];
  const kept = new Map<number, ReturnType<typeof allDetailsOf>>();
  const detailsOf = (i: number) => {
    const known = kept.get(i);
    if (known) return known;
    if (kept.size >= KEPT) kept.delete(kept.keys().next().value!);
    const details = allDetailsOf(all[i]);
    kept.set(i, details);
    return details;
  };
  const pairs: NearPair[] = [];
  for (const { a, partners } of candidatePairs(all)) {
    const details = detailsOf(a);
    for (const b of partners) {
      const found = similarity(details, detailsOf(b));
      if (found >= SAME_PICTURE) pairs.push({ a: ids[a], b: ids[b], similarity: found });
    }
  }
  return pairs;
}

/** The pairs' images in groups, directly or through others of the same picture; images without a partner are in none. */
export function pictureGroups(pairs: readonly Pick<NearPair, "a" | "b">[]): string[][] {
  const groupOf = new Map<string, string[]>();
  for (const { a, b } of pairs) {
    const one = groupOf.get(a) ?? [a], other = groupOf.get(b) ?? [b];
    if (one === other) continue;
    const joined = [...one, ...other];
    for (const id of joined) groupOf.set(id, joined);
  }
  return [...new Set(groupOf.values())];
}
