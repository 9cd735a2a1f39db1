/**
 * Indices out of range. On a CPU TensorFlow's kernels refuse them; XLA takes the nearest row there is and a GPU gives
 * zeros. So int32 tensors remember what lies in them when they come from JavaScript, and ops that index compare that
 * with the size before anything runs: one pass over the integers when they are sent, nothing per step.
 */
import { INT32 } from "./dtype.ts";

/** Least and greatest value. */
export type Range = readonly [least: number, greatest: number];

/** The range of an int32 tensor's values; undefined for other types and for none. */
export function rangeOf(dtype: number, values: unknown): Range | undefined {
  if (dtype !== INT32 || !(values instanceof Int32Array) || values.length === 0) return undefined;
  let least = values[0], greatest = values[0];
  for (const x of values) {
    if (x < least) least = x;
    else if (x > greatest) greatest = x;
  }
  return [least, greatest];
}

export const outOfRange = (op: string, value: number, size: number): string =>
  `${op}: the index value ${value} is not in [0, ${size - 1}].`;

/** @throws if a value is known to lie outside of 0..size - 1 */
export function checkRange(op: string, range: Range | undefined, size: number): void {
  if (range && range[0] < 0) throw new Error(outOfRange(op, range[0], size));
  if (range && range[1] >= size) throw new Error(outOfRange(op, range[1], size));
}
