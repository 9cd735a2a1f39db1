import { checkRgb, type RgbImage } from "./rgb.ts";

/** Encodes as PNG without loss; decoding it again gives the same bytes. */
export async function encodePng(image: RgbImage): Promise<Uint8Array<ArrayBuffer>> {
  checkRgb(image);
  const { width, height, data } = image;
  const { default: sharp } = await import("sharp");
  const png = await sharp(data, { raw: { width, height, channels: 3 } }).png().toBuffer();
  return new Uint8Array(png);
}
