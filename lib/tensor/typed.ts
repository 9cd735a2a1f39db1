/**
 * Functions of TensorFlow.js with the types that they have in fact: matMul and gather take tensors of any rank, tidy and
 * dispose take trees of tensors whose type is an interface, gradients are by name.
 */
import type { Tensor, TensorContainer } from "@tensorflow/tfjs";
import { tf } from "./backend.ts";

/** Tensors by name. */
export type Tensors = Record<string, Tensor>;

/** Matrix product over the last two axes: a `[..., m, k]` and b `[..., k, n]`, or either transposed, give `[..., m, n]`. */
export const matMul = (
  a: Tensor,
  b: Tensor,
  { transposeA = false, transposeB = false }: { transposeA?: boolean; transposeB?: boolean } = {},
): Tensor => tf.matMul<Tensor>(a as never, b as never, transposeA, transposeB);

/** Rows of x `[N, ...]` at int32 indices of any shape, each in 0..N - 1: `[...indices.shape, ...]`. */
export const gather = (x: Tensor, indices: Tensor): Tensor => tf.gather(x, indices as never);

/** 1 at the place of each int32 index, else 0: `[...indices.shape, depth]`. */
export const oneHot = (indices: Tensor, depth: number): Tensor => tf.oneHot(indices as never, depth);

/** Runs f and disposes all tensors that it made, but for those in the tree that it returns. */
export const tidy = <T>(f: () => T): T => tf.tidy(f as () => TensorContainer) as T;

/** Disposes every tensor in a tree of arrays and records. */
export const dispose = (tree: unknown): void => tf.dispose(tree as TensorContainer);

/** Copies of tensors that stay until they are disposed. */
export const copyOf = <T extends Tensors>(tensors: T): T => mapTensors(tensors, (x) => tf.keep(tf.clone(x)));

/** A function of each tensor, under the same names. */
export const mapTensors = <T extends Tensors>(tensors: T, f: (x: Tensor, name: string) => Tensor): T =>
  Object.fromEntries(Object.entries(tensors).map(([name, x]) => [name, f(x, name)])) as T;

const withNames = <T extends Tensors>(names: string[], values: Tensor[]): T =>
  Object.fromEntries(names.map((name, i) => [name, values[i]])) as T;

/**
 * Value of f, a scalar, and its gradient for each of the named tensors.
 * @throws if one of them has no influence on it
 */
export function valueAndGradients<T extends Tensors>(
  f: (at: T) => Tensor,
  at: T,
): { value: Tensor; gradients: T } {
  const names = Object.keys(at);
  const flat = (...values: Tensor[]) => f(withNames(names, values));
  const { value, grads } = tf.valueAndGrads(flat as never)(names.map((name) => at[name]));
  return { value, gradients: withNames(names, grads) };
}

/** The vector-Jacobian product dy * df/dx for each of the named tensors: what arrives at them when dy arrives at f's value. */
export function vjp<T extends Tensors>(f: (at: T) => Tensor, at: T, dy: Tensor): T {
  const names = Object.keys(at);
  const flat = (...values: Tensor[]) => f(withNames(names, values));
  return withNames(names, tf.grads(flat as never)(names.map((name) => at[name]), dy));
}
