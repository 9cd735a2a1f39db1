/** Building a TensorFlow function out of the ops that would otherwise run. */
import { ATTR, type Attribute, setAttribute } from "./attributes.ts";
import { COMPLEX64, FLOAT, INT32, STRING } from "./dtype.ts";
import { createEager, deleteEager, type EagerTensor, signature } from "./eager.ts";
import { type InputArg, opDef } from "./op_def.ts";
import { address, cString, type Pointer, present, utf8 } from "./pointers.ts";
import { type Range, rangeOf } from "./range.ts";
import { elements } from "./shape.ts";
import { check, type Runtime } from "./runtime.ts";
import { fromValues, release } from "./tensors.ts";

/** One output of an operation of the graph. */
export interface Node {
  readonly graph: Pointer;
  readonly operation: Pointer;
  readonly index: number;
  readonly dtype: number;
  readonly shape: number[];
  /** Least and greatest value of a constant int32. */
  readonly range?: Range;
  /** The node whose values these are, in another shape or by their bits. */
  readonly origin?: Node;
}

/** Indices that an op reads: their values must lie in 0..size - 1. */
export interface Indices {
  readonly op: string;
  readonly node: Node;
  readonly size: number;
}

/** A tensor from outside: its value is given at each call. */
export interface Capture {
  readonly tensor: EagerTensor;
  /** Id of the caller's tensor, asked at each call; null for an array of the traced code, which the function owns. */
  readonly id: (() => number) | null;
  readonly node: Node;
}

export interface Trace {
  readonly graph: Pointer;
  readonly name: string;
  /** Of a loop's condition or body: the trace that the loop is part of. */
  readonly parent: Trace | null;
  /** Whether the function will be compiled by XLA. */
  readonly xla: boolean;
  readonly inputs: Node[];
  /** None of a loop's parts, whose loop gives them what they use from outside. */
  readonly captures: Capture[];
  /** What is used from outside, by its id. */
  readonly captureOf: Map<number, Node>;
  /** Variables used, by the id of their present value. */
  readonly variables: Map<number, () => number>;
  /** Those of arguments and captures are looked at in each call. */
  readonly indices: Indices[];
  /** Names of the functions that are conditions and bodies of its loops. */
  readonly functions: string[];
  /** Operation that every node made meanwhile waits for. */
  control: Pointer;
  nodes: number;
}

export const newTrace = (
  rt: Runtime,
  name: string,
  xla: boolean,
  parent: Trace | null = null,
): Trace => ({
  graph: present(rt.C.TF_NewGraph(), "a graph"),
  name,
  parent,
  xla,
  inputs: [],
  captures: [],
  captureOf: new Map(),
  variables: new Map(),
  indices: [],
  functions: parent?.functions ?? [],
  control: null,
  nodes: 0,
});

/** Drops what a trace that failed has made. */
export function abandon(rt: Runtime, trace: Trace): void {
  rt.C.TF_DeleteGraph(trace.graph);
  for (const c of trace.captures) if (c.id === null) deleteEager(rt, c.tensor);
  if (trace.parent === null) removeNamed(rt, trace.functions);
}

/** Takes functions out of the eager context. */
export function removeNamed(rt: Runtime, names: readonly string[]): void {
  for (const name of names) {
    rt.C.TFE_ContextRemoveFunction(rt.context, cString(name), rt.status);
    check(rt, `TFE_ContextRemoveFunction of ${name}`);
  }
}

/** TF_Output by value, or several of them one after another. */
export function packOutputs(nodes: readonly Pick<Node, "operation" | "index">[]): Uint8Array<ArrayBuffer> {
  const view = new DataView(new ArrayBuffer(16 * Math.max(1, nodes.length)));
  nodes.forEach((n, i) => {
    view.setBigUint64(16 * i, address(n.operation), true);
    view.setInt32(16 * i + 8, n.index, true);
  });
  return new Uint8Array(view.buffer);
}

function outputNode(rt: Runtime, trace: Trace, operation: Pointer, index: number, where: () => string): Node {
  const { C, status } = rt, output = packOutputs([{ operation, index }]);
  const rank = C.TF_GraphGetTensorNumDims(trace.graph, output, status),
    dims = new BigInt64Array(Math.max(rank, 1));
  check(rt, where);
  if (rank > 0) C.TF_GraphGetTensorShape(trace.graph, output, dims, rank, status);
  check(rt, where);
  const shape = Array.from(dims.subarray(0, Math.max(rank, 0)), Number);
  if (rank < 0 || shape.some((d) => d < 0)) {
    throw new Error(
      `${where()} cannot be traced: the shape of its result depends on the data. Do it outside of jit.`,
    );
  }
  return { graph: trace.graph, operation, index, dtype: C.TF_OperationOutputType(output), shape };
}

/** Unlike eager ops a node wants its list inputs as lists. */
function addInputs(
  rt: Runtime,
  operation: Pointer,
  args: readonly InputArg[],
  attributes: readonly Attribute[],
  inputs: readonly Node[],
  where: () => string,
): void {
  let next = 0;
  args.forEach((arg, k) => {
    if (!arg.numberAttr && !arg.typeListAttr) {
      if (next < inputs.length) rt.C.TF_AddInput(operation, packOutputs([inputs[next++]]));
      return;
    }
    // Its length is told by the attribute, or is what the other inputs leave over.
    const told = attributes.find((a) => a.name === arg.numberAttr)?.value;
    const n = typeof told === "number" ? told : inputs.length - next - (args.length - k - 1);
    rt.C.TF_AddInputList(operation, packOutputs(inputs.slice(next, next + n)), n);
    next += n;
  });
  if (next !== inputs.length) throw new Error(`${where()} got ${inputs.length} inputs, but takes ${next}.`);
}

/** Adds an operation to the graph. Attributes that follow from its inputs are left to TensorFlow. */
export function addNode(
  rt: Runtime,
  trace: Trace,
  name: string,
  attributes: readonly Attribute[],
  inputs: readonly Node[],
): Node[] {
  const { C } = rt, { inputs: args } = opDef(rt, name), where = () => signature(name, inputs);
  const operation = present(
    C.TF_NewOperation(trace.graph, cString(name), utf8(`${name}_${trace.nodes++}\0`)),
    `a node of ${name}`,
  );
  addInputs(rt, operation, args, attributes, inputs, where);
  const inferred = new Set(args.flatMap((a) => [a.typeAttr, a.numberAttr, a.typeListAttr]));
  for (const a of attributes) if (!inferred.has(a.name)) setAttribute(rt, name, operation, a, "graph");
  if (trace.control) C.TF_AddControlInput(operation, trace.control);
  const finished = C.TF_FinishOperation(operation, rt.status);
  check(rt, where);
  return Array.from(
    { length: C.TF_OperationNumOutputs(finished) },
    (_, i) => outputNode(rt, trace, finished, i, where),
  );
}

/** What stands for a tensor given at each call; int32 for a GPU's XLA comes by its bits ({@linkcode bitsOnGpu}). */
function placeholder(
  rt: Runtime,
  trace: Trace,
  { shape, dtype }: { shape: readonly number[]; dtype: number },
): Node {
  const byBits = dtype === INT32 && trace.xla && trace.parent === null && rt.gpu !== null;
  const [origin] = addNode(rt, trace, "Placeholder", [
    { name: "dtype", type: ATTR.type, value: byBits ? FLOAT : dtype },
    { name: "shape", type: ATTR.shape, value: shape },
  ], []);
  if (!byBits) return origin;
  const [node] = addNode(rt, trace, "Bitcast", [{ name: "type", type: ATTR.type, value: INT32 }], [origin]);
  return { ...node, origin };
}

export function addArgument(
  rt: Runtime,
  trace: Trace,
  like: { shape: readonly number[]; dtype: number },
): Node {
  const node = placeholder(rt, trace, like);
  trace.inputs.push(node);
  return node;
}

/**
 * The node that stands for a tensor from outside.
 * @throws if that was made in a loop and is used behind it
 */
export function capture(
  rt: Runtime,
  trace: Trace,
  tensor: EagerTensor | { readonly node: Node; readonly dtype: number; readonly shape: number[] },
  id: number,
): Node {
  let node = trace.captureOf.get(id);
  if (node) return node;
  node = placeholder(rt, trace, tensor);
  if (trace.parent === null) {
    if ("node" in tensor) {
      throw new Error(
        `${trace.name}: a tensor that a loop made does not exist outside of it: make it part of the loop's state.`,
      );
    }
    trace.captures.push({ tensor, id: trace.variables.get(id) ?? (() => id), node });
  }
  trace.captureOf.set(id, node);
  return node;
}

/** Arrays of more elements than this do not become constants, which are copied with graph and function. */
const LARGEST_CONSTANT = 1024;

function constant(rt: Runtime, trace: Trace, shape: readonly number[], dtype: number, values: unknown): Node {
  const t = fromValues(rt, shape, dtype, values);
  try {
    const [node] = addNode(rt, trace, "Const", [
      { name: "dtype", type: ATTR.type, value: dtype },
      { name: "value", type: ATTR.tensor, value: t },
    ], []);
    return { ...node, range: rangeOf(dtype, values) };
  } finally {
    release(rt, t, shape, dtype);
  }
}

/**
 * Values that the traced code makes: a constant, if they are few; a Fill, if they are all the same (the gradients of
 * sum and mean make ones of the full shape); else uploaded now and captured, by the function as a whole if they are made
 * in a loop.
 */
export function addValues(
  rt: Runtime,
  trace: Trace,
  shape: readonly number[],
  dtype: number,
  values: unknown,
): Node {
  const n = elements(shape);
  if (n <= LARGEST_CONSTANT || dtype === STRING) return constant(rt, trace, shape, dtype, values);
  const array = values as Float32Array;
  if (dtype !== COMPLEX64 && array.length === n && array.every((x) => Object.is(x, array[0]))) {
    const dims = constant(rt, trace, [shape.length], INT32, Int32Array.from(shape));
    const value = constant(rt, trace, [], dtype, array.slice(0, 1));
    return { ...addNode(rt, trace, "Fill", [], [dims, value])[0], range: value.range };
  }
  let whole = trace;
  while (whole.parent !== null) whole = whole.parent;
  const tensor = createEager(rt, shape, dtype, values);
  const node = { ...placeholder(rt, whole, tensor), range: tensor.range };
  whole.captures.push({ tensor, id: null, node });
  return node;
}
