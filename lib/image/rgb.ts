/** An 8-bit colour picture: `data` holds height x width x 3 bytes, red green blue interleaved, rows from the top. */
export interface RgbImage {
  /** Pixels from left to right. */
  width: number;
  /** Pixels from top to bottom. */
  height: number;
  /** `[height, width, 3]`, 8 bits each, row by row. */
  data: Uint8Array;
}

/** A picture as it was decoded. */
export interface DecodedImage extends RgbImage {
  /** What was done to the file's pixels that its viewer may not expect: one clause each; absent when nothing was. */
  notes?: readonly string[];
}

/**
 * Three equal channels from one: `grey` is height x width bytes.
 * @throws RangeError when the length is not width x height.
 */
export function greyToRgb(grey: Uint8Array, width: number, height: number): RgbImage {
  if (grey.length !== width * height) {
    throw new RangeError(
      `A grey image of ${width}x${height} needs ${width * height} bytes, ${grey.length} were given.`,
    );
  }
  const data = new Uint8Array(grey.length * 3);
  for (let i = 0, o = 0; i < grey.length; i++, o += 3) data[o] = data[o + 1] = data[o + 2] = grey[i];
  return { width, height, data };
}

/** @throws RangeError when `data` is not width x height x 3 bytes or a side is not a positive integer. */
export function checkRgb(image: RgbImage): void {
  const { width, height, data } = image;
  if (!Number.isInteger(width) || !Number.isInteger(height) || width < 1 || height < 1) {
    throw new RangeError(`An image needs sides of at least one whole pixel, ${width}x${height} was given.`);
  }
  if (data.length !== width * height * 3) {
    throw new RangeError(
      `An RGB image of ${width}x${height} needs ${width * height * 3} bytes, ${data.length} were given.`,
    );
  }
}
