import { resizeBicubic } from "./resize.ts";
import { checkRgb, type RgbImage } from "./rgb.ts";

/** Rows and columns of a fingerprint's thumbnail. */
export const THUMBNAIL = 32;

/** What is kept of an image to find its copies: a record that structuredClone and Workers pass on. */
export interface Fingerprint {
  /** Grey levels, THUMBNAIL x THUMBNAIL, rows from the top: the whole image, its shape not kept. */
  grey: Uint8Array;
}

/**
 * The fingerprint of an image: its luma (ITU-R BT.601) averaged over a grid of equal cells, whatever the image's shape.
 * A pixel on a border counts to both cells by its parts, so that size and resampling hardly matter.
 * @throws RangeError when the data's length is not width x height x 3
 */
export function fingerprint(image: RgbImage): Fingerprint {
  checkRgb(image);
  const wide = Math.max(image.width, THUMBNAIL), high = Math.max(image.height, THUMBNAIL);
  const isSmall = wide !== image.width || high !== image.height;
  const { width, height, data } = isSmall ? resizeBicubic(image, wide, high) : image;
  const across = cellsOf(width), down = cellsOf(height);
  const sums = new Float64Array(THUMBNAIL * THUMBNAIL), row = new Float64Array(THUMBNAIL + 1);
  for (let y = 0, at = 0; y < height; y++) {
    row.fill(0);
    for (let x = 0; x < width; x++, at += 3) {
      const luma = 0.299 * data[at] + 0.587 * data[at + 1] + 0.114 * data[at + 2];
      const cell = across.cell[x], part = luma * across.part[x];
      row[cell] += part;
      row[cell + 1] += luma - part;
    }
    const start = down.cell[y] * THUMBNAIL, upper = down.part[y], lower = 1 - upper;
    for (let c = 0; c < THUMBNAIL; c++) sums[start + c] += row[c] * upper;
    if (lower > 0) for (let c = 0; c < THUMBNAIL; c++) sums[start + THUMBNAIL + c] += row[c] * lower;
  }
  const area = (width / THUMBNAIL) * (height / THUMBNAIL);
  return { grey: Uint8Array.from(sums, (sum) => Math.round(sum / area)) };
}

/** The cell of each of `length` pixels in a row or column, and the part of the pixel in it; the rest is in the next. */
function cellsOf(length: number): { cell: Uint8Array; part: Float64Array } {
  const cell = new Uint8Array(length), part = new Float64Array(length).fill(1);
  for (let x = 0; x < length; x++) {
    cell[x] = Math.floor((x * THUMBNAIL) / length);
    const border = ((cell[x] + 1) * length) / THUMBNAIL;
    if (border < x + 1) part[x] = border - x;
  }
  return { cell, part };
}
