import { decodeDicom } from "./dicom.ts";
import { reduceDeep } from "./deep.ts";
import { imageFormat } from "./format.ts";
import { MAX_BYTES, MAX_PIXELS, tooLarge } from "./limits.ts";
import type { DecodedImage } from "./rgb.ts";

/**
 * Decodes a picture to 8-bit RGB as `PIL.Image.open` followed by transformers' `convert_to_rgb` does: PNG (grey, palette,
 * transparent, interlaced), JPEG (baseline, progressive), WebP, GIF (first frame), TIFF (first page) and DICOM
 * ({@link decodeDicom} with its defaults), told apart by their first bytes. Turned upright by the orientation of EXIF or TIFF, as transformers' `load_image` and the
 * hub's `datasets` do (`ImageOps.exif_transpose`); no colour profile applied; transparency is laid on white.
 *
 * 8-bit PNG, GIF, TIFF, lossless WebP and JPEG (4:4:4, 4:2:2, 4:2:0, grey) decode to Pillow 13's bytes in every test
 * picture; a JPEG whose end is missing is refused by both.
 *
 * Differs from Pillow on purpose in two cases: more than 8 bits and floats are scaled to 8 bits (see `reduceDeep`; Pillow
 * saturates everything above 255 to white), and CMYK is converted by libvips with its own profile (Pillow's formula is naive).
 *
 * @param source the encoded bytes or a file's path.
 * @throws Error naming the file (or "image of N bytes") for anything damaged, truncated, unknown, or larger than
 * {@link MAX_PIXELS} (by its header, before it is unpacked) or {@link MAX_BYTES}.
 *
 * @example A PNG back to its pixels
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { decodeImage, encodePng } from "@lib/image/mod.ts";
 *
 * const image = { width: 2, height: 1, data: new Uint8Array([0, 0, 0, 255, 128, 7]) };
 * assertEquals((await decodeImage(await encodePng(image))).data, image.data);
 * ```
 */
export async function decodeImage(source: Uint8Array | string): Promise<DecodedImage> {
  const name = typeof source === "string" ? source : `image of ${source.length} bytes`;
  const bytes = typeof source === "string" ? await readFile(source) : source;
  if (bytes.length === 0) throw new Error(`${name} is empty: nothing to decode.`);
  try {
    const format = imageFormat(bytes);
    if (format === null) throw new Error("it is not a PNG, JPEG, GIF, WebP, TIFF or DICOM file.");
    return format === "dicom" ? await decodeDicom(bytes) : await decodePicture(bytes);
  } catch (cause) {
    const said = (cause instanceof Error ? cause.message : String(cause)).replace(/\s+/g, " ").trim();
    const reason = UNREAD_TIFF.test(said)
      ? "its samples are of a type that is not read (64-bit or complex, say); save it with 8 or 16 bits, unsigned."
      : said;
    throw new Error(`${name} cannot be decoded: ${reason}`, { cause });
  }
}

/** What libvips calls a corrupt header when libtiff reads the file but libvips has no such samples. */
const UNREAD_TIFF = /tiff2vips: (?:samples out of range|unsupported tiff image type)/;

async function readFile(path: string): Promise<Uint8Array> {
  const { isFile, size } = await Deno.stat(path);
  if (!isFile) throw new Error(`${path} is a folder, no picture.`);
  if (size > MAX_BYTES) throw new Error(`${path} has ${size} bytes, more than the ${MAX_BYTES} accepted.`);
  return await Deno.readFile(path);
}

async function decodePicture(bytes: Uint8Array): Promise<DecodedImage> {
  const options = { limitInputPixels: false, failOn: "error", ignoreIcc: true } as const;
  const { default: sharp } = await import("sharp");
  const meta = await sharp(bytes, options).metadata();
  const height = meta.pageHeight ?? meta.height;
  if (meta.width * height > MAX_PIXELS) throw tooLarge(meta.width, height);
  const picture = sharp(bytes, options).autoOrient(), notes: string[] = [];
  if (meta.orientation && meta.orientation !== 1) {
    notes.push(`it was turned upright as its orientation ${meta.orientation} says`);
  }
  const deep = await reduceDeep(picture, meta.depth, meta.space);
  if (deep) notes.push(deep.note);
  const told = notes.length > 0 ? { notes } : {};
  if (deep) {
    return { width: deep.width, height: deep.height, data: flatten(deep.data, deep.channels), ...told };
  }
  const { data, info } = await picture.raw().toBuffer({ resolveWithObject: true });
  return { width: info.width, height: info.height, data: flatten(data, info.channels), ...told };
}

/** One to four interleaved channels (grey, grey + alpha, RGB, RGBA) to RGB on white. */
function flatten(data: Uint8Array, channels: number): Uint8Array {
  if (channels === 3) return new Uint8Array(data.buffer, data.byteOffset, data.length);
  const pixels = data.length / channels;
  const out = new Uint8Array(pixels * 3);
  const colours = channels < 3 ? 1 : 3;
  for (let i = 0, at = 0, o = 0; i < pixels; i++, at += channels) {
    const alpha = channels === colours ? 255 : data[at + colours];
    for (let c = 0; c < 3; c++, o++) {
      const value = data[at + (colours === 1 ? 0 : c)];
      out[o] = alpha === 255 ? value : onWhite(value, alpha);
    }
  }
  return out;
}

/** Pillow's `alpha_composite` over opaque white, in its fixed point. */
function onWhite(value: number, alpha: number): number {
  const t = (value * alpha + 255 * (255 - alpha)) * 128 + (128 << 7);
  return ((t >> 8) + t) >> 15;
}
