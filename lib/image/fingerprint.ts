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
  const sums = new Float64Array(THUMBNAIL * (THUMBNAIL + 1)), row = new Float64Array(THUMBNAIL + 1);
  for (let y = 0, at = 0; y < height; y++) {
    row.fill(0);
    for (let c = 0, x = 0; c < THUMBNAIL; c++) {
      let red = 0, green = 0, blue = 0;
      for (const end = across.end[c]; x < end; x++, at += 3) {
        red += data[at];
        green += data[at + 1];
        blue += data[at + 2];
      }
      row[c] += luma(red, green, blue);
      // The last pixel of a cell reaches into the next one.
      const over = luma(data[at - 3], data[at - 2], data[at - 1]) * across.over[c];
      row[c] -= over;
      row[c + 1] += over;
    }
    const cell = down.cell[y], lower = down.isLast[y] ? down.over[cell] : 0;
    for (let c = 0, o = cell * THUMBNAIL; c < THUMBNAIL; c++, o++) {
      sums[o] += row[c] * (1 - lower);
      sums[o + THUMBNAIL] += row[c] * lower;
    }
  }
  const area = (width / THUMBNAIL) * (height / THUMBNAIL);
  return { grey: Uint8Array.from(sums.subarray(0, THUMBNAIL ** 2), (sum) => Math.round(sum / area)) };
}

const luma = (red: number, green: number, blue: number): number => 0.299 * red + 0.587 * green + 0.114 * blue;

/** THUMBNAIL equal cells over `length` pixels: pixels belong to the cell in which they begin. */
function cellsOf(length: number) {
  /** Of each cell: the pixel after its last, and the part of its last pixel that reaches into the next cell. */
  const end = new Uint32Array(THUMBNAIL), over = new Float64Array(THUMBNAIL);
  /** Of each pixel: its cell, and whether it is the cell's last. */
  const cell = new Uint8Array(length), isLast = new Uint8Array(length);
  for (let c = 0, x = 0; c < THUMBNAIL; c++) {
    const border = ((c + 1) * length) / THUMBNAIL;
    end[c] = Math.ceil(border);
    over[c] = end[c] - border;
    for (; x < end[c]; x++) cell[x] = c;
    isLast[end[c] - 1] = 1;
  }
  return { end, over, cell, isLast };
}
