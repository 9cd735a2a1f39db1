import { rng, shuffle } from "../config/mod.ts";

/** Patches are taken from the whole picture, or brought back to one that shows none. */
export type Perturbation = "deletion" | "insertion";

/** Patches of a map from the strongest to the weakest; equal ones in seeded random order. */
export function strongestFirst(map: Float32Array, seed: number | string): number[] {
  return shuffle([...map.keys()], rng(seed)).sort((a, b) => map[b] - map[a]);
}

/**
 * Which patches are shown while they are taken away, or brought back, in equal steps: `steps + 1` times 1 where a patch is
 * shown, the start first.
 *
 * @param order patches, the first to be changed first
 */
export function shownPatches(kind: Perturbation, order: readonly number[], steps: number): Uint8Array[] {
  const before = Number(kind === "deletion");
  return Array.from({ length: steps + 1 }, (_, step) => {
    const shown = new Uint8Array(order.length).fill(before);
    for (const patch of order.slice(0, Math.round(step * order.length / steps))) shown[patch] = 1 - before;
    return shown;
  });
}

/**
 * A picture with the patches that are not shown in its mean colour.
 *
 * @param data `[side * side * 3]`; `shown` `[rows * rows]`, whose patches fill the picture
 */
export function showPatches(data: Uint8Array, shown: Uint8Array, side: number): Uint8Array {
  const rows = Math.sqrt(shown.length), patch = side / rows, sums = [0, 0, 0], out = data.slice();
  data.forEach((value, i) => sums[i % 3] += value);
  const colour = sums.map((sum) => Math.round(sum / (side * side)));
  for (let i = 0; i < side * side; i++) {
    const row = Math.floor(i / side / patch), column = Math.floor((i % side) / patch);
    if (!shown[row * rows + column]) out.set(colour, 3 * i);
  }
  return out;
}

/** Area under a curve of equal steps from 0 to 1 (trapezoids): what its scores are in the mean. */
export function areaUnder(scores: readonly number[]): number {
  const ends = (scores[0] + scores[scores.length - 1]) / 2;
  return (scores.slice(1, -1).reduce((sum, score) => sum + score, 0) + ends) / (scores.length - 1);
}
