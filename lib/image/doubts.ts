import { checkRgb, type RgbImage } from "./rgb.ts";

/** Sides shorter than this many pixels show next to nothing. */
const SMALL = 32;
/** A longer side beyond so many shorter ones is a strip. */
const STRIP = 8;
/** Luma levels between which all but the darkest and brightest 0.5 % of a blank picture's pixels lie. */
const FLAT = 8;
/** A pixel whose channels differ by more is coloured; a picture with a larger share of such pixels is. */
const COLOUR = 40, COLOURED = 0.3;

/**
 * Why a picture may be no medical image, or none that a model can answer about: tiny, a strip, blank, or coloured as
 * radiographs, CT, MR and ultrasound are not. One clause each; none for a usual one. A doubt does not refuse: fundus
 * photographs and slides of tissue are coloured, too.
 *
 * @throws RangeError when the data's length is not width x height x 3
 */
export function doubtsAbout(image: RgbImage): string[] {
  checkRgb(image);
  const { width, height, data } = image, doubts: string[] = [];
  const shorter = Math.min(width, height), longer = Math.max(width, height), pixels = width * height;
  if (shorter < SMALL) doubts.push(`it is tiny (${width}x${height} pixels)`);
  if (longer > STRIP * shorter) {
    doubts.push(`it is a strip (${width}x${height} pixels), squeezed into a square`);
  }
  const histogram = new Uint32Array(256);
  let coloured = 0;
  for (let at = 0; at < data.length; at += 3) {
    const red = data[at], green = data[at + 1], blue = data[at + 2];
    histogram[Math.round(0.299 * red + 0.587 * green + 0.114 * blue)]++;
    if (Math.max(red, green, blue) - Math.min(red, green, blue) > COLOUR) coloured++;
  }
  const low = levelAt(histogram, 0.005 * pixels), high = levelAt(histogram, 0.995 * pixels);
  if (high - low < FLAT) {
    doubts.push(
      `it is nearly blank (${
        low === high ? `grey level ${low} nearly everywhere` : `grey levels ${low} to ${high}`
      })`,
    );
  }
  if (coloured > COLOURED * pixels) {
    doubts.push(`${Math.round(100 * coloured / pixels)} % of it is coloured, unlike radiographs, CT and MR`);
  }
  return doubts;
}

/** The level below or at which at least `count` pixels lie. */
function levelAt(histogram: Uint32Array, count: number): number {
  let seen = 0;
  return histogram.findIndex((n) => (seen += n) >= count);
}
