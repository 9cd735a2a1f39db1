import { Buffer } from "node:buffer";
import sharp, { type Sharp } from "sharp";
import { greyToRgb, type RgbImage } from "../../image/mod.ts";

/** Makes an image into a copy as copies are found in published data sets. */
export type Plant = (image: RgbImage) => Promise<RgbImage>;

const open = ({ width, height, data }: RgbImage): Sharp =>
  sharp(data, { raw: { width, height, channels: 3 }, limitInputPixels: false });

async function pixels(image: Sharp): Promise<RgbImage> {
  const { data, info } = await image.raw().toBuffer({ resolveWithObject: true });
  const { width, height, channels } = info, bytes = new Uint8Array(data);
  return channels === 1 ? greyToRgb(bytes, width, height) : { width, height, data: bytes };
}

const jpeg = (quality: number): Plant => async (image) =>
  await pixels(sharp(await open(image).jpeg({ quality }).toBuffer()));

const resized = (factor: number): Plant => (image) =>
  pixels(open(image).resize({ width: Math.round(image.width * factor) }));

/** Cuts shares of width and height off on the left, above, on the right and below. */
const cropped = (...shares: [number, number, number, number]): Plant => ({ width, height, data }) => {
  const [left, top, right, bottom] = shares.map((share, i) => Math.round(share * (i % 2 ? height : width)));
  const part = { left, top, width: width - left - right, height: height - top - bottom };
  return pixels(open({ width, height, data }).extract(part));
};

/** Lays a strip with text over the upper or lower 8% of an image. */
const strip = (paper: string, ink: string, gravity: "north" | "south"): Plant => (image) => {
  const { width } = image, height = Math.round(0.08 * image.height);
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">` +
    `<rect width="100%" height="100%" fill="${paper}"/><text x="4" y="${0.75 * height}" fill="${ink}" ` +
    `font-size="${0.7 * height}">PORTABLE 12:30 LEFT</text></svg>`;
  return pixels(open(image).composite([{ input: Buffer.from(svg), gravity }]).removeAlpha());
};

const inTurn = (...plants: Plant[]): Plant => async (image) => {
  let copy = image;
  for (const plant of plants) copy = await plant(copy);
  return copy;
};

/** Changes that a search for copies has to withstand. */
export const PLANTED: Readonly<Record<string, Plant>> = {
  "JPEG, quality 95": jpeg(95),
  "JPEG, quality 50": jpeg(50),
  "JPEG, quality 10": jpeg(10),
  "resized by 0.5": resized(0.5),
  "resized by 0.25": resized(0.25),
  "resized by 1.5": resized(1.5),
  "cropped by 3% on each side": cropped(0.03, 0.03, 0.03, 0.03),
  "black strip burned in above": strip("black", "white", "north"),
  "white strip burned in below": strip("white", "black", "south"),
  "colour made grey": (image) => pixels(open(image).greyscale()),
  "cropped by 3%, strip, resized by 0.5, JPEG 50": inTurn(
    cropped(0.03, 0.03, 0.03, 0.03),
    strip("black", "white", "north"),
    resized(0.5),
    jpeg(50),
  ),
};

/** Changes beyond these, some of which the search does not claim to withstand. */
export const FURTHER: Readonly<Record<string, Plant>> = {
  "stretched to 224 x 224": (image) => pixels(open(image).resize(224, 224, { fit: "fill" })),
  "cropped by 1% on each side": cropped(0.01, 0.01, 0.01, 0.01),
  "cropped by 5% on each side": cropped(0.05, 0.05, 0.05, 0.05),
  "brighter (1.2 x + 10)": (image) => pixels(open(image).linear(1.2, 10)),
  "gamma (2.2 in, 1.4 out)": (image) => pixels(open(image).gamma(2.2, 1.4)),
  "cropped by 3% left and below only": cropped(0.03, 0, 0, 0.03),
  "cropped by 2% left and below only": cropped(0.02, 0, 0, 0.02),
  "cropped by 4% above only": cropped(0, 0.04, 0, 0),
  "cropped by 6% on the right only": cropped(0, 0, 0.06, 0),
  "mirrored": (image) => pixels(open(image).flop()),
};
