import { assert, assertEquals } from "@std/assert";
import {
  asType,
  dispose,
  jit,
  matMulDown,
  matMulUp,
  randomNormal,
  realType,
  tf,
  vjp,
} from "@lib/tensor/mod.ts";
import type { Tensor } from "@tensorflow/tfjs";

type Inputs = Record<"x" | "a" | "b" | "dy", Tensor>;

/** y and the gradients of dy · y; y = (x aᵀ) bᵀ */
const both = ({ x, a, b, dy }: Inputs) => {
  const f = ({ x, a, b }: Record<string, Tensor>) => matMulUp(matMulDown(x, a), b);
  return { z: matMulDown(x, a), y: f({ x, a, b }), ...vjp(f, { x, a, b }, dy) };
};

/** The same in float64. */
function expected({ x, a, b, dy }: Inputs): Record<string, number[]> {
  const rows = (t: Tensor) => {
    const values = asType(t, "float32").dataSync(), [n, d] = t.shape as [number, number];
    return Array.from({ length: n }, (_, i) => Array.from(values.subarray(i * d, (i + 1) * d)));
  };
  const turned = (m: number[][]) => m[0].map((_, j) => m.map((row) => row[j]));
  const times = (m: number[][], n: number[][]) => {
    const columns = turned(n);
    return m.map((row) => columns.map((c) => row.reduce((sum, v, k) => sum + v * c[k], 0)));
  };
  const [X, A, B, D] = [x, a, b, dy].map(rows), z = times(X, turned(A)), dz = times(D, B);
  const all = { z, y: times(z, turned(B)), x: times(dz, A), a: times(turned(dz), X), b: times(turned(D), z) };
  return Object.fromEntries(Object.entries(all).map(([name, m]) => [name, m.flat()]));
}

const distance = (found: Tensor, wanted: number[]): number => {
  const values = asType(found, "float32").dataSync();
  const square = (f: (i: number) => number) => Math.sqrt(wanted.reduce((sum, _, i) => sum + f(i) ** 2, 0));
  return square((i) => values[i] - wanted[i]) / square((i) => wanted[i]);
};

for (const compiler of ["eager", "graph", "xla"] as const) {
  Deno.test(`${compiler}: the low-rank products of a bfloat16 model are as exact as float32's, to their type`, () => {
    const make = (shape: number[], seed: number, scale = 1) => tf.mul(randomNormal(shape, [seed, 0]), scale);
    const inputs: Inputs = {
      x: asType(make([70, 48], 1), "bfloat16"),
      a: make([12, 48], 2, 0.1),
      b: make([40, 12], 3, 0.01),
      dy: asType(make([70, 40], 4), "bfloat16"),
    };
    const f = compiler === "eager" ? both : jit(both, { compiler }),
      found = f(inputs),
      wanted = expected(inputs);
    // float32 results: half a unit in the 16th place a factor; bfloat16 ones: half a unit in the 8th.
    const most: Record<string, number> = { z: 2e-5, a: 3e-5, b: 3e-5, y: 3e-3, x: 3e-3 };
    for (const [name, limit] of Object.entries(most)) {
      const error = distance(found[name as keyof typeof found] as Tensor, wanted[name]);
      assert(error < limit, `${name}: ${error}`);
      if (limit > 1e-3) assert(error > 1e-4, `${name}: ${error}, too exact for bfloat16`);
    }
    assertEquals(
      ["z", "y", "x", "a", "b"].map((name) => realType(found[name as keyof typeof found] as Tensor)),
      [
        "float32",
        "bfloat16",
        "bfloat16",
        "float32",
        "float32",
      ],
    );
    dispose([found, inputs]);
  });
}
