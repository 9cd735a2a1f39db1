import charls from "@cornerstonejs/codec-charls";
import openjpeg from "@cornerstonejs/codec-openjpeg";
import { jpegFrame, requireAnnouncedSize, segments } from "./codestream.ts";
import type { PixelFormat } from "./dicom_file.ts";

/** Decoded but not interpreted: stored values, components interleaved. */
export interface Samples {
  values: Uint8Array | Uint16Array | Int16Array;
  components: number;
  /** Bits of a value that mean something, where the codestream says so. */
  precision: number | null;
  /** The codec turned YBR into RGB already. */
  rgb: boolean;
}

interface WasmDecoder {
  getEncodedBuffer(length: number): Uint8Array;
  decode(): void;
  getDecodedBuffer(): Uint8Array;
  getFrameInfo(): {
    width: number;
    height: number;
    bitsPerSample: number;
    componentCount: number;
    isSigned?: boolean;
  };
  delete(): void;
}
type WasmModule = Record<string, new () => WasmDecoder>;
type Factory = (options: { print(text: string): void; printErr(text: string): void }) => Promise<WasmModule>;

const silent = { print() {}, printErr() {} };
const modules = new Map<Factory, Promise<WasmModule>>();

async function wasm(factory: unknown, decoder: string, encoded: Uint8Array): Promise<Samples> {
  const make = factory as Factory;
  if (!modules.has(make)) modules.set(make, make(silent));
  const module = await modules.get(make)!;
  const codec = new module[decoder]();
  try {
    codec.getEncodedBuffer(encoded.length).set(encoded);
    try {
      codec.decode();
    } catch { // the codec throws bare numbers
      throw new Error("its data is damaged or truncated.");
    }
    const { bitsPerSample, componentCount, isSigned } = codec.getFrameInfo();
    const bytes = codec.getDecodedBuffer().slice(); // the buffer belongs to the codec
    if (bytes.length === 0) throw new Error("its data is damaged or truncated.");
    const wide = isSigned ? new Int16Array(bytes.buffer) : new Uint16Array(bytes.buffer);
    return {
      values: bitsPerSample > 8 ? wide : bytes,
      components: componentCount,
      precision: bitsPerSample,
      rgb: false,
    };
  } finally {
    codec.delete();
  }
}

/** 8-bit baseline and extended JPEG through the same libjpeg as every other picture; 12-bit extended through libijg. */
async function lossyJpeg(encoded: Uint8Array, format: PixelFormat): Promise<Samples> {
  const { precision, components } = jpegFrame(encoded);
  requireEnd(encoded);
  if (precision !== 8) return { ...await libijg(encoded, format), precision };
  const bytes = format.photometric === "RGB" ? withoutColourTransform(encoded) : encoded;
  const { default: sharp } = await import("sharp");
  const picture = sharp(bytes, { failOn: "error", ignoreIcc: true, limitInputPixels: false });
  if (components === 1) picture.toColourspace("b-w"); // or sharp repeats the grey values three times
  const { data, info } = await picture.raw().toBuffer({ resolveWithObject: true });
  return { values: new Uint8Array(data), components: info.channels, precision, rgb: components === 3 };
}

/** RGB stored as it is: without a marker that says so libjpeg would take the components for YCbCr. */
function withoutColourTransform(jpeg: Uint8Array): Uint8Array {
  let marked = false;
  segments(jpeg, (marker) => marked ||= marker === 0xe0 || marker === 0xee);
  if (marked) return jpeg;
  const adobe = [0xff, 0xee, 0, 14, ...new TextEncoder().encode("Adobe"), 0, 100, 0, 0, 0, 0, 0];
  return Uint8Array.from([...jpeg.subarray(0, 2), ...adobe, ...jpeg.subarray(2)]);
}

/**
 * A whole codestream ends with the marker FFD9, give or take some padding. The decoders would fill
 * up what is missing and say nothing.
 */
function requireEnd(codestream: Uint8Array): void {
  for (let at = codestream.length - 2; at >= Math.max(0, codestream.length - 64); at--) {
    if (codestream[at] === 0xff && codestream[at + 1] === 0xd9) return;
  }
  throw new Error("its data is truncated: the end marker is missing.");
}

/**
 * JPEG of any precision and process, lossless ones too, by the IJG's library. Its module is loaded when the first file
 * needs it, and again after an error, which leaves it in an unknown state.
 */
async function libijg(encoded: Uint8Array, format: PixelFormat): Promise<Samples> {
  requireEnd(encoded);
  const { precision, components } = jpegFrame(encoded);
  if (precision < 2 || precision > 16 || (components !== 1 && components !== 3)) {
    throw new Error(`${precision} bits in ${components} components are not a JPEG picture.`);
  }
  const { Context, NativeCodecs } = (await import("dcmjs-codecs")).default;
  if (!NativeCodecs.isInitialized()) await NativeCodecs.initializeAsync();
  const context = new Context({
    width: format.columns,
    height: format.rows,
    bitsAllocated: precision > 8 ? 16 : 8,
    bitsStored: precision,
    samplesPerPixel: components,
    pixelRepresentation: 0,
    planarConfiguration: 0,
    photometricInterpretation: components === 1 ? "MONOCHROME2" : "RGB", // that is, components stay as they are
    encodedBuffer: encoded,
  });
  try {
    const bytes = NativeCodecs.decodeJpeg(context).getDecodedBuffer()!.slice();
    const values = precision > 8 ? new Uint16Array(bytes.buffer) : bytes;
    return { values, components, precision: null, rgb: false };
  } catch (error) {
    NativeCodecs.release();
    throw error;
  }
}

/** PackBits segments, one per byte plane: for each component the high byte first (PS3.5 annex G). */
function runLength(encoded: Uint8Array, format: PixelFormat): Samples {
  const view = new DataView(encoded.buffer, encoded.byteOffset, encoded.length);
  const pixels = format.rows * format.columns, width = format.bitsAllocated / 8;
  const planes = format.samplesPerPixel * width;
  if (encoded.length < 64 || view.getUint32(0, true) !== planes) {
    throw new Error(`its RLE frame should hold ${planes} segments.`);
  }
  const values = new Uint16Array(pixels * format.samplesPerPixel);
  for (let plane = 0; plane < planes; plane++) {
    const component = Math.floor(plane / width), shift = 8 * (width - 1 - plane % width);
    const end = plane + 1 < planes ? view.getUint32(8 + 4 * plane, true) : encoded.length;
    let at = view.getUint32(4 + 4 * plane, true);
    let pixel = 0;
    const put = (byte: number) => {
      if (pixel < pixels) values[pixel++ * format.samplesPerPixel + component] |= byte << shift;
    };
    while (at < end && pixel < pixels) {
      const control = encoded[at++];
      if (control < 128) { for (let n = control; n >= 0 && at < end; n--) put(encoded[at++]); }
      else if (control > 128) {
        const byte = encoded[at++];
        for (let n = 257 - control; n > 0; n--) put(byte);
      }
    }
    if (pixel < pixels) throw new Error("its RLE data is truncated.");
  }
  return { values, components: format.samplesPerPixel, precision: null, rgb: false };
}

type Decode = (encoded: Uint8Array, format: PixelFormat) => Samples | Promise<Samples>;
const jpeg2000: Decode = (encoded) => {
  requireEnd(encoded);
  return wasm(openjpeg, "J2KDecoder", encoded);
};
const jpegLs: Decode = (encoded) => wasm(charls, "JpegLSDecoder", encoded);

/** Transfer syntaxes by UID; null: the pixels are stored as they are. */
const SYNTAXES: Record<string, { name: string; decode: Decode | null }> = {
  "1.2.840.10008.1.2": { name: "Implicit VR Little Endian", decode: null },
  "1.2.840.10008.1.2.1": { name: "Explicit VR Little Endian", decode: null },
  "1.2.840.10008.1.2.1.99": { name: "Deflated Explicit VR Little Endian", decode: null },
  "1.2.840.10008.1.2.2": { name: "Explicit VR Big Endian", decode: null },
  "1.2.840.10008.1.2.5": { name: "RLE Lossless", decode: runLength },
  "1.2.840.10008.1.2.4.50": { name: "JPEG Baseline (Process 1)", decode: lossyJpeg },
  "1.2.840.10008.1.2.4.51": { name: "JPEG Extended (Process 2 and 4)", decode: lossyJpeg },
  "1.2.840.10008.1.2.4.57": { name: "JPEG Lossless (Process 14)", decode: libijg },
  "1.2.840.10008.1.2.4.70": { name: "JPEG Lossless (Process 14, first-order)", decode: libijg },
  "1.2.840.10008.1.2.4.80": { name: "JPEG-LS Lossless", decode: jpegLs },
  "1.2.840.10008.1.2.4.81": { name: "JPEG-LS Near-Lossless", decode: jpegLs },
  "1.2.840.10008.1.2.4.90": { name: "JPEG 2000 Lossless", decode: jpeg2000 },
  "1.2.840.10008.1.2.4.91": { name: "JPEG 2000", decode: jpeg2000 },
};

/** Known by name only, for the message. */
const UNSUPPORTED: Record<string, string> = {
  "1.2.840.10008.1.2.4.92": "JPEG 2000 Multi-component Lossless",
  "1.2.840.10008.1.2.4.93": "JPEG 2000 Multi-component",
  "1.2.840.10008.1.2.4.94": "JPIP Referenced",
  "1.2.840.10008.1.2.4.100": "MPEG-2 Main Profile",
  "1.2.840.10008.1.2.4.102": "MPEG-4 AVC/H.264 High Profile",
  "1.2.840.10008.1.2.4.107": "HEVC/H.265 Main Profile",
  "1.2.840.10008.1.2.4.110": "JPEG XL Lossless",
  "1.2.840.10008.1.2.4.112": "JPEG XL",
  "1.2.840.10008.1.2.4.201": "High-Throughput JPEG 2000 Lossless",
  "1.2.840.10008.1.2.4.202": "High-Throughput JPEG 2000 RPCL Lossless",
  "1.2.840.10008.1.2.4.203": "High-Throughput JPEG 2000",
};

/** The decoder of a transfer syntax, null for uncompressed pixels. @throws Error naming a syntax that has none. */
export function decoderFor(uid: string): Decode | null {
  const known = SYNTAXES[uid];
  if (!known) {
    throw new Error(
      `transfer syntax ${uid} (${UNSUPPORTED[uid] ?? "unknown"}) is not supported; ` +
        "convert the file to an uncompressed one first, for example with gdcmconv --raw.",
    );
  }
  if (!known.decode) return null;
  return async (encoded, format) => {
    try {
      requireAnnouncedSize(encoded, format);
      return await known.decode!(encoded, format);
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new Error(`its pixels (transfer syntax ${uid}, ${known.name}) cannot be decoded: ${reason}`, {
        cause,
      });
    }
  };
}
