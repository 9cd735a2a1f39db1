import { assert, assertEquals } from "@std/assert";
import type { Tensor } from "@tensorflow/tfjs";

/** Asserts equal shapes, and values within a tolerance relative to the largest. */
export function close(actual: Tensor, expected: Tensor, tolerance: number): void {
  assertEquals(actual.shape, expected.shape);
  const a = actual.dataSync(), e = expected.dataSync(), scale = Math.max(1e-6, ...e.map(Math.abs));
  for (let i = 0; i < e.length; i++) {
    assert(Math.abs(a[i] - e[i]) <= tolerance * scale, `element ${i}: expected ${e[i]}, found ${a[i]}`);
  }
}
