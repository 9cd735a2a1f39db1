import { assert, assertEquals, assertThrows } from "@std/assert";
import type { Tensor } from "@tensorflow/tfjs";
import { binding } from "../../lib/tensor/backend.ts";
import { devices, jit, sparseCrossEntropy, tf, updateSlice } from "../../lib/tensor/mod.ts";

/** As with a GPU, played by the CPU's device: tensors are placed on it, and indices are not read back. */
Object.assign(binding.runtime, { gpu: binding.runtime.gpu ?? devices()[0].name });
const int = (values: number[]) => tf.tensor1d(values, "int32");

Deno.test("on a GPU indices are checked before they are sent, reshaped or not, as arguments or from outside", () => {
  const table = tf.tensor2d([1, 2, 3, 4, 5, 6], [3, 2]);
  const rows = (ids: Tensor) => tf.gather(table, tf.reshape(ids, [-1]) as never);
  const put = (at: Tensor) => updateSlice(tf.zeros([1, 4, 1]), tf.ones([1, 2, 1]), at);
  const loss = (labels: Tensor) => sparseCrossEntropy(tf.zeros([1, 3]), labels);
  for (const kind of ["eager", "graph", "xla"] as const) {
    const run = (f: (x: Tensor) => Tensor) => kind === "eager" ? f : jit(f, { compiler: kind });
    assertEquals(run(rows)(int([0, 2])).arraySync(), [[1, 2], [5, 6]]);
    const refused = (f: (x: Tensor) => Tensor, x: Tensor, text: string) =>
      assertThrows(() => run(f)(x), Error, `the index value ${text}`, kind);
    refused(rows, int([1, 3]), "3 is not in [0, 2]");
    refused(rows, tf.reshape(int([-1, 0]), [2, 1]), "-1 is not in [0, 2]");
    refused(put, tf.scalar(3, "int32"), "3 is not in [0, 2]");
    refused(loss, int([3]), "3 is not in [0, 2]");
    const outside = int([7]);
    refused((x) => tf.gather(tf.mul(table, x), outside as never), tf.scalar(1), "7 is not in [0, 2]");
  }
});

Deno.test("on a GPU a gather waits for nothing: what an op computed is not read back", () => {
  const { C } = binding.runtime, { TFE_TensorHandleResolve } = C;
  let reads = 0;
  Object.assign(C, {
    TFE_TensorHandleResolve: (...args: Parameters<typeof TFE_TensorHandleResolve>) => {
      reads++;
      return TFE_TensorHandleResolve(...args);
    },
  });
  const table = tf.ones([3, 2]), f = jit((ids: Tensor) => tf.gather(table, ids as never));
  const computed = tf.add(int([0]), int([1])) as Tensor;
  const row = f(computed);
  Object.assign(C, { TFE_TensorHandleResolve });
  assertEquals(reads, 0);
  assert(row.shape[0] === 1);
});
