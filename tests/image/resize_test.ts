import { assertEquals } from "@std/assert";
import { rng } from "../../lib/config/mod.ts";
import { resizeBicubic, type RgbImage } from "../../lib/image/mod.ts";
import { bicubicTaps } from "../../lib/image/resize_taps.ts";
import { assemble } from "./assemble.ts";

Deno.test("resize.wasm is resize.wat, assembled", async () => {
  const committed = await Deno.readFile(new URL("../../lib/image/resize.wasm", import.meta.url));
  assertEquals(committed, await assemble(), "run tests/image/assemble.ts");
});

/** One side of an image, sample by sample: the same filter without any kernel. */
function oneSide(image: RgbImage, to: number, side: "width" | "height"): RgbImage {
  if (image[side] === to) return image;
  const { spans, weights, stride } = bicubicTaps(image[side], to);
  const result = { ...image, [side]: to, data: new Uint8Array(0) };
  result.data = new Uint8Array(result.width * result.height * 3);
  for (let y = 0; y < result.height; y++) {
    for (let x = 0; x < result.width; x++) {
      const i = side === "width" ? x : y;
      for (let c = 0; c < 3; c++) {
        let sum = 0;
        for (let j = 0; j < spans[2 * i + 1]; j++) {
          const from = spans[2 * i] + j;
          const at = side === "width" ? y * image.width + from : from * image.width + x;
          sum += image.data[3 * at + c] * weights[i * stride + j];
        }
        const value = Math.floor((sum + 2 ** 21) / 2 ** 22);
        result.data[3 * (y * result.width + x) + c] = Math.min(255, Math.max(0, value));
      }
    }
  }
  return result;
}

Deno.test("the kernels give what plain arithmetic gives: 400 random shapes, grey, coloured, one pixel coloured", () => {
  const random = rng("resize kernels"), upTo = (n: number) => 1 + Math.floor(random() * n);
  for (let round = 0; round < 400; round++) {
    const width = upTo(70), height = upTo(70), data = new Uint8Array(3 * width * height);
    const kind = round % 3;
    for (let i = 0; i < data.length; i++) {
      if (kind !== 1 && i % 3) data[i] = data[i - 1];
      else data[i] = random() < 0.3 ? 255 * upTo(2) : 256 * random(); // overshoots on both sides, too
    }
    if (kind === 2) data[upTo(data.length) - 1] ^= 1;
    const toWidth = upTo(80), toHeight = upTo(80), image = { width, height, data };
    const downFirst = height > toHeight && height - toHeight > 2 * (width - toWidth);
    const want = downFirst
      ? oneSide(oneSide(image, toHeight, "height"), toWidth, "width")
      : oneSide(oneSide(image, toWidth, "width"), toHeight, "height");
    assertEquals(
      resizeBicubic(image, toWidth, toHeight).data,
      want.data,
      `${width}x${height} to ${toWidth}x${toHeight}, kind ${kind}`,
    );
  }
});

Deno.test("a picture larger than the memory that is kept comes out the same", () => {
  const width = 6000, height = 4000, data = new Uint8Array(3 * width * height);
  for (let i = 0; i < data.length; i++) data[i] = (i * 7919) >> 5;
  const image = { width, height, data };
  const want = oneSide(oneSide(image, 5, "width"), 3, "height");
  for (let again = 0; again < 2; again++) assertEquals(resizeBicubic(image, 5, 3), want);
});
