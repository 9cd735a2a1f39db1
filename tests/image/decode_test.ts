import { assert, assertEquals, assertRejects } from "@std/assert";
import { decodeImage, encodePng, preprocess, toPixelValues } from "../../lib/image/mod.ts";
import { sha256 } from "../../lib/config/mod.ts";

const fixtures = new URL("./fixtures/", import.meta.url).pathname;
const expected = JSON.parse(await Deno.readTextFile(`${fixtures}expected.json`));
const bytesOf = (x: Float32Array) => new Uint8Array(x.buffer, x.byteOffset, x.byteLength);

for (const [name, want] of Object.entries<Record<string, unknown>>(expected.pictures)) {
  Deno.test(`${name} decodes to Pillow's bytes and preprocesses to transformers' values`, async () => {
    const path = `${fixtures}pictures/${name}`;
    const image = await decodeImage(path);
    assertEquals([image.width, image.height], [want.width, want.height]);
    assertEquals(await sha256(image.data), want.rgb);
    for (const [size, hash] of Object.entries(want.pixels as Record<string, string>)) {
      assertEquals(await sha256(bytesOf(toPixelValues(image, Number(size)))), hash, `at ${size}`);
    }
  });
}
