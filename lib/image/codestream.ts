import type { PixelFormat } from "./dicom_file.ts";

/** Calls `visit(marker, position)` for the segments of a JPEG (lossy, lossless or JPEG-LS) before its first scan. */
export function segments(jpeg: Uint8Array, visit: (marker: number, at: number) => void): void {
  for (let at = 2; at + 4 <= jpeg.length && jpeg[at] === 0xff;) {
    const marker = jpeg[at + 1];
    if (marker === 0xff) at++; // fill byte
    else {
      if (marker === 0xda || marker === 0xd9) return;
      visit(marker, at);
      at += 2 + (jpeg[at + 2] << 8 | jpeg[at + 3]);
    }
  }
}

/** Position of a JPEG's frame header (SOF0 to SOF15, or JPEG-LS' SOF55); null without one. */
function frameHeader(jpeg: Uint8Array): number | null {
  let found: number | null = null;
  segments(jpeg, (marker, at) => {
    const isFrame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
    if (isFrame || marker === 0xf7) found = at;
  });
  return found;
}

/** Bits of a sample and number of components. @throws Error without a frame header */
export function jpegFrame(jpeg: Uint8Array): { precision: number; components: number } {
  const at = frameHeader(jpeg);
  if (at === null || at + 9 >= jpeg.length) throw new Error("its JPEG data holds no frame header.");
  return { precision: jpeg[at + 4], components: jpeg[at + 9] };
}

/** Width and height as a codestream's own header tells them: JPEG's frame header or JPEG 2000's SIZ; null for others. */
function codestreamSize(bytes: Uint8Array): { width: number; height: number } | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (bytes.length >= 24 && view.getUint32(0) === 0xff4fff51) {
    return {
      width: view.getUint32(8) - view.getUint32(16),
      height: view.getUint32(12) - view.getUint32(20),
    };
  }
  const at = bytes[0] === 0xff && bytes[1] === 0xd8 ? frameHeader(bytes) : null;
  return at === null || at + 9 > bytes.length
    ? null
    : { width: view.getUint16(at + 7), height: view.getUint16(at + 5) };
}

/**
 * Refuses, before anything is unpacked, a codestream of another size than the DICOM header announces: a few bytes may
 * claim a picture of any size.
 */
export function requireAnnouncedSize(encoded: Uint8Array, format: PixelFormat): void {
  const size = codestreamSize(encoded);
  if (size && (size.width !== format.columns || size.height !== format.rows)) {
    throw new Error(
      `it is a picture of ${size.width}x${size.height}; the header announces ${format.columns}x${format.rows}.`,
    );
  }
}
