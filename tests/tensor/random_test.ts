import { assert, assertEquals, assertThrows } from "@std/assert";
import type { Tensor } from "@tensorflow/tfjs";
import { jit, randomUniform, tf } from "../../lib/tensor/mod.ts";
import { randomNormal } from "../../lib/tensor/random.ts";
import { close } from "./close.ts";

const seed = (a: number, b: number) => tf.tensor1d([a, b], "int32");
const draw = (s: Tensor) => ({ u: randomUniform([3, 50], s), n: randomNormal([3, 50], s) });

Deno.test("a seed gives the same numbers eagerly, in a graph and under XLA; another seed gives others", () => {
  const eager = draw(seed(1, 2));
  for (const compiler of ["graph", "xla"] as const) {
    const f = jit(draw, { compiler }), traced = f(seed(1, 2)), other = f(seed(1, 3));
    assertEquals(traced.u.arraySync(), eager.u.arraySync());
    close(traced.n, eager.n, 1e-5);
    assert(other.u.dataSync().every((v, i) => v !== traced.u.dataSync()[i]));
  }
  assertEquals(randomUniform([3, 50], [1, 2]).arraySync(), eager.u.arraySync());
});

Deno.test("uniform numbers are in [0, 1) and normal ones standard", () => {
  const n = 40000, u = randomUniform([n], [5, 6]).dataSync(), z = randomNormal([n], [5, 6]).dataSync();
  const moment = (xs: ArrayLike<number>, k: number) => Array.from(xs).reduce((s, x) => s + x ** k, 0) / n;
  assert(u.every((v) => v >= 0 && v < 1));
  // Five standard errors of each mean.
  assert(Math.abs(moment(u, 1) - 1 / 2) < 5 * Math.sqrt(1 / 12 / n));
  assert(Math.abs(moment(z, 1)) < 5 / Math.sqrt(n));
  assert(Math.abs(moment(z, 2) - 1) < 5 * Math.sqrt(2 / n));
  assert(Math.abs(moment(z, 4) - 3) < 5 * Math.sqrt(96 / n));
});

Deno.test("a seed of another kind is refused", () => {
  assertThrows(() => randomUniform([1], tf.scalar(1)), Error, "A seed is an int32 tensor [2]");
});

Deno.test("a number that JavaScript draws without a seed is refused inside of jit, and drawn again after it", () => {
  const x = tf.ones([4, 4]);
  const draws = [
    () => tf.randomNormal([4]),
    () => tf.randomUniform([4]),
    () => tf.truncatedNormal([4]),
    () => tf.dropout(x, 0.5),
    () => tf.mul(x, Math.random()),
  ];
  for (const f of draws) {
    assertThrows(() => jit(f)(), Error, "with a seed that is an argument");
    f();
  }
  assert(Math.random() !== Math.random());
});
