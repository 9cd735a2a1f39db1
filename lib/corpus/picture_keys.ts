import type { Fingerprint } from "../image/mod.ts";
import { CUTS, middleOf } from "./picture_match.ts";

/** Samples across the middle of a picture, and the frequencies that are looked at in each direction. */
const SIDE = 16, FREQUENCIES = 8;

/** A picture's hash has 63 bits in four words of 16; the last bit of the last word stays 0. */
const WORDS = 4, BITS = 16;

/** Two hashes may differ in so many of the 63 bits to be looked at further; those of evenly cut copies differ in 8 at most. */
const MOST_BITS = 12;

/** A word is also looked up with each of its so many least certain bits turned over. */
const UNSURE = 4;

/** cos(pi (x + 1/2) u / SIDE): row u, column x (the discrete cosine transform, DCT-II). */
const COSINES = Float32Array.from(
  { length: FREQUENCIES * SIDE },
  (_, i) => Math.cos((Math.PI * ((i % SIDE) + 0.5) * Math.floor(i / SIDE)) / SIDE),
);

/** The 63 places of the frequencies but (0, 0), lowest first. */
const LOWEST_FIRST = Array.from({ length: FREQUENCIES ** 2 - 1 }, (_, i) => i + 1)
  .sort((a, b) => frequency(a) - frequency(b) || a - b);
function frequency(place: number): number {
  return Math.floor(place / FREQUENCIES) + place % FREQUENCIES;
}

/** The strengths of the low frequencies of a picture's middle, lowest first. */
function spectrum(print: Fingerprint, cut: number): Float32Array {
  const rows = alongRows(alongRows(middleOf(print, cut, SIDE), SIDE), SIDE);
  const values = new Float32Array(LOWEST_FIRST.length);
  for (let i = 0; i < values.length; i++) values[i] = rows[LOWEST_FIRST[i]];
  return values;
}

/** The low frequencies along each of a picture's rows, as columns, so that two calls transform in both directions. */
function alongRows(picture: Float32Array, side: number): Float32Array {
  const height = picture.length / side, turned = new Float32Array(FREQUENCIES * height);
  for (let y = 0; y < height; y++) {
    for (let u = 0; u < FREQUENCIES; u++) {
      let sum = 0;
      for (let x = 0; x < side; x++) sum += picture[y * side + x] * COSINES[u * side + x];
      turned[u * height + y] = sum;
    }
  }
  return turned;
}

/** Writes a spectrum's signs into `words` from `at` on. */
function writeHash(values: Float32Array, words: Uint16Array, at: number): void {
  words.fill(0, at, at + WORDS);
  for (let i = 0; i < values.length; i++) if (values[i] > 0) words[at + (i >> 4)] |= 1 << (i & 15);
}

const COUNT = Uint8Array.from({ length: 2 ** BITS }, (_, n) => {
  let bits = 0;
  for (let rest = n; rest > 0; rest &= rest - 1) bits++;
  return bits;
});

/** Which pictures have each value of one word: those of value v are members[starts[v] ... starts[v + 1]]. */
interface Buckets {
  starts: Uint32Array;
  members: Uint32Array;
}

function bucketsOf(words: Uint16Array, word: number): Buckets {
  const n = words.length / WORDS, starts = new Uint32Array(2 ** BITS + 1), members = new Uint32Array(n);
  for (let i = 0; i < n; i++) starts[words[i * WORDS + word] + 1]++;
  for (let v = 0; v < 2 ** BITS; v++) starts[v + 1] += starts[v];
  const next = starts.slice();
  for (let i = 0; i < n; i++) members[next[words[i * WORDS + word]]++] = i;
  return { starts, members };
}

/** Pictures that may be the same as one picture that is cut, as indices. */
export interface Candidates {
  picture: number;
  /** One of CUTS. */
  cut: number;
  partners: number[];
}

/**
 * For each picture and each of CUTS, those that may show what it shows when it is cut, found without comparing all with
 * all: the signs of the lowest frequencies of the middle are a perceptual hash (pHash), and two are looked at if one word
 * of it is the same, but for one uncertain bit, and the whole hash differs in at most 12 of 63 bits.
 * Source: C. Zauner, Implementation and benchmarking of perceptual image hash functions, 2010; the look-up by words is
 * multi-index hashing, M. Norouzi, A. Punjani, D. Fleet, CVPR 2012.
 */
export function* candidates(prints: readonly Fingerprint[]): Generator<Candidates> {
  const n = prints.length, hashes = new Uint16Array(n * WORDS);
  prints.forEach((print, i) => writeHash(spectrum(print, 0), hashes, i * WORDS));
  const buckets = Array.from({ length: WORDS }, (_, word) => bucketsOf(hashes, word));
  const probe = new Uint16Array(WORDS);
  const asked = new Int32Array(n).fill(-1);
  for (let picture = 0, turn = 0; picture < n; picture++) {
    for (const cut of CUTS) {
      const values = spectrum(prints[picture], cut), partners: number[] = [];
      writeHash(values, probe, 0);
      for (let word = 0; word < WORDS; word++) {
        const { starts, members } = buckets[word];
        for (const value of near(probe[word], values.subarray(word * BITS, (word + 1) * BITS))) {
          for (let m = starts[value]; m < starts[value + 1]; m++) {
            const j = members[m];
            if (j === picture || asked[j] === turn || distance(probe, hashes, j * WORDS) > MOST_BITS) {
              continue;
            }
            asked[j] = turn;
            partners.push(j);
          }
        }
      }
      turn++;
      if (partners.length > 0) yield { picture, cut, partners };
    }
  }
}

/** A word, and the word with each of its least certain bits turned over. */
function near(word: number, values: Float32Array): number[] {
  const words = [word];
  for (let turned = 0; turned < UNSURE; turned++) {
    let least = -1, size = Infinity;
    for (let bit = 0; bit < values.length; bit++) {
      if (Math.abs(values[bit]) < size && !words.includes(word ^ (1 << bit))) {
        least = bit;
        size = Math.abs(values[bit]);
      }
    }
    words.push(word ^ (1 << least));
  }
  return words;
}

function distance(probe: Uint16Array, hashes: Uint16Array, at: number): number {
  let bits = 0;
  for (let k = 0; k < WORDS; k++) bits += COUNT[probe[k] ^ hashes[at + k]];
  return bits;
}
