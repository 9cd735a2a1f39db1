import { assert, assertEquals, assertThrows } from "@std/assert";
import type { Scalar, Tensor, Tensor2D } from "@tensorflow/tfjs";
import { asType, barrier, jit, realType, sparseCrossEntropy, tf, updateSlice } from "../../lib/tensor/mod.ts";
import { close } from "./close.ts";

const COMPILERS = ["eager", "graph", "xla"] as const;
function run<A extends unknown[], R>(how: typeof COMPILERS[number], f: (...a: A) => R, ...args: A): R {
  return how === "eager" ? f(...args) : jit(f, { compiler: how })(...args);
}
const wave = (shape: number[]) =>
  tf.tensor(Array.from({ length: shape.reduce((a, b) => a * b) }, (_, i) => Math.sin(i + 1)), shape);

for (const how of COMPILERS) {
  Deno.test(`updateSlice writes rows at a position known only at run time (${how})`, () => {
    const write = (buffer: Tensor, update: Tensor, at: Tensor) => updateSlice(buffer, update, at);
    for (const n of [1, 2]) {
      const buffer = wave([2, 4, 3, 2]), update = tf.ones([2, n, 3, 2]);
      const r = run(how, write, buffer, update, tf.scalar(2, "int32"));
      const expected = tf.concat([
        tf.slice(buffer, 0, [2, 2, 3, 2].slice(0, 1)).slice([0, 0], [2, 2]),
        update,
        tf.slice(buffer, [0, 2 + n], [2, 2 - n]),
      ], 1);
      close(r, expected, 0);
    }
    const reduced = run(
      how,
      write,
      asType(wave([1, 3, 2]), "bfloat16"),
      asType(tf.ones([1, 1, 2]), "bfloat16"),
      tf.scalar(1, "int32"),
    );
    assertEquals([realType(reduced), Array.from(tf.slice(reduced, [0, 1], [1, 1]).dataSync())], ["bfloat16", [
      1,
      1,
    ]]);
  });

  Deno.test(`sparseCrossEntropy equals log softmax at the labels, and so does its gradient (${how})`, () => {
    const labels = tf.tensor1d([2, 0, 4], "int32"), weights = tf.tensor1d([1, 0.5, 2]);
    const fused = (l: Tensor) => sparseCrossEntropy(l, labels);
    const plain = (l: Tensor) =>
      tf.neg(tf.sum(tf.mul(tf.logSoftmax(l as Tensor2D), tf.oneHot(labels, 5)), 1));
    const both = (f: (l: Tensor) => Tensor) => (l: Tensor) =>
      tf.valueAndGrad((l: Tensor) => tf.sum(tf.mul(f(l), weights)) as Scalar)(l);
    const logits = tf.mul(wave([3, 5]), 4), a = run(how, both(fused), logits), b = both(plain)(logits);
    close(a.value, b.value, 1e-6);
    close(a.grad, b.grad, 1e-6);
    const g = run(how, both(fused), asType(logits, "bfloat16")).grad;
    assertEquals(realType(g), "bfloat16");
    close(g, b.grad, 2e-2);
  });

  Deno.test(`a block computed again behind a barrier gives the same gradient (${how})`, () => {
    const block = (h: Tensor, w: Tensor) => tf.tanh(tf.matMul(h as Tensor2D, w as Tensor2D));
    const again = (x: Tensor, w1: Tensor, w2: Tensor) => {
      const h = block(x, w1),
        head = tf.valueAndGrads((y: Tensor) => tf.sum(tf.square(y)) as Scalar)([
          barrier(block(h, w2), tf.sum(h)),
        ]);
      const [dh, g2] = tf.grads(block)([barrier(h, head.grads[0]), w2], head.grads[0]);
      const [g1] = tf.grads((w: Tensor) => block(barrier(x, dh), w))([w1], dh);
      return [g1, g2];
    };
    const x = wave([4, 3]), w1 = wave([3, 5]), w2 = tf.neg(wave([5, 2]));
    const expected = tf.grads((w1: Tensor, w2: Tensor) =>
      tf.sum(tf.square(block(block(x, w1), w2))) as Scalar
    )([w1, w2]);
    run(how, again, x, w1, w2).forEach((g, i) => close(g, expected[i], 1e-6));
  });

  Deno.test(`topk sorts when k is the whole row (${how})`, () => {
    const { values, indices } = run(how, (x: Tensor) => tf.topk(x, 4), tf.tensor2d([[3, 1, 4, 2]]));
    assertEquals([values.arraySync(), indices.arraySync()], [[[4, 3, 2, 1]], [[2, 0, 3, 1]]]);
  });
}

Deno.test("a barrier in a graph keeps a recomputation apart: it is not merged with the first computation", () => {
  const twice = (how: boolean) =>
    jit((x: Tensor, dy: Tensor) => {
      const f = (h: Tensor) => tf.exp(tf.sin(h));
      return tf.add(f(x), f(how ? barrier(x, dy) : x));
    });
  const x = wave([2]), dy = wave([2]), plain = twice(false), apart = twice(true);
  close(apart(x, dy), plain(x, dy), 1e-6);
  assert(apart.traces[0].nodes > plain.traces[0].nodes);
});

Deno.test("matMul's gradient sums over a batch that was broadcast", () => {
  const a = wave([2, 2, 3, 4]), b = wave([2, 1, 4, 5]), c = wave([4, 5]);
  const loss = (a: Tensor, b: Tensor) => tf.sum(tf.square(tf.matMul(a as Tensor2D, b as Tensor2D))) as Scalar;
  for (const right of [b, c]) {
    const [da, db] = tf.grads(loss)([a, right]);
    const [ta, tb] = tf.grads((a: Tensor, b: Tensor) =>
      loss(a, tf.mul(tf.ones([2, 2, 1, 1]), right === c ? tf.reshape(b, [1, 1, 4, 5]) : b))
    )([a, right]);
    close(da, ta, 1e-6);
    close(db, tb, 1e-6);
  }
});

Deno.test("wrong shapes are refused with what was found", () => {
  assertThrows(() => updateSlice(tf.ones([1, 2, 3]), tf.ones([1, 3, 3]), 0), Error, "[1,3,3] does not fit");
  assertThrows(() => sparseCrossEntropy(tf.ones([2, 3]), tf.ones([2])), Error, "float32[2]");
});
