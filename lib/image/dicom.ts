import type { RgbImage } from "./rgb.ts";
export function isDicom(bytes: Uint8Array): boolean {
  return bytes.length > 132 && String.fromCharCode(...bytes.subarray(128, 132)) === "DICM";
}
export function decodeDicom(_bytes: Uint8Array): Promise<RgbImage> {
  throw new Error("DICOM is not wired yet.");
}
