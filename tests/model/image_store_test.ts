import { assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { decodeImage, encodePng, resizeBicubic } from "../../lib/image/mod.ts";
import { imageStore, pixelValuesOf, readAhead } from "../../lib/model/mod.ts";

const SIZE = 16;

/** A picture of some colour and noise, another one for each seed. */
const picture = (seed: number) =>
  encodePng({
    width: 40,
    height: 30,
    data: Uint8Array.from({ length: 40 * 30 * 3 }, (_, i) => (seed * 37 + i * i * 13) % 256),
  });

/** `work` in a folder with `count` pictures. */
async function withPictures(count: number, work: (paths: string[]) => Promise<void>) {
  const folder = await Deno.makeTempDir();
  try {
    const paths = Array.from({ length: count }, (_, i) => join(folder, `${i}.png`));
    for (const [i, path] of paths.entries()) await Deno.writeFile(path, await picture(i));
    await work(paths);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("what was read ahead is what the store reads, and is not read again", () =>
  withPictures(5, async (paths) => {
    const store = imageStore(SIZE);
    await using reader = readAhead(store);
    reader.start(paths);
    for (const path of paths) {
      await store.fill(path, () => Promise.reject(new Error("read twice")));
      const expected = resizeBicubic(await decodeImage(path), SIZE, SIZE).data;
      assertEquals(new Uint8Array(await store.get(path)), new Uint8Array(expected));
    }
    assertEquals(await pixelValuesOf(paths, store), await pixelValuesOf(paths, imageStore(SIZE)));
  }));

Deno.test("a bad file read ahead fails when it is asked for, not before, and is read again once it is mended", () =>
  withPictures(1, async ([path]) => {
    const store = imageStore(SIZE);
    await using reader = readAhead(store);
    await Deno.writeTextFile(path, "no picture");
    reader.start([path]);
    await new Promise((resolve) => setTimeout(resolve, 50));
    await assertRejects(() => pixelValuesOf([path], store), Error, path);
    await Deno.writeFile(path, await picture(7));
    assertEquals((await store.get(path)).length, SIZE * SIZE * 3);
  }));

Deno.test("a reader that ends early leaves a store that reads by itself", () =>
  withPictures(8, async (paths) => {
    const store = imageStore(SIZE);
    {
      await using reader = readAhead(store);
      reader.start(paths);
    }
    assertEquals(await pixelValuesOf(paths, store), await pixelValuesOf(paths, imageStore(SIZE)));
  }));

Deno.test("images are read while this thread is busy with something else", () =>
  withPictures(12, async (paths) => {
    const store = imageStore(SIZE), [first, ...rest] = paths;
    await using reader = readAhead(store);
    reader.start([first]);
    await store.get(first); // a worker has started
    reader.start(rest);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 3000);
    for (const path of rest) await Deno.remove(path);
    assertEquals((await pixelValuesOf(rest, store)).length, rest.length * 3 * SIZE * SIZE);
  }));
