/** Larger pictures are refused before any memory is taken for them; the largest radiographs have some 30 million. */
export const MAX_PIXELS = 100_000_000;

/** Larger files are refused; a long tomosynthesis has some 500 million. */
export const MAX_BYTES = 1_000_000_000;

/** Deflated DICOM files that unpack to more are refused: as much as the largest picture of 16 bits. */
export const MAX_INFLATED_BYTES = 2 * MAX_PIXELS;

export function tooLarge(width: number, height: number): Error {
  return new Error(
    `it has ${width}x${height} pixels, more than the ${MAX_PIXELS} accepted; shrink it first.`,
  );
}
