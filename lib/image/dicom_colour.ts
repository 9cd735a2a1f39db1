import type { DataSet, PixelFormat } from "./dicom_file.ts";

/** Full-range YCbCr (BT.601) to RGB in place, rounded to the nearest level. */
export function ybrToRgb(data: Uint8Array): void {
  for (let i = 0; i < data.length; i += 3) {
    const y = data[i], cb = data[i + 1] - 128, cr = data[i + 2] - 128;
    data[i] = level(y + 1.402 * cr);
    data[i + 1] = level(y - (0.114 * 1.772 / 0.587) * cb - (0.299 * 1.402 / 0.587) * cr);
    data[i + 2] = level(y + 1.772 * cb);
  }
}

function level(value: number): number {
  return Math.min(Math.max(Math.floor(value + 0.5), 0), 255);
}

/** Colour components of `bits` bits to 8. */
export function toBytes(values: Int32Array, bits: number): Uint8Array {
  const top = 2 ** bits - 1;
  const out = new Uint8Array(values.length);
  for (let i = 0; i < values.length; i++) {
    out[i] = bits === 8 ? values[i] : Math.floor(values[i] / top * 255 + 0.5);
  }
  return out;
}

/** Indices to RGB by the three palette tables, plain or segmented; of 16-bit entries the high byte counts. */
export function applyPalette(indices: Int32Array, data: DataSet, format: PixelFormat): Uint8Array {
  const out = new Uint8Array(indices.length * 3);
  for (let channel = 0; channel < 3; channel++) {
    const descriptor = `x0028110${channel + 1}`;
    const first = format.signed ? data.int16(descriptor, 1) : data.uint16(descriptor, 1);
    if (first === undefined) throw new Error("its palette is missing.");
    const entries = paletteEntries(data, channel + 1, data.uint16(descriptor, 0) || 65536);
    const shift = entries.some((entry) => entry > 255) ? 8 : 0;
    for (let i = 0; i < indices.length; i++) {
      const at = Math.min(Math.max(indices[i] - first, 0), entries.length - 1);
      out[i * 3 + channel] = entries[at] >> shift;
    }
  }
  return out;
}

function paletteEntries(data: DataSet, digit: number, count: number): number[] {
  const tag = `x0028120${digit}`, segmented = `x0028122${digit}`;
  const words = (of: string) =>
    Array.from({ length: data.elements[of].length >> 1 }, (_, i) => data.uint16(of, i)!);
  if (data.elements[segmented]) return expandSegments(words(segmented));
  const element = data.elements[tag];
  if (!element || element.length < count) {
    throw new Error("its palette is missing or shorter than announced.");
  }
  if (element.length >= count * 2) return words(tag);
  return Array.from(data.byteArray.subarray(element.dataOffset, element.dataOffset + count));
}

/** Runs of given (0) and linearly interpolated (1) entries of 16 bits, PS3.3 C.7.9.2. */
function expandSegments(words: number[]): number[] {
  const entries: number[] = [];
  for (let at = 0; at + 1 < words.length;) {
    const [kind, length] = words.slice(at, at + 2);
    at += 2;
    if (kind === 0) {
      for (let i = 0; i < length; i++) entries.push(words[at++]);
    } else if (kind === 1 && entries.length > 0) {
      const from = entries[entries.length - 1], to = words[at++];
      for (let i = 1; i <= length; i++) entries.push(Math.round(from + (to - from) * i / length));
    } else throw new Error(`its segmented palette has a segment of kind ${kind}, which is not supported.`);
  }
  if (entries.length === 0) throw new Error("its segmented palette is empty.");
  return entries;
}
