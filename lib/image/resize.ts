import { checkRgb, type RgbImage } from "./rgb.ts";

/** Fraction bits of Pillow's fixed-point filter weights for 8-bit images. */
const PRECISION = 22;
const SCALE = 2 ** PRECISION;
const HALF = 2 ** (PRECISION - 1);

interface Taps {
  /** First source sample of every output sample. */
  first: Int32Array;
  /** Number of source samples of every output sample. */
  count: Int32Array;
  /** Fixed-point weights, `stride` slots per output sample. */
  weights: Int32Array;
  stride: number;
}

/** Cubic convolution with a = -0.5 (Catmull-Rom), in Pillow's order of operations. */
function cubic(x: number): number {
  const t = Math.abs(x);
  if (t < 1) return (1.5 * t - 2.5) * t * t + 1;
  if (t < 2) return (((t - 5) * t + 8) * t - 4) * -0.5;
  return 0;
}

function tapsFor(from: number, to: number): Taps {
  const scale = from / to;
  const stretch = Math.max(scale, 1);
  const support = 2 * stretch;
  const inverse = 1 / stretch;
  const stride = Math.ceil(support) * 2 + 1;
  const first = new Int32Array(to), count = new Int32Array(to), weights = new Int32Array(to * stride);
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
    first[i] = lo;
    count[i] = n;
  }
  return { first, count, weights, stride };
}

function toByte(sum: number): number {
  const value = sum >> PRECISION;
  return value < 0 ? 0 : value > 255 ? 255 : value;
}

/** The horizontal pass: rows stay. */
function toWidth(image: RgbImage, to: number): RgbImage {
  const { width, height, data: source } = image;
  if (width === to) return image;
  const { first, count, weights, stride } = tapsFor(width, to);
  const out = new Uint8Array(to * height * 3);
  for (let y = 0, o = 0; y < height; y++) {
    const row = y * width * 3;
    for (let x = 0; x < to; x++, o += 3) {
      let r = HALF, g = HALF, b = HALF;
      let at = row + first[x] * 3;
      const start = x * stride, end = start + count[x];
      for (let k = start; k < end; k++, at += 3) {
        const w = weights[k];
        r = (r + source[at] * w) | 0;
        g = (g + source[at + 1] * w) | 0;
        b = (b + source[at + 2] * w) | 0;
      }
      out[o] = toByte(r);
      out[o + 1] = toByte(g);
      out[o + 2] = toByte(b);
    }
  }
  return { width: to, height, data: out };
}

/** The vertical pass: columns stay. */
function toHeight(image: RgbImage, to: number): RgbImage {
  const { width, height, data: source } = image;
  if (height === to) return image;
  const { first, count, weights, stride } = tapsFor(height, to);
  const span = width * 3;
  const out = new Uint8Array(span * to);
  const sums = new Int32Array(span);
  for (let y = 0; y < to; y++) {
    sums.fill(HALF);
    for (let j = 0; j < count[y]; j++) {
      const w = weights[y * stride + j];
      const row = (first[y] + j) * span;
      for (let x = 0; x < span; x++) sums[x] += source[row + x] * w;
    }
    for (let x = 0, o = y * span; x < span; x++, o++) out[o] = toByte(sums[x]);
  }
  return { width, height: to, data: out };
}

/**
 * Bicubic resize, bit-equal to `Image.resize((width, height), Image.BICUBIC)` of Pillow 13 on 8-bit images: antialiased
 * when shrinking, two passes with 8 bits between them, 22-bit fixed-point weights. The aspect ratio is not kept. The
 * horizontal pass comes first, unless the height shrinks by more than twice what the width does (in pixels); Pillow 12
 * and older start horizontally there too, which moves some bytes by one or two levels. A side that does not change is
 * left untouched; the result never shares memory with the input.
 * @throws RangeError for sides that are not positive integers or data of the wrong length.
 */
export function resizeBicubic(image: RgbImage, width: number, height: number): RgbImage {
  checkRgb(image);
  if (!Number.isInteger(width) || !Number.isInteger(height) || width < 1 || height < 1) {
    throw new RangeError(
      `An image can be resized to positive whole sides, ${width}x${height} was asked for.`,
    );
  }
  const shrinkY = image.height - height, shrinkX = image.width - width;
  const passes = shrinkY > 0 && shrinkY > 2 * shrinkX ? [toHeight, toWidth] : [toWidth, toHeight];
  let result = image;
  for (const pass of passes) result = pass(result, pass === toWidth ? width : height);
  return result === image ? { width, height, data: image.data.slice() } : result;
}
