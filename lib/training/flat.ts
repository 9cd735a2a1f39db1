import type { Tensor } from "@tensorflow/tfjs";
import { tf } from "../tensor/mod.ts";
import type { Params } from "../weights/mod.ts";

/**
 * Tensors one after another as one of a single axis, in the order of `names`: what is done to each number alike is then one op,
 * where a LoRA adapter of the full size has 360 tensors.
 */
export const flattened = (tensors: Params, names: readonly string[] = Object.keys(tensors)): Tensor =>
  tf.concat(names.map((name) => tf.reshape(tensors[name], [-1])));

/** The opposite of {@linkcode flattened}: tensors of the names, shapes and order of `like`. */
export function unflattened(flat: Tensor, like: Params): Params {
  const parts = tf.split(flat, Object.values(like).map(({ size }) => size));
  return Object.fromEntries(
    Object.entries(like).map(([name, { shape }], i) => [name, tf.reshape(parts[i], shape)]),
  );
}
