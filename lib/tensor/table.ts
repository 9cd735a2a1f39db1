/** The tensors that the backend knows by number. */
import { label } from "./dtype.ts";
import { deleteEager, type EagerTensor } from "./eager.ts";
import type { Runtime } from "./runtime.ts";
import type { Node } from "./trace.ts";

/** What the backend is told of a result. */
export interface Metadata {
  readonly id: number;
  readonly shape: number[];
  readonly dtype: number;
}

export interface TracedTensor {
  readonly node: Node;
  readonly dtype: number;
  readonly shape: number[];
}
export type Entry = EagerTensor | TracedTensor;

export const isTraced = (e: Entry): e is TracedTensor => "node" in e;

export const isTracedId = (id: number): boolean => id % 2 === 1;

/** Ids of traced tensors are odd, others even; none is used twice. */
export class TensorTable {
  #eager = new Map<number, EagerTensor>();
  #traced = new Map<number, TracedTensor>();
  #eagerId = 0;
  #tracedId = 1;

  constructor(readonly runtime: Runtime) {}

  get size(): number {
    return this.#eager.size + this.#traced.size;
  }
  addEager(t: EagerTensor): Metadata {
    const id = this.#eagerId;
    this.#eagerId += 2;
    this.#eager.set(id, t);
    return { id, shape: t.shape, dtype: label(t.dtype) };
  }
  addNode(node: Node): Metadata {
    const id = this.#tracedId, { dtype, shape } = node;
    this.#tracedId += 2;
    this.#traced.set(id, { node, dtype, shape });
    return { id, shape, dtype: label(dtype) };
  }
  /** A tensor with values, null if it was deleted. */
  find(id: number): EagerTensor | null {
    return this.#eager.get(id) ?? null;
  }
  /** @throws if it is not there, saying why */
  get(id: number, what: string): Entry {
    const e = isTracedId(id) ? this.#traced.get(id) : this.#eager.get(id);
    if (e) return e;
    if (isTracedId(id)) {
      throw new Error(
        `${what} on a tensor that was made while a function was traced and does not exist outside of it: ` +
          "return it from the function given to jit.",
      );
    }
    throw new Error(`${what} on a Tensor not referenced (tensor_id: ${id})`);
  }
  /** @throws if the tensor has no values */
  getEager(id: number, what: string): EagerTensor {
    const e = this.get(id, what);
    if (!isTraced(e)) return e;
    throw new Error(
      `${what} on a tensor inside of jit: it has no values while the function is traced. Return it from the ` +
        "function and read it outside, or compute what depends on it with tensors.",
    );
  }
  delete(id: number): void {
    if (isTracedId(id)) {
      this.#traced.delete(id); // or it went with its trace
      return;
    }
    const e = this.#eager.get(id);
    if (!e) throw new Error(`Delete called on a Tensor not referenced (tensor_id: ${id})`);
    this.#eager.delete(id);
    deleteEager(this.runtime, e);
  }
  /** Drops every traced tensor: what they stood for is gone. */
  clearTraced(): void {
    this.#traced.clear();
  }
}
