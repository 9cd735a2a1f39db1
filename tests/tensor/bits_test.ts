import { assertEquals, assertThrows } from "@std/assert";
import { binding, idOf } from "../../lib/tensor/backend.ts";
import { dtypeName } from "../../lib/tensor/dtype.ts";
import { gather, jit, tf, tidy, upload, whileLoop } from "@lib/tensor/mod.ts";
import type { Tensor } from "@tensorflow/tfjs";

/** Runs f on the GPU, whose part the CPU takes where there is none. */
function asOnGpu(f: () => void): void {
  const rt = binding.runtime, { gpu } = rt;
  rt.gpu ??= rt.devices[0].name;
  try {
    f();
  } finally {
    rt.gpu = gpu;
  }
}

Deno.test("on a GPU int32 comes to XLA by its bits: arguments, captures, large arrays, a loop's state", () => {
  const before = binding.getNumOfTensors();
  asOnGpu(() =>
    tidy(() => {
      const outside = tf.tensor1d([-(2 ** 31), 2 ** 31 - 1], "int32");
      const large = Int32Array.from({ length: 2000 }, (_, i) => i * 1_000_003);
      const f = jit((x: Tensor, n: Tensor) => ({
        sums: tf.add(x, outside),
        same: x,
        large: tf.tensor1d(large, "int32"),
        doubled: whileLoop(x, (x) => tf.less(tf.sum(x), n), (x) => tf.add(x, x)),
      }), { compiler: "xla" });
      // The second number's bits are a signalling NaN's, the first one's a number's too small for a normal float32.
      const y = tf.tensor1d([3, 0x7f800001], "int32"), z = tf.tensor1d([3, 7], "int32");
      upload([y, z]);
      const bits = [y, z].map((x) => (binding.tensors.find(idOf(x))!).bits!);
      assertEquals(bits.map(({ dtype }) => dtypeName(dtype)), ["float32", "float32"]);
      for (
        const [given, sum, doubled] of [[z, 7, [48, 112]], [y, 0x7f800001, null], [z, 7, [48, 112]]] as const
      ) {
        const out = f(given, tf.scalar(doubled ? 100 : 0, "int32"));
        assertEquals([...out.sums.dataSync()], [3 - 2 ** 31, (sum + 2 ** 31 - 1) | 0]);
        assertEquals([...out.same.dataSync()], [...given.dataSync()]);
        assertEquals([...out.large.dataSync()], [...large]);
        assertEquals([...out.doubled.dataSync()], [...doubled ?? given.dataSync()]);
        assertEquals(out.sums.dtype, "int32");
      }
      assertEquals([y, z].map((x) => binding.tensors.find(idOf(x))!.bits), bits); // used, not made again
      f.dispose();
    })
  );
  assertEquals(binding.getNumOfTensors(), before);
});

Deno.test("the bits of an int32 tensor go with it", () => {
  const { C } = binding.runtime, deleted = C.TFE_DeleteTensorHandle;
  let count = 0;
  asOnGpu(() => {
    const x = tf.tensor1d([1, 2], "int32");
    upload([x]);
    (C as { TFE_DeleteTensorHandle: unknown }).TFE_DeleteTensorHandle = (handle: Deno.PointerValue) => {
      count++;
      deleted(handle);
    };
    try {
      x.dispose();
    } finally {
      (C as { TFE_DeleteTensorHandle: unknown }).TFE_DeleteTensorHandle = deleted;
    }
  });
  assertEquals(count, 2);
});

Deno.test("on a GPU an index out of range is found among them all the same", () => {
  asOnGpu(() =>
    tidy(() => {
      const f = jit((x: Tensor, i: Tensor) => gather(x, tf.reshape(i, [-1])), { compiler: "xla" });
      const x = tf.tensor2d([1, 2, 3, 4], [2, 2]);
      assertEquals([...f(x, tf.tensor2d([1, 0], [1, 2], "int32")).dataSync()], [3, 4, 1, 2]);
      assertThrows(() => f(x, tf.tensor2d([1, 2], [1, 2], "int32")), Error, "index value 2 is not in [0, 1]");
      f.dispose();
    })
  );
});
