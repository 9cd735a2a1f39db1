import { assert, assertEquals, assertThrows } from "@std/assert";
import type { Tensor } from "@tensorflow/tfjs";
import { jit, tf } from "../../lib/tensor/mod.ts";
import { memoryError, OutOfMemory } from "../../lib/tensor/out_of_memory.ts";

const LOWER =
  "lower the batch size (stage1, stage2 or evaluation.batchSize), set stage2.recompute, or generate fewer samples at a time.";

Deno.test("what TensorFlow and XLA say of used-up memory becomes one sentence with what to lower", () => {
  const of = (message: string) => memoryError(8, message, "jit_step_0(float32[6,1])")?.message;
  assertEquals(
    of(
      "{{function_node jit_step_0}} OOM when allocating tensor with shape[6,8,1073,1073] and type float on " +
        "/job:localhost/replica:0/task:0/device:GPU:0 by allocator GPU_0_bfc\n\t [[{{node MatMul_7}}]]",
    ),
    `There is no memory on GPU 0 for a tensor float[6,8,1073,1073] (0.2 GiB) in jit_step_0(float32[6,1]): ${LOWER}`,
  );
  for (
    const message of [
      "Out of memory while trying to allocate 42949672960 bytes.",
      "Failed to allocate request for 40.00GiB (42949672960B) on device ordinal 0",
      "Out of memory allocating 42949672960 bytes.",
    ]
  ) {
    assertEquals(
      of(message),
      `There is no memory on the device for what XLA computes (40.0 GiB) in jit_step_0(float32[6,1]): ${LOWER}`,
    );
  }
  assertEquals(of("Too many open files"), undefined);
  assertEquals(
    memoryError(3, "OOM when allocating tensor with shape[2] and type float on device:CPU:0", ""),
    null,
  );
});

Deno.test("memory that a kernel does not get is that error, and computing goes on", () => {
  const huge = (x: Tensor) => tf.sum(tf.tile(x, [2 ** 22, 2 ** 20])), x = tf.ones([1, 1]);
  // TensorFlow tries for ten seconds.
  const { message } = assertThrows(() => jit(huge)(x).dataSync(), OutOfMemory, "no memory on this machine");
  assert(message.includes("a tensor float[4194304,1048576] (16384.0 GiB) in "), message);
  assertEquals(tf.add(x, 1).dataSync()[0], 2);
});
