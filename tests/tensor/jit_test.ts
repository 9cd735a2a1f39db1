import { assert, assertEquals, assertThrows } from "@std/assert";
import type { Tensor, Tensor2D } from "@tensorflow/tfjs";
import { asType, isTracing, jit, realType, tf, upload } from "../../lib/tensor/mod.ts";
import { memory } from "../../lib/tensor/memory.ts";
import { ATTR } from "../../lib/tensor/attributes.ts";
import { backend, binding, runOp } from "../../lib/tensor/backend.ts";
import { close } from "./close.ts";
import { start, step, wave } from "./train_step.ts";

for (const compiler of ["graph", "xla"] as const) {
  Deno.test(`train steps with gradients and optimizer in one function equal eager ones (${compiler})`, () => {
    const x = wave([5, 3]), y = wave([5, 2], 0.5), f = jit(step, { compiler });
    let a = start(), b = start();
    for (let i = 0; i < 3; i++) {
      const eager = step(a.p, a.m, x, y), traced = f(b.p, b.m, x, y);
      close(traced.loss, eager.loss, 1e-6);
      close(traced.params.w, eager.params.w, 1e-6);
      close(traced.momentum.b, eager.momentum.b, 1e-6);
      a = { p: eager.params, m: eager.momentum };
      b = { p: traced.params, m: traced.momentum };
    }
    assertEquals(f.traces.length, 1);
    assert(f.traces[0].nodes > 20 && f.traces[0].traceMs > 0);
    f.dispose();
  });
}

Deno.test("arguments and results are any nested tree; numbers and strings belong to the signature", () => {
  const f = jit((tree: { xs: Tensor[]; scale: number; name: string | null }) => ({
    all: tree.xs.map((x) => tf.mul(x, tree.scale)),
    note: tree.name,
    nested: [{ sum: tf.addN(tree.xs) }, null],
  }));
  const r = f({ xs: [tf.tensor([1]), tf.tensor([2])], scale: 3, name: "a" });
  assertEquals(r.all.map((t) => t.arraySync()), [[3], [6]]);
  assertEquals([r.note, r.nested[1]], ["a", null]);
  assertEquals((r.nested[0] as { sum: Tensor }).sum.arraySync(), [3]);
  assertEquals(f({ xs: [tf.tensor([1])], scale: 4, name: null }).all[0].arraySync(), [4]);
  assertEquals(f.traces.length, 2);
});

Deno.test("something else than tensors in the tree is refused by its place", () => {
  const f = jit((x: unknown) => x);
  assertThrows(() => f({ a: [new Map()] }), Error, "argument 1 of jit_function.a[0]: expected a tensor");
  assertThrows(
    () =>
      jit(function act() {
        return new Uint8Array(1);
      })(),
    Error,
    "the result of jit_act",
  );
});

Deno.test("there is one trace for each structure, shape and real type", () => {
  const f = jit((x: Tensor) => tf.mul(x, 2)), x = tf.ones([2]);
  f(x);
  f(tf.zeros([2]));
  assertEquals(f.traces.length, 1);
  f(tf.ones([3]));
  assertEquals(realType(f(asType(x, "bfloat16"))), "bfloat16");
  f(tf.ones([2], "int32"));
  assertEquals(f.traces.map((t) => t.signature), [
    "(*) float32[2]",
    "(*) float32[3]",
    "(*) bfloat16[2]",
    "(*) int32[2]",
  ]);
});

Deno.test("an argument, a captured tensor and one tensor twice can be results", () => {
  const outside = tf.tensor([7]),
    f = jit((x: Tensor) => {
      const y = tf.add(x, 1);
      return [x, outside, y, y, x];
    });
  const r = f(tf.tensor([1]));
  assertEquals(r.map((t) => t.arraySync()), [[1], [7], [2], [2], [1]]);
  assertEquals(new Set(r.map((t) => t.dataId)).size, 5);
  tf.dispose(r);
  assertEquals(outside.arraySync(), [7]);
});

Deno.test("reading a tensor inside is an error that says what to do, and so is an async function", () => {
  const read = jit((x: Tensor) => tf.scalar(x.dataSync()[0]));
  assertThrows(() => read(tf.ones([1])), Error, "Return it from the function");
  const later = jit(async (x: Tensor) => (await Promise.resolve(), x));
  assertThrows(() => later(tf.ones([1])), Error, "must not be async");
});

Deno.test("an op whose shape depends on data is named", () => {
  assertThrows(
    () => jit((x: Tensor) => tf.unique(x).values)(tf.tensor1d([1, 1])),
    Error,
    "depends on the data",
  );
});

Deno.test("a trace that fails leaves nothing behind", () => {
  const before = memory().tensors, handles = binding.getNumOfTensors(), x = tf.keep(tf.ones([2]));
  const f = jit((x: Tensor, fail: boolean) => {
    const y = tf.grad((v: Tensor) => {
      const z = tf.mul(v, tf.tensor1d(Float32Array.from({ length: 3000 }, (_, i) => i)).slice(0, 2));
      if (fail) throw new Error("on purpose");
      return tf.sum(z);
    })(x);
    return y;
  });
  assertThrows(() => f(x, true), Error, "on purpose");
  assert(!isTracing());
  assertEquals([memory().tensors, binding.getNumOfTensors()], [before + 1, handles + 1]);
  assertEquals(f.traces.length, 0);
  const y = f(x, false);
  assertEquals(y.arraySync(), [0, 1]);
  tf.dispose([x, y]);
  assertEquals([memory().tensors, binding.getNumOfTensors()], [before, handles]);
  f.dispose();
});

Deno.test("a big array made inside is captured or filled, not a constant", () => {
  const big = Float32Array.from({ length: 5000 }, (_, i) => i);
  const f = jit((x: Tensor) => tf.add(tf.mul(tf.tensor1d(big), tf.ones([5000])), x));
  const r = f(tf.scalar(1)).dataSync();
  assertEquals([r[0], r[4999]], [1, 5000]);
  assertEquals(f.traces[0].captures, 1);
  const handles = binding.getNumOfTensors();
  f.dispose();
  assertEquals(binding.getNumOfTensors(), handles); // the function owned it, not the caller
});

Deno.test("the ones of sum's gradient are a Fill: no array of that size is held", () => {
  const x = tf.zeros([2000, 2000]);
  upload([x]);
  const f = jit((x: Tensor) => tf.grad((v: Tensor) => tf.sum(v))(x));
  assertEquals(f(x).shape, [2000, 2000]);
  assertEquals(f.traces[0].captures, 0);
});

Deno.test("a tensor from outside, not uploaded yet, is captured and stays readable", () => {
  const lazy = tf.tensor1d([1, 2, 3]), f = jit((x: Tensor) => tf.add(x, lazy));
  assertEquals(f(tf.scalar(1)).arraySync(), [2, 3, 4]);
  assertEquals(f.traces[0].captures, 1);
  assertEquals(lazy.arraySync(), [1, 2, 3]);
  assertEquals(tf.mul(lazy, 2).arraySync(), [2, 4, 6]);
});

Deno.test("a captured tensor that was disposed is reported at the next call", () => {
  const w = tf.ones([2, 3]), f = jit((x: Tensor) => tf.add(x, w));
  f(tf.scalar(1));
  w.dispose();
  assertThrows(() => f(tf.scalar(1)), Error, "float32[2,3]");
  assertThrows(() => f(tf.scalar(1)), Error, "pass it as an argument");
});

Deno.test("a variable's present value is used at each call; assigning one inside is an error", () => {
  const v = tf.variable(tf.tensor1d([1])), f = jit((x: Tensor) => tf.add(x, v));
  assertEquals(f(tf.scalar(1)).arraySync(), [2]);
  v.assign(tf.tensor1d([5]));
  assertEquals(f(tf.scalar(1)).arraySync(), [6]);
  const g = jit((x: Tensor) => (v.assign(x as typeof v), x));
  assertThrows(() => g(tf.tensor1d([2])), Error, "assign it outside");
  assertEquals(v.arraySync(), [5]);
});

Deno.test("values kept inside live on; a computed tensor kept inside says where it came from", () => {
  const kept: Tensor[] = [];
  jit((x: Tensor) => {
    kept.push(tf.keep(tf.tensor1d([1, 2])), tf.keep(tf.add(x, 1)));
    return tf.add(x, kept[0]);
  })(tf.scalar(1));
  assertEquals(tf.add(kept[0], 1).arraySync(), [2, 3]);
  assertThrows(() => kept[1].dataSync(), Error, "return it from the function");
  tf.dispose(kept);
});

Deno.test("a result that was kept from inside of tf.grads leaves no tensor behind", () => {
  const x = tf.tensor1d([1, 2]), before = memory().tensors;
  const f = jit((x: Tensor) => {
    let square: Tensor | undefined;
    const slope = tf.grad((v: Tensor) => tf.sum(square = tf.keep(tf.square(v))))(x);
    return { square: square!, slope };
  });
  const r = f(x);
  assertEquals([r.square.arraySync(), r.slope.arraySync()], [[1, 4], [2, 4]]);
  assertEquals(memory().tensors, before + 2);
  tf.dispose([x, r.square, r.slope]);
});

Deno.test("a disposed tensor as argument or result is reported by its place", () => {
  const gone = tf.ones([2]);
  gone.dispose();
  const f = jit((tree: { x: Tensor }) => tf.add(tree.x, 1));
  assertThrows(() => f({ x: gone }), Error, "argument 1 of jit_function.x: the tensor [2] has been disposed");
  assertThrows(
    () => jit((x: Tensor) => tf.tidy(() => (x.dispose(), x)))(tf.ones([1])),
    Error,
    "the result of",
  );
});

Deno.test("a nested jit becomes part of the outer function", () => {
  const inner = jit((x: Tensor) => tf.square(x));
  const outer = jit((x: Tensor) => tf.grad((v: Tensor) => tf.sum(inner(v)))(x));
  assertEquals(outer(tf.tensor1d([1, 2])).arraySync(), [2, 4]);
  assertEquals([inner.traces.length, outer.traces.length], [0, 1]);
});

Deno.test("tf.grad goes through a jitted function", () => {
  const f = jit((x: Tensor) => tf.sum(tf.square(x)));
  f(tf.tensor1d([1]));
  assertEquals(tf.grad((x: Tensor) => f(x))(tf.tensor1d([3, 4])).arraySync(), [6, 8]);
});

Deno.test("list inputs, slices, gather, concat and split can be traced", () => {
  const f = jit((x: Tensor2D, i: Tensor) => {
    const rows = tf.gather(x, i), [a, b] = tf.split(rows, 2, 1);
    return { y: tf.concat([b, a], 1), z: tf.stack([a, b]), p: tf.pad(a as Tensor2D, [[1, 0], [0, 0]]) };
  });
  const x = tf.tensor2d([[1, 2], [3, 4], [5, 6]]);
  const { y, z, p } = f(x, tf.tensor1d([2, 0], "int32"));
  assertEquals(y.arraySync(), [[6, 5], [2, 1]]);
  assertEquals(z.arraySync() as number[][][], [[[5], [1]], [[6], [2]]]);
  assertEquals(p.arraySync(), [[0], [5], [1]]);
});

Deno.test("an op with inputs of several types, complex numbers, strings and empty tensors can be traced", () => {
  const f = jit((x: Tensor, i: Tensor) => {
    const [a, b] = backend().executeMultipleOutputs("IdentityN", [], [x, i], 2), z = tf.complex(a, a);
    const text = runOp("StringLength", [], [tf.tensor1d(["", "a string of more than 22 bytes"], "string")]);
    return { b, z: tf.real(tf.mul(z, z)), norm: tf.abs(z), text, empty: tf.concat([x, tf.zeros([0])]) };
  });
  const r = f(tf.tensor1d([3]), tf.tensor1d([4], "int32"));
  assertEquals([r.b.dtype, r.b.arraySync(), r.z.arraySync(), r.text.arraySync()], ["int32", [4], [0], [
    0,
    30,
  ]]);
  assertEquals([Math.fround(Math.SQRT2 * 3), r.empty.arraySync()], [r.norm.dataSync()[0], [3]]);
});

Deno.test("a function can be the attribute of an op, eagerly and inside of a trace", () => {
  const define = (f: (x: Tensor) => Tensor): string => {
    binding.begin("branch", false);
    const x = backend().createOutputTensor(binding.argument({ shape: [], dtype: 1 }));
    const { name } = binding.end(backend().getInputTensorIds([f(x)]));
    binding.abort();
    return name;
  };
  const types = [1], double = define((x) => tf.mul(x, 2)), negative = define((x) => tf.neg(x));
  const choose = (condition: Tensor, x: Tensor) =>
    runOp("StatelessIf", [
      { name: "then_branch", type: ATTR.func, value: double },
      { name: "else_branch", type: ATTR.func, value: negative },
      { name: "Tcond", type: ATTR.type, value: binding.TF_BOOL },
      { name: "Tin", type: ATTR.type, value: types },
      { name: "Tout", type: ATTR.type, value: types },
      { name: "output_shapes", type: ATTR.shape, value: [[]] },
    ], [condition, x]);
  const three = tf.scalar(3), is = (v: boolean) => tf.scalar(v, "bool");
  assertEquals([choose(is(true), three).arraySync(), choose(is(false), three).arraySync()], [6, -3]);
  const f = jit(choose);
  assertEquals([f(is(true), three).arraySync(), f(is(false), three).arraySync()], [6, -3]);
  assertEquals(f.traces.length, 1);
});

Deno.test("gather reports an index out of range, with the range", () => {
  assertThrows(
    () => tf.gather(tf.ones([3, 2]), tf.tensor1d([3], "int32")),
    Error,
    "index value 3 is not in [0, 2]",
  );
});

Deno.test("gather does not read its indices", () => {
  const read = binding.tensorDataSync;
  let reads = 0;
  binding.tensorDataSync = (id) => (reads++, read.call(binding, id));
  try {
    const indices = tf.add(tf.tensor1d([0], "int32"), tf.tensor1d([1], "int32"));
    tf.gather(tf.ones([3, 2]), indices);
  } finally {
    binding.tensorDataSync = read;
  }
  assertEquals(reads, 0);
});

Deno.test("errors while tracing name the op with types and shapes", () => {
  const f = jit((x: Tensor) => runOp("MatMul", [], [x, tf.ones([4, 4])]));
  assertThrows(() => f(tf.ones([2, 3])), Error, "MatMul(float32[2,3], float32[4,4])");
});

Deno.test("dispose frees the functions; a later call traces again", () => {
  const f = jit((x: Tensor) => tf.add(x, 1));
  f(tf.scalar(1));
  f.dispose();
  assertEquals(f.traces.length, 0);
  assertEquals(f(tf.scalar(2)).arraySync(), 3);
  assertEquals(f.traces.length, 1);
});
