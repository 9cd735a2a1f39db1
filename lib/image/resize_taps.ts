/** Pillow's fixed-point filter weights for 8-bit images have 22 bits of fraction. */
const SCALE = 2 ** 22;

/** What every output sample of a side is made of. */
export interface Taps {
  /** First source sample and their number, of every output sample; zeros go on to a multiple of 4 samples. */
  spans: Int32Array;
  /** Fixed-point weights, `stride` slots per output sample, zeros after the last. */
  weights: Int32Array;
  /** A multiple of 8. */
  stride: number;
}

/** Cubic convolution with a = -0.5 (Catmull-Rom), in Pillow's order of operations. */
function cubic(x: number): number {
  const t = Math.abs(x);
  if (t < 1) return (1.5 * t - 2.5) * t * t + 1;
  if (t < 2) return (((t - 5) * t + 8) * t - 4) * -0.5;
  return 0;
}

/** The bicubic filter that takes `from` samples to `to`, antialiased when shrinking, rounded as Pillow rounds it. */
export function bicubicTaps(from: number, to: number): Taps {
  const scale = from / to;
  const stretch = Math.max(scale, 1);
  const support = 2 * stretch;
  const inverse = 1 / stretch;
  const stride = Math.ceil(Math.min(Math.ceil(support) * 2 + 1, from) / 8) * 8;
  const spans = new Int32Array(Math.ceil(to / 4) * 8), weights = new Int32Array(to * stride);
  const exact = new Float64Array(stride);
  for (let i = 0; i < to; i++) {
    const centre = (i + 0.5) * scale;
    const lo = Math.max(0, Math.trunc(centre - support + 0.5));
    const n = Math.min(from, Math.trunc(centre + support + 0.5)) - lo;
    let sum = 0;
    for (let j = 0; j < n; j++) sum += exact[j] = cubic((j + lo - centre + 0.5) * inverse);
    for (let j = 0; j < n; j++) {
      const w = (sum === 0 ? exact[j] : exact[j] / sum) * SCALE;
      weights[i * stride + j] = Math.trunc(w < 0 ? w - 0.5 : w + 0.5);
    }
    spans[2 * i] = lo;
    spans[2 * i + 1] = n;
  }
  return { spans, weights, stride };
}

/**
 * The weights for 16-bit multiplication, each 2^14 high + low: of every 8, first the low halves and then the high ones;
 * as many output samples as in `spans`.
 */
export function weightHalves({ spans, weights, stride }: Taps): Int16Array {
  const halves = new Int16Array(stride * spans.length);
  for (let i = 0; i < weights.length; i++) {
    const at = 2 * i - i % 8;
    halves[at] = weights[i] & 0x3fff;
    halves[at + 8] = weights[i] >> 14;
  }
  return halves;
}
