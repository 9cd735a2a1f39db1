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
  let from = picture;
  for (const [along, across] of [[1, SIDE], [SIDE, 1]]) {
    const to = new Float32Array(SIDE * SIDE);
    for (let line = 0; line < SIDE; line++) {
      for (let i = 0; i < SIDE; i++) {
        const start = line * across;
        let sum = weights[0] * from[start + i * along];
        for (let k = 1; k < weights.length; k++) {
          const before = Math.max(0, i - k), after = Math.min(SIDE - 1, i + k);
          sum += weights[k] * (from[start + before * along] + from[start + after * along]);
        }
        to[start + i * along] = sum;
      }
    }
    from = to;
  }
  return from;
}

/** Root mean square of the details, in grey levels, below which a picture shows nothing that could be compared. */
const FLAT = 0.25;

/**
 * The details of a picture's middle: the difference of two blurs (0.85 and 1.6 samples), so that neither the light nor the
 * body's outline, which all pictures of one organ share, counts. SIDE x SIDE numbers of mean 0 and norm 1; null for a
 * picture of one grey.
 */
export function detailsOf(print: Fingerprint, cut: number): Float32Array | null {
  const picture = middleOf(print, cut, SIDE);
  const fine = blur(picture, FINE), coarse = blur(picture, COARSE);
  const details = fine.map((level, i) => level - coarse[i]);
  const mean = details.reduce((a, b) => a + b, 0) / details.length;
  const norm = Math.sqrt(details.reduce((sum, d) => sum + (d - mean) ** 2, 0));
  return norm < FLAT * SIDE ? null : details.map((d) => (d - mean) / norm);
}

/** The details of a picture as it is and cut by each of CUTS. */
export const allDetailsOf = (print: Fingerprint): (Float32Array | null)[] =>
  CUTS.map((cut) => detailsOf(print, cut));

/**
 * How much two pictures' details agree: their normalised cross-correlation (-1 to 1), the largest over all CUTS of
 * either of the two. 0 where one of them is flat.
 */
export function similarity(a: readonly (Float32Array | null)[], b: readonly (Float32Array | null)[]): number {
  let best = -1;
  for (let k = 0; k < CUTS.length; k++) {
    best = Math.max(best, correlation(a[0], b[k]), correlation(a[k], b[0]));
  }
  return best;
}

function correlation(a: Float32Array | null, b: Float32Array | null): number {
  if (a === null || b === null) return 0;
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}
