import { THUMBNAIL } from "../image/mod.ts";
import type { Placement } from "./align.ts";
import { type Gallery, landmarksIn } from "./gallery.ts";
import { DESCRIPTORS, type Landmarks, MARKS, TURNED } from "./landmarks.ts";
import { turnPoint, TURNS } from "./turns.ts";

/** Signs of so many descriptors make the word by which landmarks are looked up: 2 ** BITS words. */
const BITS = 22;
/** A word is also looked up with each choice of its so many least certain bits turned over. */
const UNSURE = 4;
/** Squared distance of two descriptors, of norm 100, up to which landmarks are alike: a cosine of 0.82. */
const ALIKE = 3600;
/** Landmarks of a word from which on it is passed over: what every picture has tells nothing. */
const CROWD = 16;
/** Alike landmarks that two views have in the same places, for the pair to be looked at. */
const FEWEST_SHARED = 3;
/** Pairs of one view, those with most alike landmarks first, whose landmarks' places are compared. */
const PLACED = 12;
/** Pairs of one view that are looked at, those with most landmarks in the same places first. */
const LOOKED_AT = 5;

/** The order of descriptors in the word: lowest frequencies first, but not the two that every spot has. */
const ORDER = Array.from({ length: DESCRIPTORS }, (_, i) => i)
  .sort((a, b) => frequency(a) - frequency(b) || a - b).slice(0, BITS);
function frequency(i: number): number {
  return Math.floor((i + 1) / 5) + (i + 1) % 5;
}

/** A view that may show what a view of a later picture shows once that is turned. */
export interface Candidate {
  /** Its number. */
  other: number;
  turn: number;
  /** 1, or -1 where one is the negative of the other. */
  sign: number;
  /** Alike landmarks in the same places. */
  shared: number;
  /** Where a point of the other one lies in the turned one, roughly. */
  placement: Placement;
}

/**
 * Landmarks of views by word, in memory that threads share; without those of crowded words. What a word has lies side by
 * side, so that looking it up waits for memory once.
 */
export interface LandmarkIndex {
  /** Where the landmarks of each word begin: [2 ** BITS + 1]. */
  start: Int32Array;
  /** Of each landmark its view times MARKS plus its number there; those of one word in rising order. */
  place: Int32Array;
  /** [landmarks, DESCRIPTORS] */
  descriptors: Int8Array;
}

/** Enters the landmarks of a gallery, once it is described. */
export function indexLandmarks({ count, descriptors }: Gallery): LandmarkIndex {
  const words = new Int32Array(count.length * MARKS), sizes = new Int32Array(2 ** BITS);
  const each = (use: (place: number) => void) =>
    count.forEach((own, view) => {
      for (let place = view * MARKS; place < view * MARKS + own; place++) use(place);
    });
  each((place) => sizes[words[place] = wordOf(descriptors, place * DESCRIPTORS)]++);
  const start = new Int32Array(new SharedArrayBuffer(4 * (2 ** BITS + 1)));
  for (let word = 0; word < 2 ** BITS; word++) {
    if (sizes[word] >= CROWD) sizes[word] = 0;
    start[word + 1] = start[word] + sizes[word];
  }
  const landmarks = start[2 ** BITS];
  const index: LandmarkIndex = {
    start,
    place: new Int32Array(new SharedArrayBuffer(4 * landmarks)),
    descriptors: new Int8Array(new SharedArrayBuffer(DESCRIPTORS * landmarks)),
  };
  each((place) => {
    const word = words[place];
    if (start[word] === start[word + 1]) return;
    const at = start[word + 1] - sizes[word]--, from = place * DESCRIPTORS;
    index.place[at] = place;
    index.descriptors.set(descriptors.subarray(from, from + DESCRIPTORS), at * DESCRIPTORS);
  });
  return index;
}

function wordOf(descriptors: Int8Array, at: number): number {
  let word = 0;
  for (let b = 0; b < BITS; b++) if (descriptors[at + ORDER[b]] > 0) word |= 1 << b;
  return word;
}

/** Alike landmarks, as they are found: of which turn and view, the landmark of the turned picture and that of the view. */
interface Hits {
  count: number;
  key: Int32Array;
  mark: Uint8Array;
  other: Uint8Array;
  /** How many there are of each key in one turn; zeros between calls. */
  ofKey: Uint16Array;
}
/** One for all calls of a thread: so many lists would take longer to make than to fill. */
const hits: Hits = {
  count: 0,
  key: new Int32Array(1024),
  mark: new Uint8Array(1024),
  other: new Uint8Array(1024),
  ofKey: new Uint16Array(0),
};

function addHit(key: number, mark: number, other: number): void {
  if (hits.count === hits.key.length) {
    const room = 2 * hits.count;
    const [keys, marks, others] = [new Int32Array(room), new Uint8Array(room), new Uint8Array(room)];
    keys.set(hits.key);
    marks.set(hits.mark);
    others.set(hits.other);
    Object.assign(hits, { key: keys, mark: marks, other: others });
  }
  hits.key[hits.count] = key;
  hits.mark[hits.count] = mark;
  hits.other[hits.count++] = other;
  hits.ofKey[key]++;
}

/**
 * The views of an index that may show what a view shows, in any of the eight turns, as a negative, or cut: those with alike
 * landmarks in the same places.
 * @param gallery what the index was made of
 * @param end only views before this one are candidates
 */
export function candidatesFor(
  index: LandmarkIndex,
  gallery: Gallery,
  end: number,
  marks: Landmarks,
): Candidate[] {
  const turned = new Int8Array(DESCRIPTORS), words = new Int32Array(1 << UNSURE);
  const all: { turn: number; key: number; count: number; from: number; to: number }[] = [];
  hits.count = 0;
  if (hits.ofKey.length < 2 * end) hits.ofKey = new Uint16Array(4 * end);
  for (let turn = 0; turn < TURNS; turn++) {
    const { from, sign } = TURNED[turn], start = hits.count;
    for (let k = 0; k < marks.count; k++) {
      const at = k * DESCRIPTORS;
      for (let i = 0; i < DESCRIPTORS; i++) turned[i] = sign[i] * marks.descriptors[at + from[i]];
      nearWords(turned, words);
      for (const word of words) {
        for (let i = index.start[word]; i < index.start[word + 1]; i++) {
          const place = index.place[i];
          if (place >= end * MARKS) break;
          if (!isAlike(turned, index.descriptors, i * DESCRIPTORS)) continue;
          const other = Math.floor(place / MARKS), negative = marks.sign[k] === gallery.sign[place] ? 0 : 1;
          addHit(2 * other + negative, k, place % MARKS);
        }
      }
    }
    for (let i = start; i < hits.count; i++) {
      const key = hits.key[i], count = hits.ofKey[key];
      if (count >= FEWEST_SHARED) all.push({ turn, key, count, from: start, to: hits.count });
      hits.ofKey[key] = 0;
    }
  }
  const found: Candidate[] = [];
  for (const { turn, key, from, to } of all.sort((a, b) => b.count - a.count).slice(0, PLACED)) {
    const list: Shared[] = [];
    for (let i = from; i < to; i++) {
      if (hits.key[i] === key) list.push({ mark: hits.mark[i], other: hits.other[i] });
    }
    const other = key >> 1, best = inPlace(list, marks, landmarksIn(gallery, other), turn);
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

/** Whether a descriptor is like the one that begins at a place: most are not, and a third of their numbers tells. */
function isAlike(a: Int8Array, b: Int8Array, at: number): boolean {
  let squares = 0;
  for (let i = 0; i < DESCRIPTORS;) {
    for (const end = i + DESCRIPTORS / 3; i < end; i++) {
      const difference = a[i] - b[at + i];
      squares += difference * difference;
    }
    if (squares > ALIKE) return false;
  }
  return true;
}

/** A landmark of the turned picture and one of another view that are alike. */
interface Shared {
  mark: number;
  other: number;
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
