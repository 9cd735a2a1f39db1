import { assertEquals, assertThrows } from "@std/assert";
import { tf } from "../../lib/tensor/mod.ts";
import { backend, binding, runOp } from "../../lib/tensor/backend.ts";
import { ATTR } from "../../lib/tensor/attributes.ts";

Deno.test("values of every type come back from TensorFlow as they were", () => {
  const roundTrip = (t: InstanceType<typeof tf.Tensor>) =>
    runOp("Identity", [], [tf.reshape(t, t.shape)]).arraySync();
  assertEquals(roundTrip(tf.tensor([1.5, -0.25, Infinity])), [1.5, -0.25, Infinity]);
  assertEquals(roundTrip(tf.tensor([[1, -2], [3, 4]], [2, 2], "int32")), [[1, -2], [3, 4]]);
  assertEquals(roundTrip(tf.tensor([true, false], [2], "bool")), [1, 0]);
  const z = tf.complex([1, 2], [3, 4]);
  assertEquals(Array.from(runOp("Identity", [], [z]).dataSync()), [1, 3, 2, 4]);
});

Deno.test("strings short, long and not ASCII survive, each longer one once", () => {
  const words = ["", "short", "a string of far more than twenty-two bytes", "Röntgen 放射 🩻"];
  for (let i = 0; i < 50; i++) {
    tf.tidy(() =>
      assertEquals(Array.from(tf.reshape(tf.tensor1d(words, "string"), [2, 2]).dataSync()) as unknown, words)
    );
  }
});

Deno.test("tensors of zero size have their shape, and ops take them", () => {
  const empty = tf.zeros([0, 3]);
  assertEquals(tf.add(empty, 1).shape, [0, 3]);
  assertEquals(Array.from(tf.add(empty, 1).dataSync()), []);
  assertEquals(tf.concat([empty, tf.ones([1, 3])]).arraySync(), [[1, 1, 1]]);
  assertEquals(tf.sum(empty, 0).arraySync(), [0, 0, 0]);
  assertEquals(Array.from(tf.tensor([], [0], "string").dataSync()), []);
});

Deno.test("int64 is written as pairs of (low, high) or as BigInt64Array and read as BigInt64Array", () => {
  for (const values of [Int32Array.of(7, 0, -1, -1), BigInt64Array.of(7n, -1n)]) {
    const id = binding.createTensor([2], binding.TF_INT64, values);
    assertEquals(binding.tensorDataSync(id), BigInt64Array.of(7n, -1n));
    binding.deleteTensor(id);
  }
});

Deno.test("values of a wrong type or number are refused", () => {
  assertThrows(
    () => binding.createTensor([2], binding.TF_FLOAT, Int32Array.of(1, 2)),
    Error,
    "does not match",
  );
  assertThrows(
    () => binding.createTensor([3], binding.TF_FLOAT, Float32Array.of(1)),
    Error,
    "num_elements=3",
  );
  assertThrows(() => binding.createTensor([1], binding.TF_STRING, ["text"]), Error, "Uint8Array");
});

Deno.test("a deleted tensor is reported, not used", () => {
  const id = binding.createTensor([1], binding.TF_FLOAT, Float32Array.of(1));
  binding.deleteTensor(id);
  assertThrows(() => binding.tensorDataSync(id), Error, "not referenced");
  assertThrows(() => binding.deleteTensor(id), Error, "not referenced");
});

Deno.test("errors of TensorFlow name the op with types and shapes of its inputs", () => {
  const a = tf.ones([2, 3]), b = tf.ones([4, 5], "int32");
  assertThrows(() => runOp("MatMul", [], [a, a]), Error, "MatMul(float32[2,3], float32[2,3])");
  assertThrows(() => runOp("AddV2", [], [a, b]), Error, "AddV2(float32[2,3], int32[4,5])");
  assertThrows(() => runOp("NoSuchOp", [], [a]), Error, "NoSuchOp");
});

Deno.test("attributes: lists of numbers, types, shapes and strings", () => {
  const x = tf.tensor([[1, 2], [3, 4]]);
  const both = backend().executeMultipleOutputs(
    "IdentityN",
    [
      { name: "T", type: ATTR.type, value: [binding.TF_FLOAT, binding.TF_INT32] },
    ],
    [x, tf.tensor1d([5], "int32")],
    2,
  );
  assertEquals(both.map((t) => t.arraySync()), [[[1, 2], [3, 4]], [5]]);
  assertEquals(
    runOp("Squeeze", [{ name: "squeeze_dims", type: ATTR.int, value: [0, 2] }], [tf.reshape(x, [1, 4, 1])])
      .shape,
    [4],
  );
  const [queue] = binding.executeOp(
    "FIFOQueueV2",
    [
      { name: "component_types", type: ATTR.type, value: [binding.TF_FLOAT, binding.TF_INT32] },
      { name: "shapes", type: ATTR.shape, value: [[2, 2], []] },
    ],
    [],
    1,
  );
  assertEquals(queue.dtype, binding.TF_RESOURCE);
  binding.deleteTensor(queue.id);
  const text = runOp("StringFormat", [
    { name: "T", type: ATTR.type, value: [binding.TF_INT32] },
    { name: "template", type: ATTR.string, value: "a {} b" },
    { name: "placeholder", type: ATTR.string, value: "{}" },
  ], [tf.tensor1d([1, 2], "int32")]);
  assertEquals(text.dataSync()[0] as unknown as string, "a [1 2] b");
  const encoded = runOp("AsString", [{ name: "precision", type: ATTR.int, value: 2 }], [tf.scalar(0.5)]);
  assertEquals(encoded.dataSync()[0] as unknown as string, "0.50");
});

Deno.test("attributes of a wrong type are refused with the attribute's name", () => {
  const x = tf.ones([2, 2]),
    run = (type: number, value: unknown) => () =>
      runOp("MatMul", [{ name: "transpose_a", type, value }], [x, x]);
  assertThrows(run(ATTR.bool, "yes"), Error, "transpose_a of MatMul: expected booleans");
  assertThrows(run(ATTR.int, null), Error, "expected integers");
  assertThrows(run(99, 1), Error, "Unknown type 99");
});

Deno.test("Round of int32 is not zero, and scalars can be concatenated", () => {
  assertEquals(Array.from(tf.round(tf.tensor1d([3, -4], "int32")).dataSync()), [3, -4]);
  const joined = tf.engine().runKernel("Concat", [tf.scalar(1), tf.scalar(2)] as never, { axis: 0 });
  assertEquals(Array.from((joined as InstanceType<typeof tf.Tensor>).dataSync()), [1, 2]);
});

Deno.test("memory figures follow the tensors", () => {
  const before = tf.memory(), handles = binding.getNumOfTensors();
  const x = tf.tidy(() => tf.mul(tf.ones([10, 10]), 3));
  assertEquals(tf.memory().numTensors, before.numTensors + 1);
  assertEquals(tf.memory().numBytes, before.numBytes + 400);
  assertEquals(binding.getNumOfTensors(), handles + 1);
  x.dispose();
  assertEquals([tf.memory().numBytes, binding.getNumOfTensors()], [before.numBytes, handles]);
});
