import { assert, assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { join } from "@std/path";
import { allocTensor, asType, realType, tf } from "@lib/tensor/mod.ts";
import { readHeader, readSafetensors, writeSafetensors } from "@lib/weights/mod.ts";
import { inTempDir, rawSafetensors } from "./make.ts";

const f32 = (shape: number[], from: number, to: number) => ({
  dtype: "F32",
  shape,
  data_offsets: [from, to],
});

Deno.test("broken files are refused with what is wrong in them", () =>
  inTempDir((dir) => {
    const good = rawSafetensors({ a: f32([2], 0, 8), b: f32([1], 8, 12) }, 12);
    const huge = good.slice();
    huge.set([255, 255, 255, 255, 255, 255, 255, 255]);
    const long = good.slice();
    new DataView(long.buffer).setBigUint64(0, 5000n, true);
    const cases: [string, Uint8Array, string][] = [
      ["empty", new Uint8Array(0), "at least 8 bytes, found 0"],
      ["five bytes", good.slice(0, 5), "at least 8 bytes, found 5"],
      ["cut in the header", good.slice(0, 30), "the file ends after 22"],
      ["cut in the data", good.slice(0, -3), `expected ${good.length} bytes, found ${good.length - 3}`],
      ["bytes after the data", rawSafetensors({ a: f32([2], 0, 8) }, 9), "found"],
      ["absurd length", huge, "header of at most"],
      ["length past the end", long, "expected a header of 5000 bytes"],
      ["no JSON", rawSafetensors('{"a": ', 0), "not JSON"],
      ["a list", rawSafetensors([], 0), "not a JSON object"],
      ["null", rawSafetensors("null", 0), "not a JSON object"],
      ["bad UTF-8", rawSafetensors({}, 0).map((b, i) => (i === 8 ? 0xff : b)), "not JSON"],
      ["overlap", rawSafetensors({ a: f32([2], 0, 8), b: f32([2], 4, 12) }, 12), '"b" overlaps'],
      ["the same bytes twice", rawSafetensors({ a: f32([2], 0, 8), b: f32([2], 0, 8) }, 8), "overlaps"],
      ["a gap", rawSafetensors({ a: f32([1], 0, 4), b: f32([1], 8, 12) }, 12), '4 bytes before tensor "b"'],
      [
        "a name given twice",
        rawSafetensors(`{"a": ${JSON.stringify(f32([1], 0, 4))}, "a": ${JSON.stringify(f32([1], 4, 8))}}`, 8),
        "given twice",
      ],
      ["wrong length", rawSafetensors({ a: f32([3], 0, 8) }, 8), "expected 12 bytes, its offsets span 8"],
      ["offsets backwards", rawSafetensors({ a: f32([2], 8, 0) }, 8), "span -8"],
      ["negative size", rawSafetensors({ a: f32([-2], 0, 8) }, 8), '"a", shape.0'],
      ["fractional size", rawSafetensors({ a: f32([1.5], 0, 6) }, 6), '"a", shape.0'],
      ["overflowing shape", rawSafetensors({ a: f32([2 ** 40, 2 ** 40], 0, 8) }, 8), "impossible shape"],
      [
        "overflow behind a zero",
        rawSafetensors({ a: f32([2 ** 32, 2 ** 32, 0], 0, 0) }, 0),
        "impossible shape",
      ],
      ["many dimensions", rawSafetensors({ a: f32(Array(17).fill(1), 0, 4) }, 4), "at most 16 dimensions"],
      ["unknown type", rawSafetensors({ a: { ...f32([1], 0, 4), dtype: "Q4" } }, 4), '"a", dtype'],
      ["no offsets", rawSafetensors({ a: { dtype: "F32", shape: [1] } }, 4), '"a", data_offsets'],
      ["metadata of numbers", rawSafetensors({ __metadata__: { a: 1 } }, 0), "__metadata__"],
    ];
    for (const [title, bytes, expected] of cases) {
      const path = join(dir, `${title}.safetensors`);
      Deno.writeFileSync(path, bytes);
      const error = assertThrows(() => readHeader(path), Error) as Error;
      assertStringIncludes(error.message, expected, title);
      assertStringIncludes(error.message, path, title);
    }
    return Promise.resolve();
  }));

Deno.test("scalars, empty tensors, odd names and unsorted headers are read", () =>
  inTempDir(async (dir) => {
    const path = join(dir, "x.safetensors");
    const data = new Uint8Array(Float32Array.of(1.5, -2, 3).buffer);
    Deno.writeFileSync(
      path,
      rawSafetensors(
        { "z é": f32([2], 4, 12), __proto__x: f32([], 0, 4), "empty.": f32([0, 3], 12, 12) },
        data,
      ),
    );
    const tensors = await readSafetensors(path);
    assertEquals(Object.keys(tensors).sort(), ["__proto__x", "empty.", "z é"]);
    assertEquals([tensors.__proto__x.shape, Array.from(tensors.__proto__x.dataSync())], [[], [1.5]]);
    assertEquals(Array.from(tensors["z é"].dataSync()), [-2, 3]);
    assertEquals(tensors["empty."].shape, [0, 3]);
    tf.dispose(tensors);
    return Promise.resolve();
  }));

Deno.test("integers are no weights: the error names them", () =>
  inTempDir(async (dir) => {
    const path = join(dir, "x.safetensors");
    Deno.writeFileSync(path, rawSafetensors({ ids: { dtype: "I64", shape: [1], data_offsets: [0, 8] } }, 8));
    await assertRejects(() => readSafetensors(path), Error, '"ids" I64');
    return Promise.resolve();
  }));

Deno.test("values come back bit for bit in every type", () =>
  inTempDir(async (dir) => {
    const path = join(dir, "x.safetensors");
    for (
      const [dtype, make] of [["bfloat16", Uint16Array], ["float16", Uint16Array], [
        "float32",
        Uint32Array,
      ]] as const
    ) {
      // Signed zeros, the smallest and largest numbers, subnormals, infinities, and a stretch of plain ones.
      const edge = dtype === "float32"
        ? [0, 0x80000000, 1, 0x7f7fffff, 0xff7fffff, 0x7f800000, 0xff800000, 0x00800000, 0x3f800001]
        : dtype === "float16"
        ? [0, 0x8000, 1, 0x7bff, 0xfbff, 0x7c00, 0xfc00, 0x0400, 0x3c01]
        : [0, 0x8000, 1, 0x7f7f, 0xff7f, 0x7f80, 0xff80, 0x0080, 0x3f81];
      const bits = make.from([...edge, ...Array.from({ length: 991 }, (_, i) => edge[8] + i)]);
      const tensor = allocTensor([10, 100], dtype, (part) => part.set(new Uint8Array(bits.buffer)));
      writeSafetensors(path, { w: tensor });
      const [stored] = readHeader(path).tensors;
      assertEquals(stored.offset % 8, 0);
      assertEquals(Deno.readFileSync(path).slice(stored.offset), new Uint8Array(bits.buffer), dtype);
      const back = await readSafetensors(path);
      assertEquals(realType(back.w), dtype);
      assertEquals(back.w.dataSync(), tensor.dataSync());
      tf.dispose([tensor, back.w]);
    }
    return Promise.resolve();
  }));

Deno.test("conversion while reading and writing rounds to nearest even, as a cast in the engine does", () =>
  inTempDir(async (dir) => {
    const path = join(dir, "x.safetensors");
    const values = Float32Array.from(
      { length: 4096 },
      (_, i) => Math.sin(i * 12.9898) * 2 ** ((i % 27) - 13),
    );
    const ties = [
      1 + 2 ** -8,
      1 + 3 * 2 ** -8,
      -1 - 2 ** -8,
      1 + 2 ** -11,
      1 + 3 * 2 ** -11,
      2 ** -24,
      65504,
      6e-8,
      NaN,
    ];
    values.set(ties);
    const w = tf.tensor1d(values);
    writeSafetensors(path, { w });
    for (const dtype of ["bfloat16", "float16"] as const) {
      const read = (await readSafetensors(path, { dtype })).w;
      const written = join(dir, `${dtype}.safetensors`);
      writeSafetensors(written, { w }, { dtype });
      const rewritten = (await readSafetensors(written)).w;
      const cast = asType(w, dtype);
      assertEquals(realType(read), dtype);
      const a = read.dataSync();
      assertEquals(a, cast.dataSync());
      assertEquals(a, rewritten.dataSync());
      const expected = dtype === "bfloat16"
        ? [1, 1 + 2 ** -6, -1, 1, 1, 2 ** -24]
        : [1 + 2 ** -8, 1 + 3 * 2 ** -8, -1 - 2 ** -8, 1, 1 + 2 ** -9, 2 ** -24];
      assertEquals(Array.from(a.slice(0, 6)), expected, dtype);
      assert(Number.isNaN(a[8]));
      tf.dispose([read, rewritten, cast]);
    }
    w.dispose();
    return Promise.resolve();
  }));

Deno.test("a value too large for float16 is an error, and leaves no file", () =>
  inTempDir(async (dir) => {
    const path = join(dir, "x.safetensors"), w = tf.tensor1d([1, 1e6]);
    assertThrows(
      () => writeSafetensors(path, { w }, { dtype: "float16" }),
      Error,
      '"w" cannot be written as float16',
    );
    assertEquals([...Deno.readDirSync(dir)], []);
    writeSafetensors(path, { w });
    await assertRejects(() => readSafetensors(path, { dtype: "float16" }), Error, '"w"');
    w.dispose();
    return Promise.resolve();
  }));

Deno.test("tensors longer than one piece are written and converted whole", () =>
  inTempDir(async (dir) => {
    const path = join(dir, "x.safetensors"), shape = [1031, 2053]; // 2.1 M elements: three pieces
    const size = shape[0] * shape[1];
    const w = allocTensor(shape, "bfloat16", (part) => {
      const bits = new Uint16Array(part.buffer, part.byteOffset, part.length / 2);
      for (let i = 0; i < bits.length; i++) bits[i] = 0x3f00 + (i * 7919) % 128;
    });
    writeSafetensors(path, { w });
    assertEquals(Deno.statSync(path).size, readHeader(path).tensors[0].offset + 2 * size);
    const back = await readSafetensors(path, { dtype: "float32" });
    const same = tf.tidy(() => tf.all(tf.equal(back.w, tf.add(w, tf.zeros([1, 1])))).dataSync()[0]);
    assertEquals(same, 1);
    assertEquals(realType(back.w), "float32");
    tf.dispose([w, back.w]);
    return Promise.resolve();
  }));
