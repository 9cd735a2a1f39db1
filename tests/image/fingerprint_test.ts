import { assert, assertEquals, assertThrows } from "@std/assert";
import { fingerprint, resizeBicubic, type RgbImage, THUMBNAIL } from "../../lib/image/mod.ts";
import { greyToRgb } from "../../lib/image/rgb.ts";

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

for (const [width, height] of [[448, 448], [100, 333], [97, 135], [96, 192], [1021, 111]]) {
  Deno.test(`a fingerprint of ${width} x ${height} pixels has the mean luma of every cell`, () => {
    const image = picture(width, height), means = meansOfCells(image);
    fingerprint(image).views[0].forEach((level, i) => assert(Math.abs(level - means[i]) <= 0.5001));
  });
}

Deno.test("images smaller than the thumbnail are enlarged first", () => {
  const tiny = picture(5, 40);
  assertEquals(fingerprint(tiny), fingerprint(resizeBicubic(tiny, THUMBNAIL, THUMBNAIL)));
  assertEquals(fingerprint(greyToRgb(Uint8Array.of(77), 1, 1)).views, [
    new Uint8Array(THUMBNAIL ** 2).fill(77),
  ]);
});

Deno.test("a fingerprint goes to another thread unchanged, and wrong data are refused", () => {
  const print = fingerprint(picture(64, 64));
  assertEquals(structuredClone(print), print);
  assertThrows(() => fingerprint({ width: 4, height: 4, data: new Uint8Array(47) }), RangeError, "48 bytes");
});

/** A picture with bars of one grey at its sides, and a text of a few white pixels on the lower one. */
function barred(
  inner: RgbImage,
  bars: [left: number, top: number, right: number, bottom: number],
  text = 0,
): RgbImage {
  const [left, top, right, bottom] = bars,
    width = inner.width + left + right,
    height = inner.height + top + bottom;
  const data = new Uint8Array(3 * width * height).fill(10);
  for (let y = 0; y < inner.height; y++) {
    const row = inner.data.subarray(3 * y * inner.width, 3 * (y + 1) * inner.width);
    data.set(row, 3 * ((y + top) * width + left));
  }
  for (let k = 0; k < text; k++) {
    data.fill(255, 3 * ((height - 2) * width + 2 * k), 3 * ((height - 2) * width + 2 * k + 1));
  }
  return { width, height, data };
}

Deno.test("bars of one grey do not count, on whichever side they are", () => {
  const inner = picture(200, 160), { views } = fingerprint(inner);
  for (const bars of [[0, 20, 0, 20], [30, 0, 0, 0], [7, 1, 50, 60]] as [number, number, number, number][]) {
    assertEquals(fingerprint(barred(inner, bars)).views, views);
  }
});

Deno.test("of a margin with a text there is a view with and one without", () => {
  const inner = picture(200, 160), { views } = fingerprint(barred(inner, [0, 30, 0, 30], 20));
  assertEquals(views.length, 2);
  assertEquals(views[1], fingerprint(inner).views[0]);
  assertEquals(views[0], fingerprint(barred(inner, [0, 0, 0, 30], 20)).views[0]);
});
