/** Pictures in (PNG, JPEG, DICOM, ...), the vision tower's pixels out, overlays for people. */
export { decodeImage } from "./decode.ts";
export { doubtsAbout } from "./doubts.ts";
export { IMAGE_ENDINGS, type ImageFormat, imageFormat } from "./format.ts";
export { type Fingerprint, fingerprint, THUMBNAIL } from "./fingerprint.ts";
export { type DecodedImage, encodePng, type RgbImage, writePixelValues } from "./rgb.ts";
export { type ImageFacts, type ImagePool, imagePool, type PreprocessedImage } from "./pool.ts";
export { resizeBicubic } from "./resize.ts";
