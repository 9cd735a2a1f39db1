/** Nested arrays and records of tensors. */
import type { Tensor } from "@tensorflow/tfjs";
import { tf } from "./backend.ts";

const isTensor = (x: unknown): x is Tensor => x instanceof tf.Tensor;

function isRecord(x: unknown): x is Record<string, unknown> {
  if (x === null || typeof x !== "object") return false;
  const prototype = Object.getPrototypeOf(x);
  return prototype === Object.prototype || prototype === null;
}

/**
 * Collects the tensors of a tree in order and returns its structure as text. Numbers, strings, booleans, null and
 * undefined are part of the structure.
 * @throws if there is something else in it, or a disposed tensor
 */
export function flatten(tree: unknown, tensors: Tensor[], where: string): string {
  if (isTensor(tree)) {
    if (tree.isDisposed) throw new Error(`${where}: the tensor [${tree.shape}] has been disposed.`);
    tensors.push(tree);
    return "*";
  }
  if (Array.isArray(tree)) return `[${tree.map((x, i) => flatten(x, tensors, `${where}[${i}]`)).join()}]`;
  if (isRecord(tree)) {
    return `{${
      Object.keys(tree).map((k) => `${JSON.stringify(k)}:${flatten(tree[k], tensors, `${where}.${k}`)}`)
        .join()
    }}`;
  }
  if (tree == null || typeof tree === "number" || typeof tree === "boolean") return String(tree);
  if (typeof tree === "string") return JSON.stringify(tree);
  const found = typeof tree === "object" ? tree.constructor.name : typeof tree;
  throw new Error(`${where}: expected a tensor, an array or a plain record of them, found a ${found}.`);
}

/** The same tree with other leaves in the place of its tensors. */
export function replaceTensors(tree: unknown, next: () => unknown): unknown {
  if (isTensor(tree)) return next();
  if (Array.isArray(tree)) return tree.map((x) => replaceTensors(x, next));
  if (!isRecord(tree)) return tree;
  return Object.fromEntries(Object.entries(tree).map(([k, x]) => [k, replaceTensors(x, next)]));
}
