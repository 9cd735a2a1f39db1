import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import type { Scalar, Tensor, Tensor2D } from "@tensorflow/tfjs";
import { allocTensor, asType, type DType, jit, realType, tf } from "../../lib/tensor/mod.ts";
import { memory } from "../../lib/tensor/memory.ts";
import { promotions } from "../../lib/tensor/cast.ts";
import { close } from "./close.ts";
import { binding } from "../../lib/tensor/backend.ts";
import fixture from "./fixtures/bf16.json" with { type: "json" };

const REDUCED = ["bfloat16", "float16"] as const;

for (const dtype of REDUCED) {
  Deno.test(`${dtype}: values are rounded to nearest even and read as float32`, () => {
    const values = [1, -2.5, 1 + 2 ** -9, 1 / 3, 0, Infinity];
    const x = asType(tf.tensor1d(values), dtype);
    assertEquals([x.dtype, realType(x)], ["float32", dtype]);
    const third = dtype === "bfloat16" ? 0.333984375 : 0.333251953125,
      near = dtype === "bfloat16" ? 1 : 1 + 2 ** -9;
    assertEquals(Array.from(x.dataSync()), [1, -2.5, near, third, 0, Infinity]);
    assertStringIncludes(tf.slice(x, 0, 2).toString(), "[1, -2.5]");
  });

  Deno.test(`${dtype}: memory figures count two bytes per element of each tensor`, () => {
    const before = memory();
    const x = tf.tidy(() => asType(tf.ones([10, 10]), dtype)), clone = tf.clone(x);
    assertEquals(memory().bytes - before.bytes, 400);
    assertEquals(tf.memory().numBytes, memory().bytes);
    assertEquals(memory().tensors - before.tensors, 2);
    x.dispose();
    assertEquals(memory().bytes - before.bytes, 200);
    clone.dispose();
    assertEquals(memory().bytes, before.bytes);
  });

  Deno.test(`${dtype}: scalars give way; casts to "float32" change nothing; float32 tensors promote and are counted`, () => {
    const x = asType(tf.tensor2d([[1, 2], [3, 4]]), dtype), count = () => promotions().get("Mul") ?? 0;
    assertEquals(realType(tf.mul(x, 0.5)), dtype);
    assertEquals(realType(tf.mul(tf.scalar(0.5), x)), dtype);
    assertEquals(realType(tf.cast(x, "float32")), dtype);
    const before = count();
    assertEquals(realType(tf.mul(x, tf.ones([2, 2]))), "float32");
    assertEquals(count(), before + 1);
    assertEquals(tf.cast(x, "int32").arraySync(), [[1, 2], [3, 4]]);
  });

  Deno.test(`${dtype}: list inputs, matmul, gather, softmax and reductions keep the type, eagerly and traced`, () => {
    const run = (x: Tensor2D) => [
      tf.concat([x, x], 0),
      tf.stack([x, x]),
      tf.addN([x, x]),
      tf.einsum("ij,kj->ik", x, x),
      tf.matMul(x, x, false, true),
      tf.gather(x, tf.tensor1d([1, 0], "int32")),
      tf.softmax(x),
      tf.mean(x, 1),
      tf.where(tf.greater(x, 2), x, tf.zerosLike(x)),
      tf.pad(x, [[1, 0], [0, 0]]),
    ];
    const x = asType(tf.tensor2d([[1, 2], [3, 4]]), dtype), traced = jit(run)(x);
    run(x).forEach((eager, i) => {
      assertEquals([i, realType(eager), realType(traced[i])], [i, dtype, dtype]);
      close(traced[i], eager, 1e-2); // softmax may differ in the last bit
    });
  });

  Deno.test(`${dtype}: gradients come in the type of what they are for`, () => {
    const w = tf.tensor2d([[1, 2], [3, 4]]), x = asType(w, dtype);
    const f = (w: Tensor, x: Tensor) =>
      tf.sum(asType(tf.relu(tf.matMul(x as Tensor2D, asType(w, dtype) as Tensor2D)), "float32")) as Scalar;
    const [dw, dx] = tf.grads(f)([w, x]);
    assertEquals([realType(dw), realType(dx)], ["float32", dtype]);
    assertEquals(dw.arraySync(), [[4, 4], [6, 6]]);
    const [g] = tf.grads((x: Tensor) => asType(tf.mean(tf.abs(tf.maximum(x, 0))), "float32") as Scalar)([x]);
    assertEquals([realType(g), g.arraySync()], [dtype, [[0.25, 0.25], [0.25, 0.25]]]);
  });

  Deno.test(`${dtype}: allocTensor fills the tensor's own memory`, () => {
    const bits = Uint16Array.from(dtype === "bfloat16" ? [0x3f80, 0xc000] : [0x3c00, 0xc000]);
    const x = allocTensor([2], dtype, (piece) => piece.set(new Uint8Array(bits.buffer)));
    assertEquals([realType(x), Array.from(x.dataSync())], [dtype, [1, -2]]);
  });
}

Deno.test("realType of integers is an error", () => {
  assertThrows(() => realType(tf.tensor1d([1], "int32")), Error, "found int32[1]");
});

Deno.test("bfloat16: constants of a trace are a Fill in float32 that gives way only as scalars do", () => {
  const f = jit((x: Tensor) => tf.mul(x, tf.fill([2000], 2)));
  assertEquals(realType(f(asType(tf.ones([2000]), "bfloat16"))), "float32");
  assertEquals(f.traces[0].captures, 0);
});

type Result = Record<"probabilities" | "loss" | "w1" | "w2", number[]>;

/** The network of make_bf16_fixture.py. */
function network(dtype: DType): Result {
  const { batch, input, hidden, output } = fixture.shapes, { x, w1, w2 } = fixture.integers;
  const tensor = (v: number[], shape: [number, number], unit: number) =>
    asType(tf.tensor2d(v.map((i) => i / unit), shape), dtype);
  const run = jit((x: Tensor2D, w1: Tensor2D, w2: Tensor2D, labels: Tensor) => {
    let p: Tensor | undefined;
    const { value, grads } = tf.valueAndGrads((w1: Tensor, w2: Tensor) => {
      const h = tf.tanh(tf.matMul(x, w1 as Tensor2D, false, true));
      // As the model does: softmax in float32, its result in the type of the activations.
      const logits = asType(tf.matMul(h as Tensor2D, w2 as Tensor2D, false, true), "float32");
      p = tf.keep(asType(tf.softmax(logits), dtype));
      const log = tf.log(asType(p, "float32"));
      return tf.neg(tf.mean(tf.sum(tf.mul(log, tf.oneHot(labels as never, output)), 1))) as Scalar;
    })([w1, w2]);
    return { probabilities: p!, loss: value, w1: grads[0], w2: grads[1] };
  });
  const r = run(
    tensor(x, [batch, input], 64),
    tensor(w1, [hidden, input], 256),
    tensor(w2, [output, hidden], 256),
    tf.tensor1d(fixture.labels, "int32"),
  );
  assertEquals([realType(r.probabilities), realType(r.w1)], [dtype, dtype]);
  return Object.fromEntries(Object.entries(r).map(([k, t]) => [k, Array.from(t.dataSync())])) as Result;
}

/** Root mean square of the difference, relative to that of the reference. */
function relativeError(actual: number[], reference: number[]): number {
  const sum = (f: (i: number) => number) => reference.reduce((s, _, i) => s + f(i) ** 2, 0);
  return Math.sqrt(sum((i) => actual[i] - reference[i]) / sum((i) => reference[i]));
}

Deno.test("a small network in bfloat16 is within twice the error of PyTorch's, and equal to it in float32", () => {
  const exact = network("float32"), ours = network("bfloat16");
  const flat = (r: Record<string, number | number[]>, k: string) => [r[k]].flat();
  for (const k of ["probabilities", "loss", "w1", "w2"] as const) {
    const reference = flat(fixture.float32, k);
    assert(
      relativeError(exact[k], reference) < 2e-6,
      `${k} in float32: ${relativeError(exact[k], reference)}`,
    );
    const error = relativeError(ours[k], reference),
      torch = relativeError(flat(fixture.bfloat16, k), reference);
    assert(error <= 2 * torch + 1e-4, `${k}: our error ${error}, PyTorch's ${torch}`);
    if (Deno.env.get("SHOW")) console.log(k, { error, torch });
  }
});

Deno.test("tensors of two bytes are written from bits too", () => {
  const id = binding.createTensor([2], 14, Uint16Array.of(0x3f80, 0x4000));
  assertEquals(Array.from(binding.tensorDataSync(id) as Float32Array), [1, 2]);
  binding.deleteTensor(id);
});
