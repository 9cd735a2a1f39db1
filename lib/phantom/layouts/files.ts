import { dirname, join } from "@std/path";
import { diskError } from "../../config/mod.ts";
import { PHANTOM_SIZE } from "../names.ts";

const raw = { width: PHANTOM_SIZE, height: PHANTOM_SIZE } as const;

/** Grey pixels as an RGB JPEG, quality 95, without chroma subsampling. */
export async function encodeJpeg(pixels: Uint8Array): Promise<Uint8Array> {
  const { default: sharp } = await import("sharp");
  return await sharp(pixels, { raw: { ...raw, channels: 1 } }).toColourspace("srgb")
    .jpeg({ quality: 95, chromaSubsampling: "4:4:4" }).toBuffer();
}

/** Grey (1 channel) or RGB (3 channels) pixels as PNG. */
export async function encodePng(pixels: Uint8Array, channels: 1 | 3): Promise<Uint8Array> {
  const { default: sharp } = await import("sharp");
  return await sharp(pixels, { raw: { ...raw, channels } }).png({ compressionLevel: 6 }).toBuffer();
}

/** Writes a file and the folders above it. @throws Error, one sentence, when the disk does not take it */
export async function put(root: string, path: string, data: Uint8Array | string): Promise<void> {
  const target = join(root, path);
  try {
    await Deno.mkdir(dirname(target), { recursive: true });
    if (typeof data === "string") await Deno.writeTextFile(target, data);
    else await Deno.writeFile(target, data);
  } catch (error) {
    throw diskError(error, target);
  }
}

/** RFC 4180 text with a header; fields are quoted where they must be. */
export function csv(header: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const field = (value: string | number) => {
    const text = String(value);
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  return [header, ...rows].map((row) => row.map(field).join(",") + "\n").join("");
}

/** One JSON value per line. */
export const jsonLines = (rows: readonly unknown[]): string =>
  rows.map((r) => JSON.stringify(r) + "\n").join("");
