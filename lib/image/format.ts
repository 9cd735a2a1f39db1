import { isDicom } from "./dicom_file.ts";

/** Formats that decodeImage reads, with the ending of their files. */
export const IMAGE_ENDINGS = {
  png: ".png",
  jpeg: ".jpg",
  gif: ".gif",
  webp: ".webp",
  tiff: ".tif",
  dicom: ".dcm",
} as const;
/** A format that is read. */
export type ImageFormat = keyof typeof IMAGE_ENDINGS;

/** The format of an encoded picture by its first bytes, whatever its name says; null for any other file. */
export function imageFormat(bytes: Uint8Array): ImageFormat | null {
  const starts = (text: string, at = 0) => [...text].every((c, k) => bytes[at + k] === c.charCodeAt(0));
  if (isDicom(bytes)) return "dicom"; // first: its preamble may be a TIFF header
  if (starts("\x89PNG\r\n\x1a\n")) return "png";
  if (starts("\xff\xd8\xff")) return "jpeg";
  if (starts("GIF87a") || starts("GIF89a")) return "gif";
  if (starts("RIFF") && starts("WEBP", 8)) return "webp";
  return ["II*\0", "MM\0*", "II+\0", "MM\0+"].some((magic) => starts(magic)) ? "tiff" : null;
}
