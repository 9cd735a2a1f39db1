import { Buffer } from "node:buffer";
import sharp, { type Sharp } from "sharp";
import { type RgbImage } from "@lib/image/mod.ts";
import { greyToRgb } from "@lib/image/rgb.ts";

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

/** Lays a text on white over the middle 15% of an image. */
const text: Plant = (image) => {
  const { width } = image, height = Math.round(0.15 * image.height);
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">` +
    `<rect width="100%" height="100%" fill="white"/><text x="4" y="${0.75 * height}" fill="black" ` +
    `font-size="${0.6 * height}">SAMPLE 12:30</text></svg>`;
  return pixels(open(image).composite([{ input: Buffer.from(svg), gravity: "centre" }]).removeAlpha());
};

/** Makes an image a square by bars. */
const squared = (background: string): Plant => (image) => {
  const side = Math.max(image.width, image.height);
  return pixels(open(image).resize(side, side, { fit: "contain", background }));
};

const mirrored: Plant = (image) => pixels(open(image).flop());
const negative: Plant = (image) => pixels(open(image).negate());

const inTurn = (...plants: Plant[]): Plant => async (image) => {
  let copy = image;
  for (const plant of plants) copy = await plant(copy);
  return copy;
};

const SIDES = ["on the left", "above", "on the right", "below"];

/** Changes that a search for copies has to withstand. */
export const PLANTED: Readonly<Record<string, Plant>> = {
  "JPEG, quality 50": jpeg(50),
  "JPEG, quality 10": jpeg(10),
  "resized by 0.25": resized(0.25),
  "resized by 1.5": resized(1.5),
  "stretched to 224 x 224": (image) => pixels(open(image).resize(224, 224, { fit: "fill" })),
  "colour made grey": (image) => pixels(open(image).greyscale()),
  "gamma (2.2 in, 1.4 out)": (image) => pixels(open(image).gamma(2.2, 1.4)),
  ...Object.fromEntries([3, 5, 10].flatMap((percent) =>
    SIDES.map((side, i) => {
      const shares = [0, 0, 0, 0].map((_, k) => k === i ? percent / 100 : 0) as [
        number,
        number,
        number,
        number,
      ];
      return [`cropped by ${percent}% ${side}`, cropped(...shares)];
    })
  )),
  "cropped by 10% on each side": cropped(0.1, 0.1, 0.1, 0.1),
  "made a square by black bars": squared("black"),
  "made a square by white bars": squared("white"),
  "mirrored": mirrored,
  "negative": negative,
  "turned by 180 degrees": (image) => pixels(open(image).rotate(180)),
  "text over the middle 15%": text,
  "black strip burned in above": strip("black", "white", "north"),
  "white strip burned in below": strip("white", "black", "south"),
};

/** Several changes of one image. */
export const COMBINED: Readonly<Record<string, Plant>> = {
  "cropped by 3%, strip, resized by 0.5, JPEG 50": inTurn(
    cropped(0.03, 0.03, 0.03, 0.03),
    strip("black", "white", "north"),
    resized(0.5),
    jpeg(50),
  ),
  "mirrored, cropped by 10%, 5% and 10%, resized by 0.5, JPEG 50": inTurn(
    mirrored,
    cropped(0.1, 0.05, 0, 0.1),
    resized(0.5),
    jpeg(50),
  ),
  "negative, cropped by 10% above and on the right, in a black square, text, JPEG 40": inTurn(
    negative,
    cropped(0, 0.1, 0.1, 0),
    squared("black"),
    text,
    jpeg(40),
  ),
};
