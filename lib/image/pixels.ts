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
