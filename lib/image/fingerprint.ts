import { checkRgb, type RgbImage } from "./rgb.ts";
import { resizeBicubic } from "./resize.ts";

/** Rows and columns of a fingerprint's thumbnail. */
export const THUMBNAIL = 96;

/** What is kept of an image to find its copies: a record that structuredClone and Workers pass on. */
export interface Fingerprint {
  /**
   * One or two thumbnails: grey levels, THUMBNAIL x THUMBNAIL, rows from the top, the shape not kept. The first is of the
   * image within bars of one grey; the second, where it differs, within margins that have little but a text.
   */
  views: Uint8Array[];
}

/** Part of an image, in pixels. */
export interface Box {
  left: number;
  top: number;
  width: number;
  height: number;
}

/** Shares of a line's pixels that may differ from the others in a bar of one grey, and in a margin with some text. */
const BAR = 0.005, MARGIN = 0.2;

/** Shares of width and height by which two views differ at least. */
const DIFFERENT = 0.02;

/**
 * The fingerprint of an image: its luma (ITU-R BT.601) averaged over a grid of equal cells, whatever the image's shape. A
 * pixel on a border counts to both cells by its parts, so that size and resampling hardly matter.
 * @throws RangeError when the data's length is not width x height x 3
 */
export function fingerprint(image: RgbImage): Fingerprint {
  checkRgb(image);
  const wide = Math.max(image.width, THUMBNAIL), high = Math.max(image.height, THUMBNAIL);
  const isSmall = wide !== image.width || high !== image.height;
  const { width, height, data } = isSmall ? resizeBicubic(image, wide, high) : image;
  const grey = new Float32Array(width * height);
  for (let i = 0, at = 0; i < grey.length; i++, at += 3) {
    grey[i] = 0.299 * data[at] + 0.587 * data[at + 1] + 0.114 * data[at + 2];
  }
  const [outer, inner] = [BAR, MARGIN].map((stray) => withoutMargins(grey, width, stray));
  const isSame = outer.width - inner.width < DIFFERENT * outer.width &&
    outer.height - inner.height < DIFFERENT * outer.height;
  return { views: (isSame ? [outer] : [outer, inner]).map((box) => cellMeans(grey, width, box)) };
}

/** Levels by which the pixels of a margin differ from its grey. */
const SAME_GREY = 12;

/**
 * The part of a grey picture that is left without margins of one grey: lines are taken from each side while they have the
 * grey (median) of the outermost one. At least a quarter of width and of height is left; else nothing is taken.
 * @param grey levels, rows from the top
 * @param stray share of a line's pixels that may have another grey
 */
function withoutMargins(grey: Float32Array, width: number, stray: number): Box {
  const height = grey.length / width;
  /** How many lines of one grey there are from a side on; line k begins at `from + k * next`. */
  const lines = (count: number, from: number, next: number, length: number, step: number): number => {
    const level = Float32Array.from({ length }, (_, i) => grey[from + i * step]).sort()[length >> 1];
    for (let k = 0; k < count; k++) {
      let strays = 0;
      for (let i = 0, at = from + k * next; i < length; i++, at += step) {
        if (Math.abs(grey[at] - level) > SAME_GREY) strays++;
      }
      if (strays > stray * length) return k;
    }
    return count;
  };
  const top = lines(height, 0, width, width, 1);
  const bottom = lines(height, (height - 1) * width, -width, width, 1);
  const left = lines(width, 0, 1, height, width), right = lines(width, width - 1, -1, height, width);
  const box = { left, top, width: width - left - right, height: height - top - bottom };
  const enough = 4 * box.width >= width && 4 * box.height >= height;
  return enough ? box : { left: 0, top: 0, width, height };
}

/** The means of THUMBNAIL x THUMBNAIL equal cells of a part of a picture. */
function cellMeans(grey: Float32Array, width: number, box: Box): Uint8Array {
  const across = cells(box.left, box.width), down = cells(box.top, box.height);
  const means = new Uint8Array(THUMBNAIL ** 2), line = new Float64Array(width);
  for (let r = 0, o = 0; r < THUMBNAIL; r++) {
    line.fill(0);
    const row = down[r];
    for (let y = row.first; y <= row.last; y++) {
      const part = row.part(y);
      for (let x = box.left, at = y * width + x; x < box.left + box.width; x++, at++) {
        line[x] += part * grey[at];
      }
    }
    for (let c = 0; c < THUMBNAIL; c++, o++) {
      const column = across[c];
      let sum = 0;
      for (let x = column.first; x <= column.last; x++) sum += column.part(x) * line[x];
      means[o] = Math.round(sum);
    }
  }
  return means;
}

/** THUMBNAIL equal cells of `length` pixels from `start` on: the pixels of each, and each pixel's share of the cell. */
function cells(start: number, length: number) {
  const size = length / THUMBNAIL;
  return Array.from({ length: THUMBNAIL }, (_, c) => {
    const from = start + c * size, to = start + (c + 1) * size;
    const part = (x: number) => Math.max(0, Math.min(x + 1, to) - Math.max(x, from)) / size;
    return { first: Math.floor(from), last: Math.min(start + length, Math.ceil(to)) - 1, part };
  });
}
