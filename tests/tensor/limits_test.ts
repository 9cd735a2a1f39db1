import { assert, assertEquals, assertThrows } from "@std/assert";
import { fromFileUrl } from "@std/path";
import type { Tensor } from "@tensorflow/tfjs";
import { allocTensor, jit, sparseCrossEntropy, tf, updateSlice } from "../../lib/tensor/mod.ts";
import { backend, binding, runOp } from "../../lib/tensor/backend.ts";
import { ATTR } from "../../lib/tensor/attributes.ts";

const int = (values: number[]) => tf.tensor1d(values, "int32");

Deno.test("shapes that are none are refused before TensorFlow sees them", () => {
  const shapes = [[-1], [2, -3], [1.5], [NaN], [Infinity], [2 ** 53], [2 ** 58], [2 ** 32, 2 ** 32, 0]];
  for (const shape of [...shapes, Array<number>(255).fill(1)]) {
    for (
      const make of [
        () => allocTensor(shape, "float32", () => {}),
        () => binding.createTensor(shape, binding.TF_FLOAT, Float32Array.of(1)),
        () => binding.createTensor(shape, binding.TF_STRING, [new Uint8Array(1)]),
      ]
    ) assertThrows(make, Error, "is not the shape of a tensor");
    if (shape.includes(-1)) continue;
    const attributes = [
      { name: "dtype", type: ATTR.type, value: binding.TF_FLOAT },
      { name: "shape", type: ATTR.shape, value: shape },
    ];
    assertThrows(
      () => jit((x: Tensor) => [x, runOp("Placeholder", attributes, [])])(tf.ones([1])),
      Error,
      "expected a shape",
    );
  }
});

Deno.test("memory that is not there is an error with its size, not the end of the process", async () => {
  assertThrows(() => allocTensor([2 ** 50], "float32", () => {}), Error, "4194304.0 GiB");
  const script = fromFileUrl(new URL("./out_of_memory_script.ts", import.meta.url));
  const config = fromFileUrl(new URL("../../deno.json", import.meta.url));
  const { code, stdout, stderr } = await new Deno.Command("sh", {
    args: [
      "-c",
      'ulimit -S -d 6291456; exec "$0" run -A --quiet --no-check "--config=$1" "$2"',
      Deno.execPath(),
      config,
      script,
    ],
  }).output();
  const said = new TextDecoder().decode(stdout).trim();
  assertEquals(code, 0, `${said} ${new TextDecoder().decode(stderr)}`);
  const none =
    "There is no memory on this machine for a tensor float32[1750000000] (6.5 GiB): lower the batch size (stage1, stage2 " +
    "or evaluation.batchSize), set stage2.recompute, or generate fewer samples at a time.";
  assertEquals(said.split("\n"), [none, none, "42"]);
});

Deno.test("a piece of a tensor's memory is empty once its filler has returned, or thrown", () => {
  let kept: Uint8Array = new Uint8Array(1), half = kept;
  const t = allocTensor([1000], "float32", (piece) => {
    kept = piece;
    half = piece.subarray(2000);
    piece.fill(0);
  });
  assertEquals([kept.length, half.length], [0, 0]);
  assertEquals(t.dataSync()[999], 0);
  assertThrows(
    () =>
      allocTensor([1000], "float32", (piece) => {
        kept = piece;
        throw new Error("no more");
      }),
    Error,
    "no more",
  );
  assertEquals(kept.length, 0);
});

Deno.test("an index out of range is the same error eagerly, in a graph and under XLA", () => {
  const table = tf.tensor2d([1, 2, 3, 4, 5, 6], [3, 2]),
    rows = (ids: Tensor) => tf.gather(table, tf.reshape(ids, [-1]) as never);
  const kinds = { eager: rows, graph: jit(rows), xla: jit(rows, { compiler: "xla" }) };
  for (const [kind, f] of Object.entries(kinds)) {
    assertEquals(f(int([0, 2])).arraySync(), [[1, 2], [5, 6]], kind);
    // Sent from JavaScript, and made by an op.
    for (const make of [int, (v: number[]) => tf.add(int(v.map((x) => x - 1)), int([1])) as Tensor]) {
      const message = (v: number[]) =>
        assertThrows(() => f(make(v)), Error, "GatherV2: the index value").message;
      assert(message([1, 3]).startsWith("GatherV2: the index value 3 is not in [0, 2]."), kind);
      assert(message([-1, 0]).startsWith("GatherV2: the index value -1 is not in [0, 2]."), kind);
    }
  }
  for (const compiler of ["graph", "xla"] as const) {
    const constant = (n: number) =>
      jit((x: Tensor) => tf.gather(x, int(Array<number>(n).fill(5)) as never), { compiler });
    for (const n of [2, 2000]) {
      assertThrows(() => constant(n)(table), Error, "the index value 5 is not in [0, 2]");
    }
    const outside = int([7]), captured = jit((x: Tensor) => tf.gather(x, outside as never), { compiler });
    assertThrows(() => captured(table), Error, "the index value 7 is not in [0, 2]");
  }
});

Deno.test("places of updates and labels are looked at in the same way", () => {
  const buffer = tf.zeros([1, 4, 1]), update = tf.ones([1, 2, 1]);
  const put = (at: Tensor) => updateSlice(buffer, update, at);
  const loss = (labels: Tensor) => sparseCrossEntropy(tf.zeros([1, 3]), labels);
  for (const kind of ["eager", "graph", "xla"] as const) {
    const run = (f: (x: Tensor) => Tensor) => kind === "eager" ? f : jit(f, { compiler: kind });
    assertEquals([...run(put)(tf.scalar(2, "int32")).dataSync()], [0, 0, 1, 1]);
    assertThrows(
      () => run(put)(tf.scalar(3, "int32")),
      Error,
      "updateSlice: the index value 3 is not in [0, 2]",
    );
    assertThrows(() => run(loss)(int([3])), Error, "sparseCrossEntropy: the index value 3 is not in [0, 2]");
  }
});

Deno.test("what reaches the C API from outside is looked at first", () => {
  const x = tf.ones([2]), id = backend().getInputTensorIds([x])[0];
  const op = (attributes: Parameters<typeof binding.executeOp>[1], outputs = 1, name = "Identity") => () =>
    binding.executeOp(name, attributes, [id], outputs);
  for (const outputs of [-1, 1.5, NaN, 2 ** 40]) assertThrows(op([], outputs), Error, "a number of outputs");
  assertThrows(op([], 0), Error, "num_retvals");
  assertThrows(op([], 1, "Identity\0Exit"), Error, "without NUL");
  const axis = (value: unknown) => op([{ name: "axis", type: ATTR.int, value }], 1, "Unpack");
  for (const value of [NaN, Infinity, 2 ** 63, "0", [NaN]]) {
    assertThrows(axis(value), Error, "expected integers");
  }
  assertThrows(() => binding.executeOp("Identity", [], [2 ** 33], 1), Error, "not referenced");
});
