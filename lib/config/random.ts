/** Seeded random numbers: the same seed gives the same stream on every machine. */

/** Four well mixed 32-bit words of a text (FNV-1a with four offsets, then murmur3's finaliser). */
function hashWords(text: string): [number, number, number, number] {
  const words: number[] = [];
  for (const offset of [0x811c9dc5, 0x01000193, 0x9e3779b9, 0x85ebca6b]) {
    let h = offset;
    for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
    h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
    h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
    words.push((h ^ (h >>> 16)) >>> 0);
  }
  return words as [number, number, number, number];
}

/**
 * A stream of uniform numbers in [0, 1) with 32 random bits each.
 *
 * The generator is sfc32 (C. Doty-Humphrey, PractRand) with 128 bits of state, so that streams of different seeds
 * are not segments of one short cycle.
 *
 * @example Two streams of one seed agree
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { rng } from "@lib/config/mod.ts";
 *
 * assertEquals(rng("split/7")(), rng("split/7")());
 * ```
 */
export function rng(seed: number | string): () => number {
  let [a, b, c, d] = hashWords(`${typeof seed}:${seed}`);
  const next = () => {
    const t = (((a + b) | 0) + d) | 0;
    d = (d + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + t | 0;
    return (t >>> 0) / 4294967296;
  };
  for (let i = 0; i < 15; i++) next();
  return next;
}

/** A new array with the items of `items` in random order (Fisher-Yates). */
export function shuffle<T>(items: readonly T[], random: () => number): T[] {
  const out = [...items];
  for (let i = out.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [out[i], out[j]] = [out[j], out[i]];
  }
  return out;
}
