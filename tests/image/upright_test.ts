import { assertEquals, assertRejects } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { sha256 } from "../../lib/config/mod.ts";
import { decodeImage } from "../../lib/image/mod.ts";

const fixtures = fromFileUrl(new URL("./fixtures/", import.meta.url));
const expectedOf = async (folder: string) =>
  JSON.parse(await Deno.readTextFile(`${fixtures}${folder}/expected.json`));

for (const [name, want] of Object.entries<Record<string, unknown>>(await expectedOf("upright"))) {
  Deno.test(`${name} of a turned camera is turned upright as by Pillow's exif_transpose, and says so`, async () => {
    const { width, height, data, notes } = await decodeImage(`${fixtures}upright/${name}`);
    assertEquals({ width, height, rgb: sha256(data) }, want);
    const turned = `it was turned upright as its orientation ${name[0]} says`;
    assertEquals(notes, name[0] === "1" ? undefined : [turned]);
  });
}

const NOTES: Record<string, string> = {
  "12_of_16.png": "its 16-bit levels, 0 to 4095, were read as 12 bits and reduced to 8",
  "12_of_16.tif": "its 16-bit levels, 0 to 4095, were read as 12 bits and reduced to 8",
  "12_of_16_rgb.tif": "its 16-bit levels, 0 to 4095, were read as 12 bits and reduced to 8",
  "8_of_16.png": "its 16-bit levels, 0 to 255, were read as 8 bits and reduced to 8",
  "16_of_16.png": "its 16-bit levels, 0 to 65520, were read as 16 bits and reduced to 8",
  "float_unit.tif": "its floating-point levels, 0 to 1, were spread over 0 to 255, 1 as 255",
  "float_hounsfield.tif": "its floating-point levels, -1024 to 3071, were spread over 0 to 255",
  "signed_32.tif": "its signed 32-bit levels, -1024 to 3071, were spread over 0 to 255",
  "unsigned_32.tif": "its 32-bit levels, 0 to 4095000, were spread over 0 to 255",
};
for (const [name, hash] of Object.entries(await expectedOf("deep"))) {
  Deno.test(`${name}: levels beyond 8 bits are neither lost nor saturated, and what was done is said`, async () => {
    const image = await decodeImage(`${fixtures}deep/${name}`);
    assertEquals(image.notes, [NOTES[name]]);
    assertEquals(sha256(image.data), hash);
  });
}

Deno.test("samples that cannot be read are refused by their type", async () => {
  await assertRejects(
    () => decodeImage(`${fixtures}deep/signed_16.tif`),
    Error,
    "of type short (grey16); save it",
  );
});
