/** Pictures in (PNG, JPEG, DICOM, ...), the vision tower's pixels out, overlays for people. */
export { decodeImage, MAX_PIXELS } from "./decode.ts";
export { decodeDicom, isDicom } from "./dicom.ts";
export { preprocess, toPixelValues } from "./pixels.ts";
export { encodePng } from "./png.ts";
export { resizeBicubic } from "./resize.ts";
export { greyToRgb, type RgbImage } from "./rgb.ts";
