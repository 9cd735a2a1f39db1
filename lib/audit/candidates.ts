import { THUMBNAIL } from "../image/mod.ts";
import type { Placement } from "./align.ts";
import { DESCRIPTORS, type Landmarks, TURNED } from "./landmarks.ts";
import { turnPoint, TURNS } from "./turns.ts";

/** Signs of so many descriptors make the word by which landmarks are looked up: 2 ** BITS words. */
const BITS = 22;
/** A word is also looked up with each choice of its so many least certain bits turned over. */
const UNSURE = 4;
/** Scalar product, of 10,000 at most, from which on two landmarks are alike. */
const ALIKE = 8200;
/** Landmarks of a word from which on it is passed over: what every picture has tells nothing. */
const CROWD = 16;
/** Alike landmarks that two pictures have in the same places, for the pair to be looked at. */
export const FEWEST_SHARED = 3;
/** Pairs of one picture, those with most alike landmarks first, whose landmarks' places are compared. */
const PLACED = 12;
/** Pairs of one picture that are looked at, those with most landmarks in the same places first. */
const LOOKED_AT = 5;

/** The order of descriptors in the word: lowest frequencies first, but not the two that every spot has. */
const ORDER = Array.from({ length: DESCRIPTORS }, (_, i) => i)
  .sort((a, b) => frequency(a) - frequency(b) || a - b).slice(0, BITS);
function frequency(i: number): number {
  return Math.floor((i + 1) / 5) + (i + 1) % 5;
}

/** An earlier picture that may show what a picture shows once that is turned. */
export interface Candidate {
  other: number;
  turn: number;
  /** 1, or -1 where one is the negative of the other. */
  sign: number;
  /** Alike landmarks in the same places. */
  shared: number;
  /** Where a point of the other picture lies in the turned one, roughly. */
  placement: Placement;
}

/** Landmarks of pictures by word. */
export interface LandmarkIndex {
  pictures: Landmarks[];
  /** First entry of each word, -1 for none; and the entry after each. */
  first: Int32Array;
  next: number[];
  /** Picture and landmark of each entry. */
  picture: number[];
  mark: number[];
  crowd: Uint16Array;
}

export const newLandmarkIndex = (): LandmarkIndex => ({
  pictures: [],
  first: new Int32Array(2 ** BITS).fill(-1),
  next: [],
  picture: [],
  mark: [],
  crowd: new Uint16Array(2 ** BITS),
});

/** Adds a picture. */
export function addLandmarks(index: LandmarkIndex, marks: Landmarks): void {
  const number = index.pictures.push(marks) - 1;
  for (let k = 0; k < marks.count; k++) {
    const word = wordOf(marks.descriptors, k * DESCRIPTORS);
    if (index.crowd[word] >= CROWD) continue;
    index.crowd[word]++;
    index.next.push(index.first[word]);
    index.first[word] = index.picture.push(number) - 1;
    index.mark.push(k);
  }
}

function wordOf(descriptors: Int8Array, at: number): number {
  let word = 0;
  for (let b = 0; b < BITS; b++) if (descriptors[at + ORDER[b]] > 0) word |= 1 << b;
  return word;
}

/** A landmark of the turned picture and one of another picture that are alike. */
interface Shared {
  mark: number;
  other: number;
}

/**
 * The pictures of an index that may show what a picture shows, in any of the eight turns, as a negative, or cut: those
 * with alike landmarks in the same places.
 */
export function candidatesFor(index: LandmarkIndex, marks: Landmarks): Candidate[] {
  const found: Candidate[] = [], turned = new Int8Array(DESCRIPTORS), words = new Int32Array(1 << UNSURE);
  const all: { turn: number; key: number; list: Shared[] }[] = [];
  for (let turn = 0; turn < TURNS; turn++) {
    const { from, sign } = TURNED[turn], shared = new Map<number, Shared[]>();
    for (let k = 0; k < marks.count; k++) {
      const at = k * DESCRIPTORS;
      for (let i = 0; i < DESCRIPTORS; i++) turned[i] = sign[i] * marks.descriptors[at + from[i]];
      nearWords(turned, words);
      for (const word of words) {
        if (index.crowd[word] >= CROWD) continue;
        for (let entry = index.first[word]; entry >= 0; entry = index.next[entry]) {
          const other = index.picture[entry], own = index.mark[entry], others = index.pictures[other];
          if (product(turned, others.descriptors, own * DESCRIPTORS) < ALIKE) continue;
          const key = 2 * other + (marks.sign[k] === others.sign[own] ? 0 : 1), list = shared.get(key);
          if (list === undefined) shared.set(key, [{ mark: k, other: own }]);
          else list.push({ mark: k, other: own });
        }
      }
    }
    for (const [key, list] of shared) if (list.length >= FEWEST_SHARED) all.push({ turn, key, list });
  }
  for (const { turn, key, list } of all.sort((a, b) => b.list.length - a.list.length).slice(0, PLACED)) {
    const other = key >> 1, best = inPlace(list, marks, index.pictures[other], turn);
    if (best.shared >= FEWEST_SHARED) found.push({ other, turn, sign: key & 1 ? -1 : 1, ...best });
  }
  return found.sort((a, b) => b.shared - a.shared || a.other - b.other || a.turn - b.turn).slice(
    0,
    LOOKED_AT,
  );
}

/** A word, and those with some of its least certain bits turned over. */
function nearWords(descriptors: Int8Array, words: Int32Array): void {
  let word = 0, taken = 0;
  for (let b = 0; b < BITS; b++) if (descriptors[ORDER[b]] > 0) word |= 1 << b;
  words[0] = word;
  for (let k = 0; k < UNSURE; k++) {
    let least = 0, size = Infinity;
    for (let b = 0; b < BITS; b++) {
      const value = Math.abs(descriptors[ORDER[b]]);
      if (value < size && !(taken & (1 << b))) [least, size] = [b, value];
    }
    taken |= 1 << least;
    for (let i = 0; i < 1 << k; i++) words[(1 << k) + i] = words[i] ^ (1 << least);
  }
}

function product(a: Int8Array, b: Int8Array, at: number): number {
  let sum = 0;
  for (let i = 0; i < DESCRIPTORS; i++) sum += a[i] * b[at + i];
  return sum;
}

/** Points by which alike landmarks may be off, by how much more for each point from the first one, and the scales tried. */
const OFF = 2.5, STRETCH = 0.1, SCALES = [1, 0.8, 1.25];
/** Alike landmarks that are looked at, and those that are tried as the first one. */
const CONSIDERED = 64, TRIED = 16;

/** The largest part of alike landmarks that lie in the same places, and the placement that fits these. */
function inPlace(
  list: readonly Shared[],
  marks: Landmarks,
  others: Landmarks,
  turn: number,
): { shared: number; placement: Placement } {
  const n = Math.min(list.length, CONSIDERED), [ax, ay, bx, by] = [0, 1, 2, 3].map(() => new Float32Array(n));
  for (let i = 0; i < n; i++) {
    const { mark, other } = list[i];
    [ax[i], ay[i]] = turnPoint(turn, marks.x[mark], marks.y[mark], THUMBNAIL);
    [bx[i], by[i]] = [others.x[other], others.y[other]];
  }
  /** Whether landmark i is where it should be, seen from landmark `first`, if b is `wide` and `high` as large in a. */
  const fits = (i: number, first: number, wide: number, high: number): boolean => {
    const x = bx[i] - bx[first], y = by[i] - by[first];
    return Math.abs(ax[i] - ax[first] - wide * x) <= OFF + STRETCH * Math.abs(x) &&
      Math.abs(ay[i] - ay[first] - high * y) <= OFF + STRETCH * Math.abs(y);
  };
  let most = 0, best = [0, 1, 1];
  for (let first = 0; first < Math.min(n, TRIED); first++) {
    for (const wide of SCALES) {
      for (const high of SCALES) {
        let count = 0, last = -1; // the list has each landmark's partners one after the other
        for (let i = 0; i < n; i++) {
          if (list[i].mark === last || !fits(i, first, wide, high)) continue;
          last = list[i].mark;
          count++;
        }
        if (count > most) [most, best] = [count, [first, wide, high]];
      }
    }
  }
  const [first, wide, high] = best, agree: number[] = [];
  for (let i = 0; i < n; i++) if (fits(i, first, wide, high)) agree.push(i);
  const [across, right] = line(agree.map((i) => bx[i]), agree.map((i) => ax[i]), wide);
  const [along, down] = line(agree.map((i) => by[i]), agree.map((i) => ay[i]), high);
  return { shared: most, placement: { wide: across, high: along, right, down } };
}

/** How much the scale that was tried counts beside the points, in their squared distances. */
const PRIOR = 60;

/** The line y = slope x + shift that fits points best, with a slope near `scale` where they say little about it. */
function line(x: readonly number[], y: readonly number[], scale: number): [slope: number, shift: number] {
  const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;
  const mx = mean(x), my = mean(y);
  let xx = PRIOR, xy = PRIOR * scale;
  x.forEach((value, i) => {
    xx += (value - mx) ** 2;
    xy += (value - mx) * (y[i] - my);
  });
  return [xy / xx, my - (xy / xx) * mx];
}
