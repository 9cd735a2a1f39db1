import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import {
  decodeImage,
  drawContour,
  encodePng,
  greyToRgb,
  heatColour,
  overlayHeatmap,
  upsampleBilinear,
} from "../../lib/image/mod.ts";

const expected = JSON.parse(await Deno.readTextFile(new URL("./fixtures/expected.json", import.meta.url)));

Deno.test("a grid is enlarged as torch does it", () => {
  const { grid, enlarged } = expected.bilinear;
  const ours = upsampleBilinear(grid, 4, 5, 18, 13);
  assertEquals(ours.length, enlarged.length);
  ours.forEach((value, i) => assertAlmostEquals(value, enlarged[i], 2e-6));
});

/** CIE lightness of an sRGB colour. */
function lightness([r, g, b]: number[]): number {
  const linear = [r, g, b].map((v) => v / 255).map((v) =>
    v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4
  );
  const y = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
  return y > 0.008856 ? 116 * Math.cbrt(y) - 16 : 903.3 * y;
}

Deno.test("the heat colours grow lighter in similar steps from end to end", () => {
  const light = Array.from({ length: 33 }, (_, i) => lightness(heatColour(i / 32)));
  const steps = light.slice(1).map((v, i) => v - light[i]);
  const mean = (light[32] - light[0]) / 32;
  assert(light[0] < 15 && light[32] > 85, `from ${light[0]} to ${light[32]}`);
  assert(steps.every((s) => s > 0.5 * mean && s < 1.6 * mean), `steps ${steps.map((s) => s.toFixed(2))}`);
});

Deno.test("a heat map keeps the picture's size, colours its extremes and leaves the input alone", () => {
  const image = greyToRgb(new Uint8Array(64).fill(100), 8, 8);
  const out = overlayHeatmap(image, [0, 0, 0, 1], 2, 2);
  const pixel = (x: number, y: number) => Array.from(out.data.subarray((y * 8 + x) * 3, (y * 8 + x) * 3 + 3));
  assertEquals([out.width, out.height], [8, 8]);
  assertEquals(pixel(0, 0), heatColour(0).map((c) => Math.round(50 + c / 2)));
  assertEquals(pixel(7, 7), heatColour(1).map((c) => Math.round(50 + c / 2)));
  assert(image.data.every((v) => v === 100));
  assertEquals(overlayHeatmap(image, [0, 0, 0, 1], 2, 2, { opacity: 0 }).data, image.data);
});

Deno.test("a given range makes two maps comparable, and a constant map is the lowest colour", () => {
  const image = greyToRgb(new Uint8Array(4), 2, 2);
  const half = overlayHeatmap(image, [1, 1, 1, 1], 2, 2, { range: [0, 2], opacity: 1 });
  assertEquals(Array.from(half.data.subarray(0, 3)), heatColour(0.5).map(Math.round));
  const flat = overlayHeatmap(image, [7, 7, 7, 7], 2, 2, { opacity: 1 });
  assertEquals(Array.from(flat.data.subarray(0, 3)), heatColour(0));
});

Deno.test("values that cannot be shown are refused", () => {
  const image = greyToRgb(new Uint8Array(4), 2, 2);
  assertThrows(() => overlayHeatmap(image, [1, 2, 3], 2, 2), RangeError, "needs 4 values, 3 were given");
  assertThrows(() => overlayHeatmap(image, [1, NaN, 3, 4], 2, 2), RangeError, "value 1 is NaN");
  assertThrows(() => drawContour(image, [1]), RangeError, "needs 4 values");
  assertThrows(() => greyToRgb(new Uint8Array(3), 2, 2), RangeError, "needs 4 bytes");
});

Deno.test("a mask's contour is its inner border, at the image's edge too", () => {
  const rows = ["11100", "11110", "11110", "01110", "00000"];
  const mask = rows.join("").split("").map(Number);
  const out = drawContour(greyToRgb(new Uint8Array(25), 5, 5), mask, [9, 9, 9]);
  const drawn = rows.map((_, y) =>
    Array.from({ length: 5 }, (_, x) => out.data[(y * 5 + x) * 3] ? "#" : ".").join("")
  );
  assertEquals(drawn, ["###..", "#..#.", "#..#.", ".###.", "....."]);
});

Deno.test("a PNG written here is read back unchanged", async () => {
  const image = { width: 7, height: 3, data: Uint8Array.from({ length: 63 }, (_, i) => (i * 41) % 256) };
  const png = await encodePng(image);
  assertEquals(Array.from(png.subarray(1, 4)), [80, 78, 71]);
  assertEquals(await decodeImage(png), image);
});
