import { assert, assertEquals, assertRejects } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { decodeImage, type RgbImage } from "../../lib/image/mod.ts";
import { decodeDicom, isDicom } from "../../lib/image/dicom.ts";
import { parseDicom } from "../../lib/image/dicom_file.ts";
import { paths, sha256 } from "../../lib/config/mod.ts";

interface Expected {
  syntax: string;
  photometric: string;
  frame: number;
  width: number;
  height: number;
  rgb: string;
  /** Lossy JPEG: the picture pydicom gives (means over squares of `step` pixels), compared by value. */
  lossy?: string;
  step?: number;
}

const fixtures = fromFileUrl(new URL("./fixtures/dicom/", import.meta.url));
const expected = JSON.parse(await Deno.readTextFile(`${fixtures}expected.json`));
const root = `${paths.root}/.venv/lib/`;

/** Where the pydicom-data package of the Python environment keeps its files. */
async function dataStore(): Promise<string | null> {
  try {
    for await (const { name } of Deno.readDir(root)) {
      const store = `${root}${name}/site-packages/data_store/data`;
      if (name.startsWith("python") && await Deno.stat(store).catch(() => null)) return store;
    }
  } catch { /* no environment */ }
  return null;
}

/** Mean and greatest absolute difference of the means over squares. */
async function difference(image: RgbImage, want: Expected): Promise<{ mean: number; most: number }> {
  const means = await decodeImage(`${fixtures}${want.lossy}`);
  const step = want.step!;
  let sum = 0, most = 0;
  for (let y = 0; y < means.height; y++) {
    for (let x = 0; x < means.width; x++) {
      for (let c = 0; c < 3; c++) {
        let total = 0;
        for (let dy = 0; dy < step; dy++) {
          for (let dx = 0; dx < step; dx++) {
            total += image.data[((y * step + dy) * image.width + x * step + dx) * 3 + c];
          }
        }
        const d = Math.abs(total / step ** 2 - means.data[(y * means.width + x) * 3 + c]);
        sum += d;
        most = Math.max(most, d);
      }
    }
  }
  return { mean: sum / means.data.length, most };
}

async function compare(path: string, want: Expected): Promise<void> {
  const bytes = await Deno.readFile(path);
  assert(isDicom(bytes));
  const image = await decodeDicom(bytes);
  assertEquals([image.width, image.height], [want.width, want.height]);
  if (want.lossy) {
    const { mean, most } = await difference(image, want);
    assert(mean <= 0.2 && most <= 2, `mean difference ${mean}, greatest ${most}`);
  } else assertEquals(await sha256(image.data), want.rgb);
}

for (const [name, want] of Object.entries<Expected>(expected.committed)) {
  Deno.test(`${name} (${want.photometric}, ${want.syntax}) is shown as pydicom's values`, () =>
    compare(fixtures + name, want));
}

const store = await dataStore();
for (const [name, want] of Object.entries<Expected>(expected.pydicom_data)) {
  Deno.test({
    name:
      `[needs pydicom-data in .venv] ${name} (${want.photometric}, ${want.syntax}) is shown as pydicom's values`,
    ignore: store === null,
    fn: () => compare(`${store}/${name}`, want),
  });
}

for (
  const [name, message] of [
    ["htj2k.dcm", "1.2.840.10008.1.2.4.201 (High-Throughput JPEG 2000 Lossless) is not supported"],
    ["rtdose_1frame.dcm", "BitsAllocated 32"],
    ["MR_truncated.dcm", "MR_truncated.dcm cannot be decoded: its "],
  ]
) {
  Deno.test(`${name} is refused by an error that says why`, async () => {
    await assertRejects(() => decodeImage(fixtures + name), Error, message);
  });
}

Deno.test("compressed pixels in a file that is implicit although it says explicit are found", async () => {
  const { width, height, data } = await decodeImage(`${fixtures}SC_rgb_jpeg.dcm`);
  assertEquals([width, height], [256, 256]);
  assert(new Set(data).size > 20);
});

Deno.test("a frame can be chosen, the middle one is the default, and others do not exist", async () => {
  const bytes = await Deno.readFile(`${fixtures}enhanced.dcm`);
  const frames = await Promise.all(
    [0, 1, 2].map(async (frame) => await sha256((await decodeDicom(bytes, { frame })).data)),
  );
  assertEquals(new Set(frames).size, 3);
  assertEquals(await sha256((await decodeDicom(bytes)).data), frames[1]);
  for (const frame of [3, -1, 0.5]) {
    await assertRejects(() => decodeDicom(bytes, { frame }), Error, "the file has frames 0 to 2");
  }
});

Deno.test("a DICOM file cut anywhere is an error, never a picture of garbage", async () => {
  for (
    const name of [
      "MR_small_implicit",
      "MR_small_RLE",
      "MR_small_jp2klossless",
      "MR_small_jpeg_ls_lossless",
      "image_dfl",
    ]
  ) {
    const bytes = await Deno.readFile(`${fixtures}${name}.dcm`);
    for (const share of [0.2, 0.5, 0.8]) {
      await assertRejects(
        () => decodeDicom(bytes.slice(0, Math.floor(bytes.length * share))),
        Error,
        "",
        `${name} ${share}`,
      );
    }
  }
});

Deno.test("compressed pixels that end early inside a whole file are an error", async () => {
  const files = [
    "MR_small_RLE",
    "MR_small_jp2klossless",
    "MR_small_jpeg_ls_lossless",
    "SC_rgb_jpeg_gdcm",
    "SC_rgb_dcmtk_+eb+cr",
  ];
  for (const name of files) {
    const bytes = await Deno.readFile(`${fixtures}${name}.dcm`);
    const { position, length } = parseDicom(bytes).elements.x7fe00010.fragments!.at(-1)!;
    bytes.fill(0, position + Math.floor(length * 0.7), position + length);
    await assertRejects(() => decodeDicom(bytes), Error, "transfer syntax 1.2.840.10008.1.2.", name);
  }
});
