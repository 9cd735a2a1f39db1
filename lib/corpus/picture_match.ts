import { type Fingerprint, THUMBNAIL } from "../image/mod.ts";

/**
 * Shares of width and height that a copy may lack on every side, as they are tried. A copy cut by something between two
 * of them is at most 0.75% of a side from the nearer one.
 */
export const CUTS = [0, 0.015, 0.03, 0.045, 0.06];

/** Share of a picture on every side that is not compared: text is burned in there. */
const MARGIN = 1 / 8;

/** Samples across the part that is compared. */
const SIDE = 24;

/**
 * Resamples the middle of a thumbnail, cut by `cut` on every side and then by the margin, to side x side (bilinear).
 */
export function middleOf(print: Fingerprint, cut: number, side: number): Float32Array {
  const from = cut + (1 - 2 * cut) * MARGIN, step = (1 - 2 * from) / side;
  const first = new Int32Array(side), part = new Float32Array(side);
  for (let i = 0; i < side; i++) {
    const at = (from + (i + 0.5) * step) * THUMBNAIL - 0.5;
    first[i] = Math.floor(at);
    part[i] = at - first[i];
  }
  const out = new Float32Array(side * side), { grey } = print;
  for (let y = 0, o = 0; y < side; y++) {
    const row = first[y] * THUMBNAIL, down = part[y];
    for (let x = 0; x < side; x++, o++) {
      const at = row + first[x], right = part[x];
      const upper = grey[at] + right * (grey[at + 1] - grey[at]);
      const lower = grey[at + THUMBNAIL] + right * (grey[at + THUMBNAIL + 1] - grey[at + THUMBNAIL]);
      out[o] = upper + down * (lower - upper);
    }
  }
  return out;
}

/** A Gaussian's weights for distances 0, 1, 2, ... up to three standard deviations; all of them sum to 1. */
function gaussian(sigma: number): Float32Array {
  const half = Float32Array.from(
    { length: Math.ceil(3 * sigma) + 1 },
    (_, i) => Math.exp(-i * i / (2 * sigma * sigma)),
  );
  const sum = half.reduce((total, weight, i) => total + (i === 0 ? weight : 2 * weight), 0);
  return half.map((weight) => weight / sum);
}
const FINE = gaussian(0.85), COARSE = gaussian(1.6);

/** Blurs a SIDE x SIDE picture in both directions; beyond its border it goes on as at the border. */
function blur(picture: Float32Array, weights: Float32Array): Float32Array {
  return blurRowsTurned(blurRowsTurned(picture, weights), weights);
}

/** Blurs along the rows and turns rows into columns, so that two calls blur in both directions. */
function blurRowsTurned(picture: Float32Array, weights: Float32Array): Float32Array {
  const reach = weights.length - 1, line = new Float32Array(SIDE + 2 * reach);
  const turned = new Float32Array(SIDE * SIDE);
  for (let y = 0; y < SIDE; y++) {
    const row = y * SIDE;
    for (let i = 0; i < SIDE; i++) line[reach + i] = picture[row + i];
    line.fill(picture[row], 0, reach);
    line.fill(picture[row + SIDE - 1], reach + SIDE);
    for (let i = 0, at = reach; i < SIDE; i++, at++) {
      let sum = weights[0] * line[at];
      for (let k = 1; k <= reach; k++) sum += weights[k] * (line[at - k] + line[at + k]);
      turned[i * SIDE + y] = sum;
    }
  }
  return turned;
}

/** Root mean square of the details, in grey levels, below which a picture shows nothing that could be compared. */
const FLAT = 0.25;

/** The details of a picture's middle: SIDE x SIDE numbers of mean 0 and norm 1. */
export interface Details {
  values: Float32Array;
  /** Norm of the rows after each row. */
  rest: Float32Array;
}

/**
 * The details of a picture's middle: the difference of two blurs (0.85 and 1.6 samples), so that neither the light nor the
 * body's outline, which all pictures of one organ share, counts. Null for a picture of one grey.
 */
export function detailsOf(print: Fingerprint, cut: number): Details | null {
  const picture = middleOf(print, cut, SIDE);
  const values = blur(picture, FINE), coarse = blur(picture, COARSE), n = values.length;
  let mean = 0, squares = 0;
  for (let i = 0; i < n; i++) mean += (values[i] -= coarse[i]) / n;
  for (let i = 0; i < n; i++) squares += (values[i] -= mean) ** 2;
  const norm = Math.sqrt(squares), rest = new Float32Array(SIDE);
  if (norm < FLAT * SIDE) return null;
  squares = 0;
  for (let i = n - 1; i >= 0; i--) {
    if (i % SIDE === SIDE - 1) rest[(i - SIDE + 1) / SIDE] = Math.sqrt(squares);
    squares += (values[i] /= norm) ** 2;
  }
  return { values, rest };
}

/** The details of a picture as it is and cut by each of CUTS. */
export const allDetailsOf = (print: Fingerprint): (Details | null)[] =>
  CUTS.map((cut) => detailsOf(print, cut));

/**
 * How much two pictures' details agree: their normalised cross-correlation (-1 to 1), the largest over all CUTS of
 * either of the two. 0 where one of them is flat.
 */
export function similarity(a: readonly (Details | null)[], b: readonly (Details | null)[]): number {
  return Math.max(...a.map((cut) => correlation(cut, b[0])), ...b.map((cut) => correlation(a[0], cut)));
}

/**
 * The correlation of two pictures' details. If it does not reach `least`, -1, mostly after a few rows: what the other
 * rows can still add is at most the product of their norms (Cauchy-Schwarz).
 */
export function correlation(a: Details | null, b: Details | null, least = -1): number {
  if (a === null || b === null) return 0;
  let sum = 0;
  for (let row = 0, i = 0; row < SIDE; row++) {
    for (const end = i + SIDE; i < end; i++) sum += a.values[i] * b.values[i];
    if (sum + a.rest[row] * b.rest[row] < least) return -1;
  }
  return sum;
}
