import { THUMBNAIL } from "../image/mod.ts";
import { blur } from "./blur.ts";
import { TURNS } from "./turns.ts";

/** Most landmarks of each of CELLS x CELLS parts of a picture, so that a text cannot take them all. */
const MOST = 8, CELLS = 4;
/** Blurs of the scale space, in pixels of the thumbnail; a landmark is an extremum of the difference of two neighbours. */
const SIGMAS = Array.from({ length: 7 }, (_, k) => 1.2 * 2 ** (k / 3));
/** Least difference of two blurs at a landmark, in grey levels, and the largest ratio of its two curvatures: not an edge. */
const CONTRAST = 0.8, EDGE = 10;
/** Samples across the patch around a landmark and their distance, in sigmas of the landmark. */
const PATCH = 8, STEP = 1.25;
/** Frequencies of the patch in each direction; the constant one says nothing. */
const FREQUENCIES = 5;
/** Most landmarks of a picture. */
export const MARKS = MOST * CELLS ** 2;
/** Numbers that describe a landmark. */
export const DESCRIPTORS = FREQUENCIES ** 2 - 1;

/** Points of a picture that are found again in its copies, with what is around them. */
export interface Landmarks {
  count: number;
  /** In pixels of the thumbnail. */
  x: Uint8Array;
  y: Uint8Array;
  /** 1 for a bright spot, -1 for a dark one. Descriptors are of the bright one: a negative has the same. */
  sign: Int8Array;
  /** [count, DESCRIPTORS], each of norm 100: the low frequencies (DCT-II) of the patch. */
  descriptors: Int8Array;
}

/**
 * The landmarks of a picture: extrema of differences of Gaussians in place, as of SIFT (D. Lowe, Int. J. Computer Vision
 * 60, 2004), each described by the low frequencies of the patch around it, upright. Of a picture of one grey there are none.
 */
export function landmarksOf(view: Uint8Array): Landmarks {
  const side = THUMBNAIL, blurred: Float32Array[] = [];
  for (const [k, sigma] of SIGMAS.entries()) { // blurs add up by their squares
    const [before, done] = k === 0 ? [Float32Array.from(view), 0] : [blurred[k - 1], SIGMAS[k - 1]];
    blurred.push(blur(before, side, Math.sqrt(sigma ** 2 - done ** 2)));
  }
  const found: { x: number; y: number; k: number; strength: number; sign: number }[] = [];
  for (let k = 0; k + 1 < SIGMAS.length; k++) {
    const fine = blurred[k], difference = blurred[k + 1].map((value, i) => fine[i] - value);
    for (let y = 2; y < side - 2; y++) {
      for (let x = 2; x < side - 2; x++) {
        const at = y * side + x, value = difference[at], sign = value > 0 ? 1 : -1;
        if (sign * value < CONTRAST || !isPeak(difference, at, sign) || isEdge(difference, at)) continue;
        found.push({ x, y, k, strength: sign * value, sign });
      }
    }
  }
  const taken = new Uint8Array(CELLS ** 2), cell = side / CELLS;
  const chosen = found.sort((a, b) => b.strength - a.strength).filter(({ x, y }) =>
    taken[Math.floor(y / cell) * CELLS + Math.floor(x / cell)]++ < MOST
  );
  const count = chosen.length;
  const marks: Landmarks = {
    count,
    x: Uint8Array.from(chosen, ({ x }) => x),
    y: Uint8Array.from(chosen, ({ y }) => y),
    sign: Int8Array.from(chosen, ({ sign }) => sign),
    descriptors: new Int8Array(count * DESCRIPTORS),
  };
  chosen.forEach(({ x, y, k, sign }, i) => {
    const into = marks.descriptors.subarray(i * DESCRIPTORS, (i + 1) * DESCRIPTORS);
    describe(blurred[k], x, y, SIGMAS[k], sign, into);
  });
  return marks;
}

const AROUND = [-1, 1, -THUMBNAIL - 1, -THUMBNAIL, -THUMBNAIL + 1, THUMBNAIL - 1, THUMBNAIL, THUMBNAIL + 1];

/** Whether no neighbour is stronger. */
function isPeak(values: Float32Array, at: number, sign: number): boolean {
  const value = sign * values[at];
  for (const offset of AROUND) if (sign * values[at + offset] > value) return false;
  return true;
}

function isEdge(d: Float32Array, at: number): boolean {
  const xx = d[at - 1] + d[at + 1] - 2 * d[at], yy = d[at - THUMBNAIL] + d[at + THUMBNAIL] - 2 * d[at];
  const xy = (d[at + THUMBNAIL + 1] - d[at + THUMBNAIL - 1] - d[at - THUMBNAIL + 1] + d[at - THUMBNAIL - 1]) /
    4;
  const determinant = xx * yy - xy * xy;
  return determinant <= 0 || (xx + yy) ** 2 * EDGE >= (EDGE + 1) ** 2 * determinant;
}

/** cos(pi (x + 1/2) u / PATCH): row u, column x. */
const COSINES = Float32Array.from(
  { length: FREQUENCIES * PATCH },
  (_, i) =>
    Math.cos((Math.PI * ((i % PATCH) + 0.5) * Math.floor(i / PATCH)) / PATCH) *
    (i < PATCH ? Math.SQRT1_2 : 1),
);

/** Writes the low frequencies of the patch around a landmark: v-major, without (0, 0). */
function describe(
  picture: Float32Array,
  x: number,
  y: number,
  sigma: number,
  sign: number,
  into: Int8Array,
): void {
  const rows = new Float32Array(PATCH * FREQUENCIES);
  for (let r = 0; r < PATCH; r++) {
    const py = within(y + (r - (PATCH - 1) / 2) * STEP * sigma),
      y0 = Math.min(THUMBNAIL - 2, Math.floor(py)),
      fy = py - y0;
    for (let c = 0; c < PATCH; c++) {
      const px = within(x + (c - (PATCH - 1) / 2) * STEP * sigma),
        x0 = Math.min(THUMBNAIL - 2, Math.floor(px)),
        fx = px - x0;
      const at = y0 * THUMBNAIL + x0;
      const upper = picture[at] + fx * (picture[at + 1] - picture[at]);
      const lower = picture[at + THUMBNAIL] + fx * (picture[at + THUMBNAIL + 1] - picture[at + THUMBNAIL]);
      const value = upper + fy * (lower - upper);
      for (let u = 0; u < FREQUENCIES; u++) rows[r * FREQUENCIES + u] += value * COSINES[u * PATCH + c];
    }
  }
  const numbers = new Float32Array(FREQUENCIES ** 2);
  let squares = 0;
  for (let v = 0; v < FREQUENCIES; v++) {
    for (let u = 0; u < FREQUENCIES; u++) {
      if (u + v === 0) continue;
      let sum = 0;
      for (let r = 0; r < PATCH; r++) sum += rows[r * FREQUENCIES + u] * COSINES[v * PATCH + r];
      numbers[v * FREQUENCIES + u] = sum;
      squares += sum * sum;
    }
  }
  const scale = sign * 100 / Math.sqrt(squares || 1);
  for (let i = 0; i < DESCRIPTORS; i++) into[i] = Math.round(scale * numbers[i + 1]);
}

const within = (at: number) => Math.min(THUMBNAIL - 1, Math.max(0, at));

/** Of each turn: for each of the turned patch's numbers, which one of the upright patch it is, and its sign. */
export const TURNED: readonly { from: Uint8Array; sign: Int8Array }[] = Array.from(
  { length: TURNS },
  (_, turn) => {
    const from = new Uint8Array(DESCRIPTORS), sign = new Int8Array(DESCRIPTORS);
    for (let i = 0; i < DESCRIPTORS; i++) {
      const u = (i + 1) % FREQUENCIES, v = Math.floor((i + 1) / FREQUENCIES);
      from[i] = (turn & 4 ? u * FREQUENCIES + v : v * FREQUENCIES + u) - 1;
      sign[i] = (turn & 1 && u % 2 ? -1 : 1) * (turn & 2 && v % 2 ? -1 : 1);
    }
    return { from, sign };
  },
);
