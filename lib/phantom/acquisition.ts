import type { Canvas } from "./canvas.ts";
import { type Modality, PHANTOM_SIZE, type Style } from "./names.ts";

/** 4,096 quantiles of the normal distribution: noise for one random number and one look-up a pixel. */
const NORMAL = normalQuantiles(4096);
const NOISE: Record<Modality, number> = { "x-ray": 0.03, ct: 0.05, mri: 0.035 };
/** Noise of the shifted style relative to the generic one. */
const SHIFTED_NOISE = 2;

/**
 * Turns the drawn intensities into 8-bit pixels, as a scanner and its display would:
 *
 * 1. a linear bias field (strong on MR: 20 %, else 3 %), gain and offset of this exposure;
 * 2. shifted style only: darker mid-tones (v becomes 0.4 v + 0.6 v^1.5), coil fall-off towards the corners on MR (35 %), and inverted
 *    polarity on X-ray (bone dark, as on a MONOCHROME1 film);
 * 3. Gaussian noise, twice as strong in the shifted style.
 *
 * The result uses 0.04..0.94 of the range before noise, so that lesions are not lost by clipping.
 */
export function acquire(
  canvas: Canvas,
  modality: Modality,
  style: Style,
  random: () => number,
  noise: () => number,
): Uint8Array {
  const uniform = (low: number, high: number) => low + (high - low) * random();
  const shifted = style === "shifted";
  const bias = modality === "mri" ? 0.2 : 0.03, biasX = bias * uniform(-1, 1), biasY = bias * uniform(-1, 1);
  const gain = uniform(0.88, 1), offset = uniform(0, 0.05);
  const sigma = NOISE[modality] * (shifted ? SHIFTED_NOISE : 1);
  const inverted = shifted && modality === "x-ray", fallOff = shifted && modality === "mri" ? 0.35 : 0;
  const pixels = new Uint8Array(canvas.values.length);
  for (let y = 0, i = 0; y < PHANTOM_SIZE; y++) {
    const v = (2 * y) / PHANTOM_SIZE - 1;
    for (let x = 0; x < PHANTOM_SIZE; x++, i++) {
      const u = (2 * x) / PHANTOM_SIZE - 1;
      let value = canvas.values[i] * (1 + biasX * u + biasY * v) * gain + offset;
      value = Math.min(1, value < 0 ? 0 : value);
      if (shifted) value *= (0.4 + 0.6 * Math.sqrt(value)) * (1 - fallOff * 0.5 * (u * u + v * v));
      if (inverted) value = 1 - value;
      value = 0.04 + 0.9 * value + sigma * NORMAL[(noise() * 4096) | 0];
      pixels[i] = value <= 0 ? 0 : value >= 1 ? 255 : Math.round(value * 255);
    }
  }
  return pixels;
}

/** Quantiles at (k + 0.5) / n by Newton's method; the integral is Abramowitz and Stegun 7.1.26. */
function normalQuantiles(n: number): Float32Array {
  const out = new Float32Array(n);
  let z = -4;
  for (let k = 0; k < n; k++) {
    const target = (k + 0.5) / n;
    for (let step = 0; step < 20; step++) z -= (normalCdf(z) - target) / Math.max(1e-6, normalPdf(z));
    out[k] = z;
  }
  return out;
}

function normalPdf(z: number): number {
  return Math.exp(-z * z / 2) / Math.sqrt(2 * Math.PI);
}

function normalCdf(z: number): number {
  const t = 1 / (1 + 0.3275911 * Math.abs(z) / Math.SQRT2);
  const poly = t *
    (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
  const tail = 0.5 * poly * Math.exp(-z * z / 2);
  return z < 0 ? tail : 1 - tail;
}
