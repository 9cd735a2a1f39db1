import type { Sharp } from "sharp";

/** Sample types of sharp beyond 8 bits, and how their bytes are read. */
const SAMPLES = {
  ushort: Uint16Array,
  uint: Uint32Array,
  int: Int32Array,
  char: Int8Array,
  float: Float32Array,
};
type Depth = keyof typeof SAMPLES;

/** Colour spaces whose samples sharp hands over as they are stored. */
const STORED = ["b-w", "grey16", "rgb", "rgb16", "srgb"];

/** Interleaved bytes, and how they were made. */
export interface Reduced {
  data: Uint8Array;
  width: number;
  height: number;
  channels: number;
  note: string;
}

/**
 * Reduces samples of more than 8 bits, signed ones and floats, to bytes: unsigned 16-bit ones by dropping low bits, as
 * many as leave the bits that the greatest sample needs (12-bit values in a 16-bit file do not become nearly black; full
 * 16-bit ones become their high byte); floats within 0..1 times 255; all others from the least to the greatest. Not a
 * number becomes the least.
 *
 * @returns null for 8-bit pictures
 * @throws Error for sample types that are not read
 */
export async function reduceDeep(picture: Sharp, depth: string, space: string): Promise<Reduced | null> {
  if (depth === "uchar") return null;
  const isRead = depth in SAMPLES && STORED.includes(space) && !(depth === "float" && space.endsWith("16"));
  if (!isRead) {
    throw new Error(`its samples are of type ${depth} (${space}); save it with 8 or 16 bits, unsigned.`);
  }
  const { data: bytes, info } = await picture.toColourspace(space).raw({ depth: depth as Depth })
    .toBuffer({ resolveWithObject: true });
  const samples = new SAMPLES[depth as Depth](new Uint8Array(bytes).buffer);
  const { width, height, channels } = info, colours = channels < 3 ? 1 : 3;
  let least = Infinity, most = -Infinity;
  for (let i = 0; i < samples.length; i++) {
    const value = samples[i];
    if (i % channels < colours && Number.isFinite(value)) {
      least = Math.min(least, value);
      most = Math.max(most, value);
    }
  }
  const data = new Uint8Array(samples.length),
    found = `its ${NAMES[depth as Depth]} levels, ${least} to ${most},`;
  const result = { data, width, height, channels };
  if (depth === "ushort") {
    const bits = Math.max(8, 32 - Math.clz32(most));
    for (let i = 0; i < samples.length; i++) data[i] = samples[i] >> (i % channels < colours ? bits - 8 : 8);
    return { ...result, note: `${found} were read as ${bits} bits and reduced to 8` };
  }
  const isUnit = depth === "float" && least >= 0 && most <= 1;
  const [low, high] = isUnit ? [0, 1] : [least, most], scale = high > low ? 255 / (high - low) : 0;
  for (let i = 0; i < samples.length; i++) {
    const level = i % channels < colours ? (samples[i] - low) * scale : 255;
    data[i] = Math.floor(Math.min(Math.max(Number.isNaN(level) ? 0 : level, 0), 255) + 0.5);
  }
  return { ...result, note: `${found} were spread over 0 to 255${isUnit ? ", 1 as 255" : ""}` };
}

const NAMES: Readonly<Record<Depth, string>> = {
  ushort: "16-bit",
  uint: "32-bit",
  int: "signed 32-bit",
  char: "signed 8-bit",
  float: "floating-point",
};
