import { rng, shuffle } from "../config/mod.ts";

/** Score of an image of which only some patches are shown: keep[p] is 1 where patch p is shown. */
export type PatchScorer = (keep: Uint8Array) => number | Promise<number>;

/** How a score changes as patches are taken away (deletion) or put back (insertion) in a map's order. */
export interface PerturbationCurve {
  /** Share of patches changed, 0 ... 1. */
  fractions: number[];
  scores: number[];
  /** Area under the curve (trapezoids). Deletion: the lower, the more faithful; insertion: the higher. */
  area: number;
}

/**
 * Deletion or insertion curve of one map.
 *
 * @param order patches, first to be changed first (`strongestFirst(map)`).
 * @param steps how many times the score is asked after the start.
 */
export async function perturbationCurve(
  kind: "deletion" | "insertion",
  order: readonly number[],
  score: PatchScorer,
  steps: number,
): Promise<PerturbationCurve> {
  const before = kind === "deletion" ? 1 : 0;
  const keep = new Uint8Array(order.length).fill(before);
  const fractions: number[] = [];
  const scores: number[] = [];
  let changed = 0;
  for (let s = 0; s <= steps; s++) {
    const until = Math.round((s * order.length) / steps);
    for (; changed < until; changed++) keep[order[changed]] = 1 - before;
    fractions.push(changed / order.length);
    scores.push(await score(keep));
  }
  let area = 0;
  for (let s = 1; s < scores.length; s++) {
    area += ((scores[s] + scores[s - 1]) / 2) * (fractions[s] - fractions[s - 1]);
  }
  return { fractions, scores, area };
}

/** Patches of a map from the strongest to the weakest; equal ones in seeded random order. */
export function strongestFirst(map: Float32Array, seed: number | string): number[] {
  return shuffle([...map.keys()], rng(seed)).sort((a, b) => map[b] - map[a]);
}

/** A random order of patches: the baseline of both curves. */
export function randomOrder(patches: number, seed: number | string): number[] {
  return shuffle(Array.from({ length: patches }, (_, p) => p), rng(seed));
}
