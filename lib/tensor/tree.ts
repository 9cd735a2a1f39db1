/** Nested arrays and records of tensors. */
import type { Tensor } from "@tensorflow/tfjs";
import { tf } from "./backend.ts";

const isTensor = (x: unknown): x is Tensor => x instanceof tf.Tensor;

function isRecord(x: unknown): x is Record<string, unknown> {
  if (x === null || typeof x !== "object") return false;
  const prototype = Object.getPrototypeOf(x);
  return prototype === Object.prototype || prototype === null;
}

/** A leaf that is not taken, and what is wrong with it. */
class WrongLeaf extends Error {
  constructor(readonly leaf: unknown, message: string) {
    super(message);
  }
}

/** The first place of a leaf in a tree, as JavaScript writes it: ".params[2]". */
function placeOf(tree: unknown, leaf: unknown): string | null {
  if (tree === leaf) return "";
  const inner = Array.isArray(tree)
    ? tree.map((x, i) => [`[${i}]`, x] as const)
    : isRecord(tree)
    ? Object.entries(tree).map(([k, x]) => [`.${k}`, x] as const)
    : [];
  for (const [step, x] of inner) {
    const rest = placeOf(x, leaf);
    if (rest !== null) return step + rest;
  }
  return null;
}

/** Keys as JSON; those of a model's weights recur in every call. */
const quoted = new Map<string, string>();
function quote(key: string): string {
  let json = quoted.get(key);
  if (json === undefined) quoted.set(key, json = JSON.stringify(key));
  return json;
}

function structureOf(tree: unknown, tensors: Tensor[]): string {
  if (isTensor(tree)) {
    if (tree.isDisposed) throw new WrongLeaf(tree, `the tensor [${tree.shape}] has been disposed.`);
    tensors.push(tree);
    return "*";
  }
  if (Array.isArray(tree)) return `[${tree.map((x) => structureOf(x, tensors)).join()}]`;
  if (isRecord(tree)) {
    let text = "{";
    for (const key of Object.keys(tree)) text += `${quote(key)}:${structureOf(tree[key], tensors)},`;
    return `${text}}`;
  }
  if (tree == null || typeof tree === "number" || typeof tree === "boolean") return String(tree);
  if (typeof tree === "string") return JSON.stringify(tree);
  const found = typeof tree === "object" ? tree.constructor.name : typeof tree;
  throw new WrongLeaf(tree, `expected a tensor, an array or a plain record of them, found a ${found}.`);
}

/**
 * Collects the tensors of a tree in order and returns its structure as text. Numbers, strings, booleans, null and
 * undefined are part of the structure.
 * @throws if there is something else in it, or a disposed tensor, naming its place
 */
export function flatten(tree: unknown, tensors: Tensor[], where: string): string {
  try {
    return structureOf(tree, tensors);
  } catch (error) {
    if (!(error instanceof WrongLeaf)) throw error;
    throw new Error(`${where}${placeOf(tree, error.leaf)}: ${error.message}`);
  }
}

/** The same tree with other leaves in the place of its tensors. */
export function replaceTensors(tree: unknown, next: () => unknown): unknown {
  if (isTensor(tree)) return next();
  if (Array.isArray(tree)) return tree.map((x) => replaceTensors(x, next));
  if (!isRecord(tree)) return tree;
  return Object.fromEntries(Object.entries(tree).map(([k, x]) => [k, replaceTensors(x, next)]));
}
