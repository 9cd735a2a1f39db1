import dicomParser from "dicom-parser";
import { inflateRawSync } from "node:zlib";
import { MAX_INFLATED_BYTES } from "./limits.ts";

export type DataSet = dicomParser.DataSet;

const META_BYTES = 132;

/** Whether the bytes are a DICOM Part 10 file ("DICM" after the 128-byte preamble). */
export function isDicom(bytes: Uint8Array): boolean {
  return bytes.length > META_BYTES && String.fromCharCode(...bytes.subarray(128, META_BYTES)) === "DICM";
}

/** What decoding needs to know about the stored pixels; the names are DICOM's attribute names. */
export interface PixelFormat {
  transferSyntax: string;
  rows: number;
  columns: number;
  frames: number;
  samplesPerPixel: number;
  photometric: string;
  planar: boolean;
  bitsAllocated: number;
  bitsStored: number;
  highBit: number;
  signed: boolean;
  bigEndian: boolean;
}

const BIG_ENDIAN = "1.2.840.10008.1.2.2";

const DEFLATED = "1.2.840.10008.1.2.1.99";

/** Value representations whose length has 2 bytes; all others, those of a later standard too, have 4 (PS3.5 7.1.2). */
const SHORT = "AE AS AT CS DA DS DT FD FL IS LO LT PN SH SL SS ST TM UI UL US".split(" ");
/** Those with 4 bytes that dicom-parser knows: it takes the length of OV, SV and UV for 2 bytes. */
const LONG = "OB OD OF OL OW SQ UC UN UR UT".split(" ");

/** What dicom-parser reads elements from, told that a representation it does not know is a string of bytes. */
function elementsFrom(bytes: Uint8Array, start: number, parser: dicomParser.ByteArrayParser) {
  const stream = new dicomParser.ByteStream(parser, bytes, start);
  const read = stream.readFixedString.bind(stream);
  stream.readFixedString = (length) => {
    const text = read(length), isUnknown = !SHORT.includes(text) && !LONG.includes(text);
    return isUnknown && /^[A-Z]{2}$/.test(text) ? "OB" : text; // delimiters have no representation
  };
  return stream;
}

/** Whether the element that begins at `at` names its value representation, whatever the transfer syntax says. */
const isExplicit = (bytes: Uint8Array, at: number): boolean =>
  [4, 5].every((k) => bytes[at + k] >= 0x41 && bytes[at + k] <= 0x5a);

/** Parses implicit, explicit, big-endian and deflated files alike. */
export function parseDicom(bytes: Uint8Array): DataSet {
  try {
    const data = dicomParser.readPart10Header(bytes), syntax = data.string("x00020010");
    const start = Object.values(data.elements).reduce(
      (end, { dataOffset, length }) => Math.max(end, dataOffset + length),
      META_BYTES,
    );
    if (syntax === DEFLATED) { // everything after the file meta information is one raw deflate stream
      const rest = inflateRawSync(bytes.subarray(start), { maxOutputLength: MAX_INFLATED_BYTES });
      data.byteArray = new Uint8Array(start + rest.length);
      data.byteArray.set(bytes.subarray(0, start));
      data.byteArray.set(rest, start);
    }
    if (syntax === BIG_ENDIAN) data.byteArrayParser = dicomParser.bigEndianByteArrayParser;
    const whole = data.byteArray as Uint8Array, stream = elementsFrom(whole, start, data.byteArrayParser);
    if (isExplicit(whole, start)) dicomParser.parseDicomDataSetExplicit(data, stream, whole.length);
    else {
      dicomParser.parseDicomDataSetImplicit(
        data,
        stream,
        whole.length,
        {
          // without it, pixels that look like the beginning of a sequence are taken for one
          vrCallback: (tag: string) => tag === "x7fe00010" ? "OW" : undefined,
        } as Parameters<typeof dicomParser.parseDicomDataSetImplicit>[3],
      );
      const pixels = data.elements.x7fe00010;
      if (pixels?.hadUndefinedLength) { // compressed, which implicit files should not be
        const at = elementsFrom(whole, pixels.dataOffset, data.byteArrayParser);
        dicomParser.findEndOfEncapsulatedElement(at, pixels);
      }
    }
    requireInside(data);
    return data;
  } catch (thrown) { // the parser throws strings and Errors
    const reason = thrown instanceof Error ? thrown.message : String(thrown);
    throw new Error(`its DICOM structure is damaged or truncated (${reason}).`);
  }
}

/** @throws Error when an element reaches beyond the end of the file: the parser only looks where elements begin */
function requireInside({ elements, byteArray }: DataSet): void {
  for (const { tag, dataOffset, length, items = [] } of Object.values(elements)) {
    if (dataOffset + length > byteArray.length) throw new Error(`element ${tag} reaches beyond the end`);
    for (const { dataSet } of items) if (dataSet) requireInside(dataSet);
  }
}

/** @throws Error when an attribute is missing or has a value that no image can have. */
export function pixelFormat(data: DataSet): PixelFormat {
  const need = (tag: string, name: string): number => {
    const value = data.uint16(tag);
    if (value === undefined) throw new Error(`the DICOM file holds no picture: ${name} is missing.`);
    return value;
  };
  const rows = need("x00280010", "Rows (0028,0010)");
  const columns = need("x00280011", "Columns (0028,0011)");
  const bitsAllocated = need("x00280100", "BitsAllocated (0028,0100)");
  const bitsStored = data.uint16("x00280101") ?? bitsAllocated;
  const samplesPerPixel = data.uint16("x00280002") ?? 1;
  if (!data.elements.x7fe00010) {
    throw new Error("the DICOM file holds no 8- or 16-bit picture: Pixel Data (7FE0,0010) is missing.");
  }
  if (rows === 0 || columns === 0) throw new Error(`the DICOM picture is empty (${columns}x${rows}).`);
  if (![1, 8, 16].includes(bitsAllocated) || bitsStored > bitsAllocated || bitsStored === 0) {
    throw new Error(
      `BitsAllocated ${bitsAllocated} with BitsStored ${bitsStored} is not supported (1, 8 and 16 are).`,
    );
  }
  if (samplesPerPixel !== 1 && samplesPerPixel !== 3) {
    throw new Error(`SamplesPerPixel ${samplesPerPixel} is not supported (1 and 3 are).`);
  }
  const transferSyntax = data.string("x00020010") ?? "1.2.840.10008.1.2";
  return {
    transferSyntax,
    rows,
    columns,
    frames: Math.max(1, data.intString("x00280008") ?? 1),
    samplesPerPixel,
    photometric: data.string("x00280004") ?? "MONOCHROME2",
    planar: data.uint16("x00280006") === 1,
    bitsAllocated,
    bitsStored,
    highBit: data.uint16("x00280102") ?? bitsStored - 1,
    signed: data.uint16("x00280103") === 1,
    bigEndian: transferSyntax === BIG_ENDIAN,
  };
}

/** The items of a sequence; none when it is absent. */
export function items(data: DataSet, tag: string): DataSet[] {
  return (data.elements[tag]?.items ?? []).flatMap((item) => item.dataSet ?? []);
}

/**
 * One frame's encoded bytes, joined from its fragments: by the basic offset table where there is one, otherwise one
 * fragment a frame, otherwise a new frame at each fragment that starts with an image's first marker.
 */
export function encapsulatedFrame(data: DataSet, format: PixelFormat, frame: number): Uint8Array {
  const element = data.elements.x7fe00010;
  const fragments = element.fragments ?? [];
  const offsets = element.basicOffsetTable ?? [];
  const bytes = data.byteArray;
  let starts: number[];
  if (format.frames === 1) starts = [0];
  else if (fragments.length === format.frames) starts = fragments.map((_, i) => i);
  else if (offsets.length === format.frames) {
    starts = offsets.map((offset) => fragments.findIndex((fragment) => fragment.offset === offset));
  } else {
    starts = fragments.flatMap(({ position: p }, i) =>
      bytes[p] === 0xff && (bytes[p + 1] === 0xd8 || bytes[p + 1] === 0x4f) ? [i] : []
    );
  }
  if (fragments.length === 0 || starts.length !== format.frames || starts.includes(-1)) {
    throw new Error(
      `its ${fragments.length} pixel fragments cannot be divided into ${format.frames} frames.`,
    );
  }
  const mine = fragments.slice(starts[frame], starts[frame + 1]);
  const joined = new Uint8Array(mine.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const { position, length } of mine) {
    joined.set(bytes.subarray(position, position + length), at);
    at += length;
  }
  return joined;
}
