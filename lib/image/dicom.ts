import { decoderFor, type Samples } from "./dicom_codecs.ts";
import { applyPalette, toBytes, ybrToRgb } from "./dicom_colour.ts";
import { type DataSet, encapsulatedFrame, parseDicom, type PixelFormat, pixelFormat } from "./dicom_file.ts";
import { renderGrey } from "./dicom_grey.ts";
import { MAX_PIXELS, tooLarge } from "./limits.ts";
import { type DecodedImage, greyToRgb } from "./rgb.ts";

export { isDicom } from "./dicom_file.ts";

/**
 * Decodes one frame of a DICOM Part 10 file to 8-bit RGB, as a viewer shows it at first: see `renderGrey` for grey values;
 * RGB, YBR_FULL, YBR_FULL_422, YBR_ICT, YBR_RCT and PALETTE COLOR become RGB. 1, 8 and 16 bits allocated, signed or not.
 * Overlays, shutters, pixel aspect ratio and colour profiles are not applied.
 *
 * Transfer syntaxes: implicit, explicit, big-endian, deflated; RLE; JPEG baseline and extended (8 and 12 bits); JPEG
 * lossless (processes 14 and 14 SV1); JPEG-LS; JPEG 2000. The file is read by dicom-parser, which keeps pixel data as a
 * view; dcmjs 0.52 reads pixel data that end early as if they were whole, and refuses several character sets and files
 * without a meta group length. JPEG-LS and JPEG 2000 are decoded by CharLS and
 * OpenJPEG in WebAssembly (the asm.js builds of the same codecs took 27 s instead of 6 s for a radiograph of 3.6 million
 * pixels), lossless and 12-bit JPEG by the IJG's library in dcmjs-codecs (jpeg-lossless-decoder-js 2.1 gets 16-bit samples wrong with
 * predictor 7 and in colour), 8-bit JPEG by sharp's libjpeg-turbo.
 *
 * @param options.frame counted from 0; default: the middle one (`frames >> 1`), as the first slice of a volume is often empty.
 * @throws Error saying what is missing, damaged, or not supported (with the transfer syntax's UID and name).
 */
export async function decodeDicom(
  bytes: Uint8Array,
  options: { frame?: number } = {},
): Promise<DecodedImage> {
  const data = parseDicom(bytes);
  const format = pixelFormat(data);
  const { rows: height, columns: width, frames, photometric } = format, size = { width, height };
  if (width * height > MAX_PIXELS) throw tooLarge(width, height);
  const frame = options.frame ?? frames >> 1;
  if (!Number.isInteger(frame) || frame < 0 || frame >= frames) {
    throw new Error(`frame ${frame} was asked for, the file has frames 0 to ${frames - 1}.`);
  }
  const decode = decoderFor(format.transferSyntax);
  const samples = decode
    ? await decode(encapsulatedFrame(data, format, frame), format)
    : nativeFrame(data, format, frame);
  const expected = width * height * format.samplesPerPixel;
  if (samples.values.length < expected || samples.components !== format.samplesPerPixel) {
    throw new Error(
      `its pixels decode to ${samples.values.length} values in ${samples.components} components; ` +
        `${width}x${height} in ${format.samplesPerPixel} were announced.`,
    );
  }
  const stored = interpret(samples, format, expected);
  const told = frames > 1 ? { notes: [`it is frame ${frame + 1} of ${frames}`] } : {};
  if (photometric === "PALETTE COLOR") return { ...size, data: applyPalette(stored, data, format), ...told };
  if (format.samplesPerPixel === 1) {
    return { ...greyToRgb(renderGrey(stored, data, format, frame), width, height), ...told };
  }
  const rgb = toBytes(stored, format.bitsStored);
  if (!samples.rgb && (photometric === "YBR_FULL" || photometric === "YBR_FULL_422")) ybrToRgb(rgb);
  return { ...size, data: rgb, ...told };
}

/** Uncompressed pixels as interleaved values, bytes in the machine's order. */
function nativeFrame(data: DataSet, format: PixelFormat, frame: number): Samples {
  const { rows, columns, samplesPerPixel, bitsAllocated, bigEndian } = format;
  const pixels = rows * columns, count = pixels * samplesPerPixel;
  const element = data.elements.x7fe00010;
  const subsampled = format.photometric === "YBR_FULL_422";
  const perFrame = subsampled ? pixels * 2 : count;
  const start = Math.floor(frame * perFrame * bitsAllocated / 8);
  const length = Math.ceil(perFrame * bitsAllocated / 8);
  if (start + length > element.length) {
    throw new Error(
      `its Pixel Data ends early: frame ${frame} needs bytes up to ${start + length} of ${element.length}.`,
    );
  }
  const base = element.dataOffset + start;
  let bytes = data.byteArray.subarray(base, base + length + (length & 1));
  const values = bitsAllocated > 8 ? new Uint16Array(count) : new Uint8Array(count);
  const done = { values, components: samplesPerPixel, precision: null, rgb: false };
  if (bitsAllocated === 16) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    for (let i = 0; i < count; i++) values[i] = view.getUint16(2 * i, !bigEndian);
  } else if (bitsAllocated === 1) {
    const whole = data.byteArray.subarray(element.dataOffset, element.dataOffset + element.length);
    for (let i = 0, bit = frame * perFrame; i < count; i++, bit++) {
      values[i] = whole[bit >> 3] >> (bit & 7) & 1;
    }
  } else {
    // 8-bit pixels written as 16-bit words: big endian swaps each pair
    if (bigEndian && element.vr === "OW") bytes = bytes.map((_, i) => bytes[i ^ 1]);
    if (subsampled) return { ...done, values: fromYbr422(bytes, pixels) };
    values.set(bytes.subarray(0, count));
  }
  if (!format.planar || samplesPerPixel === 1) return done;
  const interleaved = values.map((_, i) => values[i % 3 * pixels + Math.floor(i / 3)]);
  return { ...done, values: interleaved };
}

/** Y1 Y2 Cb Cr for every two pixels: the colour is repeated. */
function fromYbr422(bytes: Uint8Array, pixels: number): Uint8Array {
  const out = new Uint8Array(pixels * 3);
  for (let i = 0; i < pixels; i++) {
    const group = (i >> 1) * 4;
    out.set([bytes[group + (i & 1)], bytes[group + 2], bytes[group + 3]], i * 3);
  }
  return out;
}

/** Cuts the stored bits out and gives them their sign. A codestream's own precision wins over a wrong header. */
function interpret({ values, precision }: Samples, format: PixelFormat, count: number): Int32Array {
  const bits = precision ?? format.bitsStored;
  const shift = precision === null ? Math.max(0, format.highBit + 1 - bits) : 0;
  const mask = 2 ** bits - 1, half = 2 ** (bits - 1);
  const signed = format.signed && format.photometric !== "PALETTE COLOR";
  const out = new Int32Array(count);
  for (let i = 0; i < count; i++) {
    const value = values[i] >> shift & mask;
    out[i] = signed && value >= half ? value - mask - 1 : value;
  }
  return out;
}
