/** Pictures that claim more than they hold are refused by their header, before memory is taken for them. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { crc32, deflateRawSync } from "node:zlib";
import { decodeImage, imageFormat } from "../../lib/image/mod.ts";
import { MAX_PIXELS } from "../../lib/image/limits.ts";

const fixtures = fromFileUrl(new URL("./fixtures/", import.meta.url));
const picture = async (name: string) => await Deno.readFile(`${fixtures}pictures/${name}`);
const dicom = async (name: string) => await Deno.readFile(`${fixtures}dicom/${name}`);
const view = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.length);

/** Position of a byte pattern. */
function find(bytes: Uint8Array, pattern: number[], from = 0): number {
  for (let at = from; at + pattern.length <= bytes.length; at++) {
    if (pattern.every((byte, k) => bytes[at + k] === byte)) return at;
  }
  throw new Error(`no ${pattern} in the fixture`);
}

async function pngBomb() {
  const bytes = await picture("single.png");
  view(bytes).setUint32(16, 60_000);
  view(bytes).setUint32(20, 50_000);
  view(bytes).setUint32(29, crc32(bytes.subarray(12, 29)));
  return bytes;
}
async function jpegBomb() {
  const bytes = await picture("baseline_420.jpg"), at = find(bytes, [0xff, 0xc0]);
  view(bytes).setUint16(at + 5, 50_000);
  view(bytes).setUint16(at + 7, 60_000);
  return bytes;
}
async function gifBomb() {
  const bytes = await picture("plain.gif"), at = find(bytes, [0x2c]);
  for (const place of [6, at + 5]) {
    view(bytes).setUint16(place, 60_000, true);
    view(bytes).setUint16(place + 2, 50_000, true);
  }
  return bytes;
}
async function tiffBomb() {
  const bytes = await picture("plain.tiff"), data = view(bytes), ifd = data.getUint32(4, true);
  for (let k = 0; k < data.getUint16(ifd, true); k++) {
    const entry = ifd + 2 + 12 * k, tag = data.getUint16(entry, true);
    if (tag === 256 || tag === 257) {
      data.setUint16(entry + 2, 4, true);
      data.setUint32(entry + 8, tag === 256 ? 60_000 : 50_000, true);
    }
  }
  return bytes;
}

for (const [name, make] of Object.entries({ PNG: pngBomb, JPEG: jpegBomb, GIF: gifBomb, TIFF: tiffBomb })) {
  Deno.test(`a ${name} of 60000x50000 pixels in a few bytes is refused at once`, async () => {
    const bytes = await make(), before = Deno.memoryUsage().rss;
    await assertRejects(() => decodeImage(bytes), Error, `60000x50000 pixels, more than the ${MAX_PIXELS}`);
    assert(Deno.memoryUsage().rss - before < 200e6, "memory was taken for it");
  });
}

Deno.test("a DICOM header of 65535x65535 pixels is refused", async () => {
  const bytes = await dicom("CT_small.dcm");
  for (const element of [0x10, 0x11]) {
    view(bytes).setUint16(find(bytes, [0x28, 0, element, 0]) + 8, 65_535, true);
  }
  await assertRejects(() => decodeImage(bytes), Error, "65535x65535 pixels, more than");
});

const CODESTREAMS: [string, number[]][] = [
  ["MR_small_jp2klossless.dcm", [0xff, 0x4f, 0xff, 0x51]],
  ["jpeg_lossless_57.dcm", [0xff, 0xc3]],
  ["MR_small_jpeg_ls_lossless.dcm", [0xff, 0xf7]],
  ["SC_rgb_small_odd_jpeg.dcm", [0xff, 0xc0]],
];
for (const [name, marker] of CODESTREAMS) {
  Deno.test(`${name}: a codestream that claims another height than the file is refused`, async () => {
    const bytes = await dicom(name);
    await decodeImage(bytes);
    const at = find(bytes, marker, 200);
    if (marker.length === 4) view(bytes).setUint32(at + 12, 2_000_000);
    else view(bytes).setUint16(at + 5, 60_000);
    await assertRejects(
      () => decodeImage(bytes),
      Error,
      `x${marker.length === 4 ? 2_000_000 : 60_000}; the header`,
    );
  });
}

Deno.test("a deflated DICOM file that unpacks without end is refused", async () => {
  const head = new Uint8Array(132 + 12 + 8 + 22);
  head.set(new TextEncoder().encode("DICM"), 128);
  const uid = "1.2.840.10008.1.2.1.99";
  // (0002,0000) UL 4: length of what follows; (0002,0010) UI: deflated
  head.set([2, 0, 0, 0, 0x55, 0x4c, 4, 0, 8 + uid.length, 0, 0, 0], 132);
  head.set([2, 0, 0x10, 0, 0x55, 0x49, uid.length, 0], 144);
  head.set(new TextEncoder().encode(uid), 152);
  const block = deflateRawSync(new Uint8Array(64 << 20), { finishFlush: 2 }); // ends at a byte, not final
  const bomb = new Uint8Array(head.length + 4 * block.length);
  bomb.set(head);
  for (let k = 0; k < 4; k++) bomb.set(block, head.length + k * block.length);
  assert(bomb.length < 1e6);
  await assertRejects(() => decodeImage(bomb), Error, "larger than 200000000 bytes");
});

Deno.test("only the formats that are named are decoded, whatever the file is called", async () => {
  const dir = await Deno.makeTempDir();
  const svg =
    "<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'><rect width='9' height='9'/></svg>";
  await Deno.writeTextFile(`${dir}/drawing.png`, svg);
  await assertRejects(
    () => decodeImage(`${dir}/drawing.png`),
    Error,
    "drawing.png cannot be decoded: it is not a PNG",
  );
  await assertRejects(() => decodeImage(dir), Error, "is a folder, no picture");
  const formats = { "single.png": "png", "plain.gif": "gif", "lossless.webp": "webp", "plain.tiff": "tiff" };
  for (const [name, format] of Object.entries(formats)) {
    assertEquals(imageFormat(await picture(name)), format);
  }
  assertEquals(imageFormat(await dicom("CT_small.dcm")), "dicom");
});

Deno.test("a file above the limit is refused without being read", async () => {
  const path = await Deno.makeTempFile({ suffix: ".png" });
  await Deno.truncate(path, 1_000_000_001); // sparse
  await assertRejects(
    () => decodeImage(path),
    Error,
    "has 1000000001 bytes, more than the 1000000000 accepted",
  );
  await Deno.remove(path);
});
