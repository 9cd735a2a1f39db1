import { type DataSet, items, type PixelFormat } from "./dicom_file.ts";

/** A lookup table of DICOM (PS3.3 C.11.1.1 and C.11.2.1.1): `first` is the input that maps to entry 0. */
interface Lut {
  first: number;
  entries: Uint16Array;
  bits: number;
}

function readLut(item: DataSet, signed: boolean): Lut {
  const count = item.uint16("x00283002", 0) || 65536;
  const first = signed ? item.int16("x00283002", 1) : item.uint16("x00283002", 1);
  const bits = item.uint16("x00283002", 2);
  const element = item.elements.x00283006;
  if (first === undefined || bits === undefined || !element || element.length < count) {
    throw new Error("a lookup table of the DICOM file is incomplete.");
  }
  const wide = element.length >= count * 2;
  const entries = Uint16Array.from(
    { length: count },
    (_, i) => wide ? item.uint16("x00283006", i)! : item.byteArray[element.dataOffset + i],
  );
  return { first, entries, bits };
}

/** The lookup table of a sequence; null without one, for which some scanners write an empty item. */
function findLut(data: DataSet, tag: string, signed: boolean): Lut | null {
  const item = items(data, tag).find(({ elements }) => elements.x00283002 || elements.x00283006);
  return item ? readLut(item, signed) : null;
}

function look({ first, entries }: Lut, value: number): number {
  return entries[Math.min(Math.max(Math.trunc(value) - first, 0), entries.length - 1)];
}

/** The attributes of a frame: its own functional group's, the shared group's, else the file's. */
function withAttribute(data: DataSet, frame: number, group: string, tag: string): DataSet {
  const groups = [items(data, "x52009230")[frame], items(data, "x52009229")[0]];
  for (const functional of groups) {
    const item = functional && items(functional, group)[0];
    if (item?.elements[tag]) return item;
  }
  return data;
}

/** Stored value to modality value (Hounsfield units and the like). */
function modality(data: DataSet, format: PixelFormat, frame: number): (stored: number) => number {
  const lut = findLut(data, "x00283000", format.signed);
  if (lut) return (stored) => look(lut, stored);
  const source = withAttribute(data, frame, "x00289145", "x00281053");
  const slope = source.floatString("x00281053") ?? 1, intercept = source.floatString("x00281052") ?? 0;
  return (stored) => stored * slope + intercept;
}

/** Modality value to 0..1 by VOI LUT or window; null when the file has neither. */
function valuesOfInterest(
  data: DataSet,
  format: PixelFormat,
  frame: number,
): ((value: number) => number) | null {
  const lut = findLut(data, "x00283010", format.signed && items(data, "x00283000").length === 0);
  if (lut) {
    const top = 2 ** lut.bits - 1;
    return (value) => Math.min(look(lut, value) / top, 1);
  }
  const source = withAttribute(data, frame, "x00289132", "x00281050");
  const centre = source.floatString("x00281050", 0), width = source.floatString("x00281051", 0);
  const shape = (source.string("x00281056") ?? "LINEAR").trim().toUpperCase();
  if (centre === undefined || width === undefined || width <= 0) return null;
  if (shape === "SIGMOID") return (value) => 1 / (1 + Math.exp(-4 * (value - centre) / width));
  const exact = shape === "LINEAR_EXACT";
  if (!exact && width < 1) return null;
  const c = exact ? centre : centre - 0.5, w = exact ? width : width - 1;
  return (value) => {
    if (value <= c - w / 2) return 0;
    if (value > c + w / 2) return 1;
    return (value - c) / w + 0.5;
  };
}

/**
 * Stored grey values to 8 bits: modality LUT or rescale, then VOI LUT or the first window (LINEAR, LINEAR_EXACT,
 * SIGMOID), or the frame's least to greatest value where the file has neither (PixelPaddingValue left out), rounded to
 * the nearest level; MONOCHROME1 is inverted so that air is dark, as in MONOCHROME2.
 */
export function renderGrey(
  stored: Int32Array,
  data: DataSet,
  format: PixelFormat,
  frame: number,
): Uint8Array {
  const least = format.signed ? -32768 : 0;
  const toModality = modality(data, format, frame);
  let shade = valuesOfInterest(data, format, frame);
  const present = new Uint8Array(65536);
  for (let i = 0; i < stored.length; i++) present[stored[i] - least] = 1;
  if (!shade) {
    const tag = "x00280120";
    const padding = format.signed ? data.int16(tag) : data.uint16(tag);
    let low = Infinity, high = -Infinity;
    for (let i = 0; i < 65536; i++) {
      if (!present[i] || i + least === padding) continue;
      const value = toModality(i + least);
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
    shade = (value) => high > low ? Math.min(Math.max((value - low) / (high - low), 0), 1) : 0;
  }
  // at most 65,536 different values: one table entry each instead of one computation per pixel
  const table = new Uint8Array(65536);
  const inverted = format.photometric === "MONOCHROME1";
  for (let i = 0; i < 65536; i++) {
    if (!present[i]) continue;
    const level = Math.floor(shade(toModality(i + least)) * 255 + 0.5);
    table[i] = inverted ? 255 - level : level;
  }
  const grey = new Uint8Array(stored.length);
  for (let i = 0; i < stored.length; i++) grey[i] = table[stored[i] - least];
  return grey;
}
