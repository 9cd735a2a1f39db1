import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { decodeImage, resizeBicubic, type RgbImage, writePixelValues } from "../../lib/image/mod.ts";
import { greyToRgb } from "../../lib/image/rgb.ts";
import { MAX_PIXELS } from "../../lib/image/limits.ts";
import { sha256 } from "../../lib/config/mod.ts";

const fixtures = fromFileUrl(new URL("./fixtures/", import.meta.url));
const expected = JSON.parse(await Deno.readTextFile(`${fixtures}expected.json`));
/** A picture as the vision tower reads it: resized, float32 [3, size, size]. */
function pixelValues(image: RgbImage, size: number): Float32Array<ArrayBuffer> {
  const values = new Float32Array(3 * size * size);
  writePixelValues(resizeBicubic(image, size, size).data, values);
  return values;
}
const bytesOf = (x: Float32Array) => new Uint8Array(x.buffer, x.byteOffset, x.byteLength);

for (const [name, want] of Object.entries<Record<string, unknown>>(expected.pictures)) {
  Deno.test(`${name} decodes to Pillow's bytes and preprocesses to transformers' values`, async () => {
    const path = `${fixtures}pictures/${name}`;
    const image = await decodeImage(path);
    assertEquals([image.width, image.height], [want.width, want.height]);
    assertEquals(await sha256(image.data), want.rgb);
    for (const [size, hash] of Object.entries(want.pixels as Record<string, string>)) {
      assertEquals(await sha256(bytesOf(pixelValues(image, Number(size)))), hash, `at ${size}`);
    }
  });
}

Deno.test("every level becomes exactly what transformers makes of it", async () => {
  const levels = greyToRgb(Uint8Array.from({ length: 256 }, (_, i) => i), 16, 16);
  const values = pixelValues(levels, 16);
  assertEquals(await sha256(bytesOf(values.slice(0, 256))), expected.levels_sha256);
  assertEquals([values[0], values[255], values.length], [-1, 1, 3 * 256]);
});

Deno.test("deviation from Pillow: 16-bit grey is scaled to its high byte, where Pillow saturates", async () => {
  const ours = await decodeImage(`${fixtures}deviations/grey_16bit.png`);
  const red = Array.from({ length: 8 }, (_, i) => ours.data[i * 3]);
  assertEquals(red, Array.from({ length: 8 }, (_, i) => Math.round(i * 65535 / 63) >> 8));
  assertEquals(expected.deviations_pillow_first_row_red["grey_16bit.png"], [
    0,
    255,
    255,
    255,
    255,
    255,
    255,
    255,
  ]);
});

Deno.test("deviation from Pillow: CMYK is converted with a profile, by some levels differently", async () => {
  const ours = await decodeImage(`${fixtures}deviations/cmyk.jpg`);
  const pillow: number[] = expected.deviations_pillow_first_row_red["cmyk.jpg"];
  const differences = pillow.map((v, i) => Math.abs(ours.data[i * 3] - v));
  assert(Math.max(...differences) > 2, "equal by now: the documentation can drop this deviation");
  assert(differences.reduce((a, b) => a + b) / differences.length < 64, `${differences}`);
});

Deno.test("a truncated, damaged, empty or unknown file is an error that names it", async () => {
  const dir = await Deno.makeTempDir();
  for (
    const name of [
      "baseline_420.jpg",
      "progressive_420.jpg",
      "noise_37x53.png",
      "interlaced.png",
      "plain.gif",
      "lossless.webp",
      "plain.tiff",
    ]
  ) {
    const bytes = await Deno.readFile(`${fixtures}pictures/${name}`);
    for (const share of [0.4, 0.9]) {
      const path = `${dir}/${name}`;
      await Deno.writeFile(path, bytes.slice(0, Math.floor(bytes.length * share)));
      await assertRejects(() => decodeImage(path), Error, `${name} cannot be decoded`, `${name} ${share}`);
    }
  }
  await assertRejects(() => decodeImage(new Uint8Array()), Error, "image of 0 bytes is empty");
  await assertRejects(
    () => decodeImage(new TextEncoder().encode("not a picture")),
    Error,
    "image of 13 bytes cannot be decoded",
  );
  await assertRejects(() => decodeImage(`${dir}/none.png`), Deno.errors.NotFound, "none.png");
  await Deno.remove(dir, { recursive: true });
});

/** A grey TIFF of 2 x 2 samples, `bits` wide; format 1 is unsigned, 3 floating-point, 6 complex. */
function tiff(bits: number, format: number): Uint8Array {
  const size = bits / 2, tags = [[256, 2], [257, 2], [258, bits], [259, 1], [262, 1], [273, 8], [277, 1]];
  const all = [...tags, [278, 2], [279, size], [339, format]], start = 8 + size;
  const view = new DataView(new ArrayBuffer(start + 6 + 12 * all.length));
  new Uint8Array(view.buffer).set([0x49, 0x49, 42, 0]);
  view.setUint32(4, start, true);
  view.setUint16(start, all.length, true);
  all.forEach(([tag, value], i) => {
    const at = start + 2 + 12 * i;
    view.setUint16(at, tag, true);
    view.setUint16(at + 2, 4, true);
    view.setUint32(at + 4, 1, true);
    view.setUint32(at + 8, value, true);
  });
  return new Uint8Array(view.buffer);
}

Deno.test("a TIFF of samples that are not read is not called corrupt", async () => {
  assertEquals((await decodeImage(tiff(8, 1))).data, new Uint8Array(12));
  for (const [bits, format] of [[64, 3], [64, 2], [24, 1], [32, 6]]) {
    const { message } = await assertRejects(() => decodeImage(tiff(bits, format)), Error);
    assertEquals(
      message.replace(/.*decoded: /, "").replace(/ [(].*[)]/, ""),
      "its samples are of a type that is not read; save it with 8 or 16 bits, unsigned.",
    );
  }
});

Deno.test("a picture of absurd size is refused before it is unpacked", async () => {
  const png = await Deno.readFile(`${fixtures}pictures/single.png`);
  const view = new DataView(png.buffer);
  view.setUint32(16, 40_000);
  view.setUint32(20, 40_000);
  const { crc32 } = await import("node:zlib");
  view.setUint32(29, crc32(png.subarray(12, 29)));
  await assertRejects(
    () => decodeImage(png),
    Error,
    `40000x40000 pixels, more than the ${MAX_PIXELS} accepted`,
  );
});

Deno.test("sides and data that do not fit are refused", () => {
  const image = { width: 2, height: 2, data: new Uint8Array(12) };
  assertThrows(() => resizeBicubic(image, 0, 3), RangeError, "0x3 was asked for");
  assertThrows(() => resizeBicubic(image, 2.5, 3), RangeError, "2.5x3");
  assertThrows(
    () => resizeBicubic({ ...image, height: 3 }, 2, 2),
    RangeError,
    "needs 18 bytes, 12 were given",
  );
});

const data = Deno.env.get("LAB_DATA");
Deno.test({
  name: "[needs LAB_DATA] 109 VQA-RAD photographs at 224 are bit-equal to transformers with Pillow",
  ignore: !data,
  fn: async () => {
    const hashes: Record<string, string> = JSON.parse(await Deno.readTextFile(`${fixtures}vqa_rad_224.json`));
    assertEquals(Object.keys(hashes).length, 109);
    const different: string[] = [];
    for (const [name, hash] of Object.entries(hashes)) {
      const image = await decodeImage(`${data}/vqa-rad-train/VQA_RAD Image Folder/${name}`);
      const values = pixelValues(image, 224);
      if (await sha256(bytesOf(values)) !== hash) different.push(name);
    }
    assertEquals(different, []);
  },
});
