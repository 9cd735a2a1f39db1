import { checkRgb, type RgbImage } from "./rgb.ts";

/**
 * Dark violet over red to light yellow in 17 equal steps of OKLab distance with lightness rising all the way, so that
 * equal differences look equal and the order survives colour blindness and grey printing.
 */
const HEAT: readonly (readonly [number, number, number])[] = [
  [26, 4, 78],
  [45, 11, 93],
  [66, 18, 105],
  [88, 25, 115],
  [111, 32, 119],
  [134, 37, 113],
  [155, 43, 103],
  [174, 52, 91],
  [189, 66, 76],
  [204, 83, 66],
  [217, 102, 61],
  [229, 122, 57],
  [239, 143, 56],
  [246, 164, 59],
  [251, 186, 66],
  [253, 208, 80],
  [252, 231, 101],
];

/** The heat map's colour (red, green, blue, 0..255, not rounded) of `t` in [0, 1]; values outside are clipped. */
export function heatColour(t: number): [number, number, number] {
  const at = Math.min(Math.max(t, 0), 1) * (HEAT.length - 1);
  const i = Math.min(Math.floor(at), HEAT.length - 2), f = at - i;
  const mix = (c: 0 | 1 | 2) => HEAT[i][c] + (HEAT[i + 1][c] - HEAT[i][c]) * f;
  return [mix(0), mix(1), mix(2)];
}

/**
 * Enlarges a grid of rows x columns values to height x width by bilinear interpolation between the cells' centres
 * (clamped at the border), as `F.interpolate(mode="bilinear", align_corners=False)` does.
 * @throws RangeError when `values` is not rows x cols long.
 */
export function upsampleBilinear(
  values: ArrayLike<number>,
  rows: number,
  cols: number,
  width: number,
  height: number,
): Float32Array<ArrayBuffer> {
  if (rows < 1 || cols < 1 || values.length !== rows * cols) {
    throw new RangeError(
      `A grid of ${rows}x${cols} needs ${rows * cols} values, ${values.length} were given.`,
    );
  }
  const x = steps(cols, width), y = steps(rows, height);
  const out = new Float32Array(width * height);
  for (let j = 0, o = 0; j < height; j++) {
    const top = y.low[j] * cols, bottom = y.high[j] * cols, v = y.share[j];
    for (let i = 0; i < width; i++, o++) {
      const a = x.low[i], b = x.high[i], u = x.share[i];
      const above = values[top + a] * (1 - u) + values[top + b] * u;
      const below = values[bottom + a] * (1 - u) + values[bottom + b] * u;
      out[o] = above * (1 - v) + below * v;
    }
  }
  return out;
}

/** For every target position the two source cells around it and the share of the second. */
function steps(from: number, to: number): { low: Int32Array; high: Int32Array; share: Float64Array } {
  const low = new Int32Array(to), high = new Int32Array(to), share = new Float64Array(to);
  for (let i = 0; i < to; i++) {
    const at = Math.min(Math.max((i + 0.5) * from / to - 0.5, 0), from - 1);
    low[i] = Math.floor(at);
    high[i] = Math.min(low[i] + 1, from - 1);
    share[i] = at - low[i];
  }
  return { low, high, share };
}

/**
 * Lays a grid of values (patches, row by row from the top left, covering the whole image) over an image as colours.
 * @param options.range values of the lowest and highest colour (default: the grid's own least and greatest), for several
 * maps that are to be compared. @param options.opacity share of the colour, 0 to 1 (default 0.5).
 * @throws RangeError for a wrong number of values, or values that are not finite.
 */
export function overlayHeatmap(
  image: RgbImage,
  values: ArrayLike<number>,
  rows: number,
  cols: number,
  options: { opacity?: number; range?: readonly [number, number] } = {},
): RgbImage {
  checkRgb(image);
  let least = Infinity, most = -Infinity;
  for (let i = 0; i < values.length; i++) {
    if (!Number.isFinite(values[i])) {
      throw new RangeError(`Heat map value ${i} is ${values[i]}: finite values are needed.`);
    }
    least = Math.min(least, values[i]);
    most = Math.max(most, values[i]);
  }
  const { width, height } = image;
  const heat = upsampleBilinear(values, rows, cols, width, height);
  const [low, high] = options.range ?? [least, most];
  const opacity = options.opacity ?? 0.5;
  const data = new Uint8Array(image.data.length);
  for (let i = 0; i < heat.length; i++) {
    const colour = heatColour(high > low ? (heat[i] - low) / (high - low) : 0);
    for (let c = 0; c < 3; c++) {
      data[i * 3 + c] = Math.round(image.data[i * 3 + c] * (1 - opacity) + colour[c] * opacity);
    }
  }
  return { width, height, data };
}

/**
 * Draws the inner border of a mask (height x width, non-zero inside): every inside pixel with an outside neighbour to the
 * left, right, above or below; the image's edge counts as outside.
 * @param colour red, green, blue; default: green, which the heat map does not contain.
 * @throws RangeError when the mask does not have the image's size.
 */
export function drawContour(
  image: RgbImage,
  mask: ArrayLike<number>,
  colour: readonly [number, number, number] = [0, 255, 128],
): RgbImage {
  checkRgb(image);
  const { width, height } = image;
  if (mask.length !== width * height) {
    throw new RangeError(
      `A mask for ${width}x${height} needs ${width * height} values, ${mask.length} were given.`,
    );
  }
  const data = image.data.slice();
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++, i++) {
      if (!mask[i]) continue;
      const inside = x > 0 && x < width - 1 && y > 0 && y < height - 1 &&
        mask[i - 1] && mask[i + 1] && mask[i - width] && mask[i + width];
      if (!inside) data.set(colour, i * 3);
    }
  }
  return { width, height, data };
}
