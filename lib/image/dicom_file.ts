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

/** Parses implicit, explicit, big-endian and deflated files alike. */
export function parseDicom(bytes: Uint8Array): DataSet {
  try {
    return dicomParser.parseDicom(bytes, {
      // deflated: everything after the file meta information is one raw deflate stream
      inflater: (all: Uint8Array, position: number) => {
        const rest = inflateRawSync(all.subarray(position), { maxOutputLength: MAX_INFLATED_BYTES });
        const whole = new Uint8Array(position + rest.length);
        whole.set(all.subarray(0, position));
        whole.set(rest, position);
        return whole;
      },
    } as dicomParser.ParseDicomOptions);
  } catch (thrown) { // the parser throws strings, Errors and { exception }
    const reason = (thrown as { exception?: unknown }).exception ?? thrown;
    throw new Error(
      `its DICOM structure is damaged or truncated (${reason instanceof Error ? reason.message : reason}).`,
    );
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
