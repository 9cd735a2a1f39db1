import { decodeImage } from "./decode.ts";
import { resizeBicubic } from "./resize.ts";
import type { RgbImage } from "./rgb.ts";

/** `u8 / 127.5 - 1` in float32, as SigLIP's image processor rescales (1/255) and normalises (mean = std = 0.5). */
const LEVELS = Float32Array.from({ length: 256 }, (_, v) => Math.fround(v / 127.5) - 1);

/** Writes RGB bytes [S, S, 3] as pixel values [3, S, S] in [-1, 1] at `offset` of `out`. */
export function writePixelValues(rgb: Uint8Array, out: Float32Array, offset = 0): void {
  const plane = rgb.length / 3;
  for (let red = offset, at = 0; at < rgb.length; red++, at += 3) {
    out[red] = LEVELS[rgb[at]];
    out[red + plane] = LEVELS[rgb[at + 1]];
    out[red + 2 * plane] = LEVELS[rgb[at + 2]];
  }
}

/**
 * An image as the vision tower reads it: float32 [3, size, size] (channels, rows, columns) in [-1, 1], after Pillow's
 * bicubic resize. Bit-equal to `SiglipImageProcessorPil` of transformers 5.23.
 */
export function toPixelValues(image: RgbImage, size: number): Float32Array<ArrayBuffer> {
  const resized = image.width === size && image.height === size ? image : resizeBicubic(image, size, size);
  const out = new Float32Array(3 * size * size);
  writePixelValues(resized.data, out);
  return out;
}

/** {@link decodeImage} then {@link toPixelValues}: a file (or its bytes) to float32 [3, size, size]. */
export async function preprocess(
  source: Uint8Array | string,
  size: number,
): Promise<Float32Array<ArrayBuffer>> {
  return toPixelValues(await decodeImage(source), size);
}
