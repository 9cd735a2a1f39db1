import { assertEquals, assertThrows } from "@std/assert";
import type { Tensor } from "@tensorflow/tfjs";
import { jit, tf, whileLoop } from "../../lib/tensor/mod.ts";

const int = (x: number): Tensor => tf.scalar(x, "int32");
const values = (x: Tensor) => [...x.dataSync()];
const ways = [
  ["op by op", <A extends unknown[], R>(f: (...args: A) => R) => f],
  ["graph", <A extends unknown[], R>(f: (...args: A) => R) => jit(f)],
  ["xla", <A extends unknown[], R>(f: (...args: A) => R) => jit(f, { compiler: "xla" })],
] as const;

for (const [way, run] of ways) {
  Deno.test(`${way}: a loop turns as often as its condition says, over tensors of the function, from outside and made inside`, () => {
    const outside = tf.tensor1d([1, 10]), long = Float32Array.from({ length: 3000 }, (_, i) => i);
    const f = run((x: Tensor, until: Tensor) => {
      const twice = tf.mul(x, 2); // of the function, not of the loop
      return whileLoop(
        { i: int(0), sum: tf.zerosLike(x), log: [tf.zeros([3000])] },
        ({ i }) => tf.less(i, until),
        ({ i, sum, log }) => ({
          i: tf.add(i, int(1)),
          sum: tf.add<Tensor>(tf.add(sum, twice), outside),
          log: [tf.add<Tensor>(log[0], tf.tensor1d(long))],
        }),
      );
    });
    const x = tf.tensor1d([3, 4]), tensors = () => tf.memory().numTensors;
    for (const turns of [5, 0, 2]) {
      const { i, sum, log } = f(x, int(turns));
      assertEquals([values(i), values(sum)], [[turns], [7 * turns, 18 * turns]]);
      assertEquals(values(log[0]).at(-1), 2999 * turns);
    }
    const until = int(3), before = tensors();
    tf.tidy(() => void f(x, until));
    assertEquals(tensors(), before);
  });

  Deno.test(`${way}: a loop in a loop`, () => {
    const f = run((n: Tensor) =>
      whileLoop({ i: int(0), sum: int(0) }, ({ i }) => tf.less(i, n), ({ i, sum }) => {
        const inner = whileLoop<{ j: Tensor; sum: Tensor }>(
          { j: int(0), sum },
          ({ j }) => tf.less(j, i),
          ({ j, sum }) => ({
            j: tf.add(j, int(1)),
            sum: tf.add(sum, tf.mul(i, n)),
          }),
        );
        return { i: tf.add(i, int(1)), sum: inner.sum };
      }).sum
    );
    assertEquals(values(f(int(4))), [4 * (1 + 4 + 9)]);
  });

  Deno.test(`${way}: a state that changes its kind, or a tensor used behind the loop that made it, is an error`, () => {
    const wider = run((x: Tensor) =>
      whileLoop({ x }, ({ x }) => tf.less(tf.sum(x), 9), ({ x }) => ({ x: tf.concat([x, x]) }))
    );
    assertThrows(() => wider(tf.tensor1d([1, 2])), Error, "must keep its structure, types and shapes");
    if (way === "op by op") return;
    const stolen = run((x: Tensor) => {
      let made = x;
      whileLoop({ x }, ({ x }) => tf.less(tf.sum(x), 9), ({ x }) => ({ x: tf.keep(made = tf.mul(x, 2)) }));
      return tf.add(made, 1);
    });
    assertThrows(() => stolen(tf.tensor1d([1, 2])), Error, "a loop made does not exist outside of it");
  });
}
