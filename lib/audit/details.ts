import { THUMBNAIL } from "../image/mod.ts";
import { blur } from "./blur.ts";

/** Unit of details: so many are one standard deviation of the surroundings. */
export const UNIT = 32;
/** Blur against the grain of JPEG; that of the surroundings; grey levels below which contrast is not made larger. */
const GRAIN = 0.7, AROUND = 4, FLOOR = 5;

/**
 * What a picture shows at each point, freed of light and contrast: the grey level less the mean of the surroundings,
 * divided by their standard deviation. THUMBNAIL x THUMBNAIL, in 1 / UNIT, cut off at 127.
 * @param grain details of less than about this size, in points, are blurred away
 */
export function detailsOf(view: Uint8Array | Float32Array, grain: number = GRAIN): Int8Array {
  const picture = blur(Float32Array.from(view), THUMBNAIL, grain), mean = blur(picture, THUMBNAIL, AROUND);
  const difference = picture.map((value, i) => value - mean[i]);
  const variance = blur(difference.map((value) => value * value), THUMBNAIL, AROUND);
  return Int8Array.from(difference, (value, i) => {
    const level = Math.round(UNIT * value / Math.sqrt(variance[i] + FLOOR * FLOOR));
    return Math.max(-127, Math.min(127, level));
  });
}
