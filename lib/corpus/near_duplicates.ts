import type { Fingerprint } from "../image/mod.ts";
import { candidates } from "./picture_keys.ts";
import { correlation, type Details, detailsOf } from "./picture_match.ts";

/**
 * From this similarity on two images are said to show the same picture. It lies in the gap between what
 * `./lab bench overlap` measures: planted copies of 109 radiographs reach 0.93 and more, the two most alike of different
 * radiographs 0.85 (chest films of different cases).
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

/**
 * Finds images that show the same picture: re-encoded, resized, stretched, evenly cut by up to 6% on every side, with
 * text burned in at the border, grey for colour, lighter or darker. Not found: mirrored, rotated or further cut ones, and
 * pictures of one grey. Of copies cut on some sides only, some are found (3% on the left and below: 29 of 109): trying
 * such cuts as well brings different radiographs up to 0.90.
 *
 * Candidates come from a perceptual hash (picture_keys.ts) and are then compared by their details (picture_match.ts),
 * each with the few rows that rule it out. The time is that of hashing, linear, plus that of the pairs with a like hash,
 * which grows with the square of the images, but slowly: it is about a quarter of the time among 100,000 pictures of
 * noise, half among 20,000 of one shape. Memory: 2.4 kB of details for each picture that was a candidate.
 *
 * @param prints fingerprints by image id
 */
export function nearDuplicates(prints: ReadonlyMap<string, Fingerprint>): NearPair[] {
  const ids = [...prints.keys()], all = [...prints.values()];
  const uncut: (Details | null | undefined)[] = new Array(all.length).fill(undefined);
  const found = new Map<number, number>();
  for (const { picture, cut, partners } of candidates(all)) {
    const details = detailsOf(all[picture], cut);
    for (const partner of partners) {
      const other = uncut[partner] === undefined
        ? uncut[partner] = detailsOf(all[partner], 0)
        : uncut[partner];
      const similarity = correlation(details, other, SAME_PICTURE);
      if (similarity < SAME_PICTURE) continue;
      const pair = Math.min(picture, partner) * all.length + Math.max(picture, partner);
      found.set(pair, Math.max(similarity, found.get(pair) ?? 0));
    }
  }
  return [...found].sort(([a], [b]) => a - b).map(([pair, similarity]) => {
    const a = Math.floor(pair / all.length), b = pair % all.length;
    return { a: ids[a], b: ids[b], similarity };
  });
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
