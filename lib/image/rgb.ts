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

/** Encodes as PNG without loss; decoding it again gives the same bytes. */
export async function encodePng(image: RgbImage): Promise<Uint8Array<ArrayBuffer>> {
  checkRgb(image);
  const { width, height, data } = image;
  const { default: sharp } = await import("sharp");
  const png = await sharp(data, { raw: { width, height, channels: 3 } }).png().toBuffer();
  return new Uint8Array(png);
}

/** `u8 / 127.5 - 1` in float32, as SigLIP's image processor rescales (1/255) and normalises (mean = std = 0.5). */
const LEVELS = Float32Array.from({ length: 256 }, (_, v) => Math.fround(v / 127.5) - 1);

/**
 * Writes RGB bytes [S, S, 3] as pixel values [3, S, S] in [-1, 1] at `offset` of `out`. After `resizeBicubic` they are equal
 * in every bit to those of `SiglipImageProcessorPil` of transformers 5.23.
 */
export function writePixelValues(rgb: Uint8Array, out: Float32Array, offset = 0): void {
  const plane = rgb.length / 3;
  for (let red = offset, at = 0; at < rgb.length; red++, at += 3) {
    out[red] = LEVELS[rgb[at]];
    out[red + plane] = LEVELS[rgb[at + 1]];
    out[red + 2 * plane] = LEVELS[rgb[at + 2]];
  }
}
