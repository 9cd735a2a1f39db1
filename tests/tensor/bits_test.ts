import { assertEquals, assertThrows } from "@std/assert";
import { binding } from "../../lib/tensor/backend.ts";
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
      const x = tf.tensor1d([1, -1], "int32"), y = tf.tensor1d([3, 7], "int32");
      upload([x]);
      for (const [given, doubled] of [[y, [48, 112]], [y, [48, 112]]] as const) {
        const out = f(given, tf.scalar(100, "int32"));
        assertEquals([...out.sums.dataSync()], [3 - 2 ** 31, 7 + 2 ** 31 - 1 - 2 ** 32]);
        assertEquals([...out.same.dataSync()], [...given.dataSync()]);
        assertEquals([...out.large.dataSync()], [...large]);
        assertEquals([...out.doubled.dataSync()], [...doubled]);
        assertEquals(out.sums.dtype, "int32");
      }
      f.dispose();
    })
  );
  assertEquals(binding.getNumOfTensors(), before);
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
