import { assert, assertEquals, assertThrows } from "@std/assert";
import { fingerprint, greyToRgb, resizeBicubic, type RgbImage, THUMBNAIL } from "../../lib/image/mod.ts";

/** The mean luma of each cell by its definition: every pixel counts by the area that it has in the cell. */
function meansOfCells({ width, height, data }: RgbImage): number[] {
  const part = (pixel: number, from: number, to: number) => Math.min(pixel + 1, to) - Math.max(pixel, from);
  return Array.from({ length: THUMBNAIL ** 2 }, (_, i) => {
    const [row, column] = [Math.floor(i / THUMBNAIL), i % THUMBNAIL];
    const [top, bottom] = [row * height / THUMBNAIL, (row + 1) * height / THUMBNAIL];
    const [left, right] = [column * width / THUMBNAIL, (column + 1) * width / THUMBNAIL];
    let sum = 0;
    for (let y = Math.floor(top); y < Math.ceil(bottom); y++) {
      for (let x = Math.floor(left); x < Math.ceil(right); x++) {
        const [r, g, b] = data.subarray(3 * (y * width + x));
        sum += part(y, top, bottom) * part(x, left, right) * (0.299 * r + 0.587 * g + 0.114 * b);
      }
    }
    return sum / ((bottom - top) * (right - left));
  });
}

/** Waves in three colours with noise of a fixed generator. */
function picture(width: number, height: number): RgbImage {
  let state = 1;
  const data = Uint8Array.from({ length: 3 * width * height }, (_, i) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const x = Math.floor(i / 3) % width, y = Math.floor(i / 3 / width);
    return 100 + 60 * Math.sin(x / 9 + (i % 3)) * Math.cos(y / 7) + (state >>> 24) / 4;
  });
  return { width, height, data };
}

for (const [width, height] of [[448, 448], [100, 333], [33, 45], [32, 64], [1021, 37]]) {
  Deno.test(`a fingerprint of ${width} x ${height} pixels has the mean luma of every cell`, () => {
    const image = picture(width, height), means = meansOfCells(image);
    fingerprint(image).grey.forEach((level, i) => assert(Math.abs(level - means[i]) <= 0.5001));
  });
}

Deno.test("images smaller than the thumbnail are enlarged first", () => {
  const tiny = picture(5, 40);
  assertEquals(fingerprint(tiny), fingerprint(resizeBicubic(tiny, THUMBNAIL, 40)));
  assertEquals(fingerprint(greyToRgb(Uint8Array.of(77), 1, 1)).grey, new Uint8Array(THUMBNAIL ** 2).fill(77));
});

Deno.test("a fingerprint goes to another thread unchanged, and wrong data are refused", () => {
  const print = fingerprint(picture(64, 64));
  assertEquals(structuredClone(print), print);
  assertThrows(() => fingerprint({ width: 4, height: 4, data: new Uint8Array(47) }), RangeError, "48 bytes");
});
