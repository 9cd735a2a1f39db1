/** Traced functions in the eager context. */
import { ATTR, type Attribute } from "./attributes.ts";
import { describe, INT32 } from "./dtype.ts";
import { bitsOnGpu, deleteEager, type EagerTensor, execute, readEager } from "./eager.ts";
import { cString } from "./pointers.ts";
import { checkRange, type Range, rangeOf } from "./range.ts";
import { check, type Runtime } from "./runtime.ts";
import {
  abandon,
  addNode,
  type Capture,
  type Indices,
  type Node,
  packOutputs,
  removeNamed,
  type Trace,
} from "./trace.ts";

export interface TracedFunction {
  readonly name: string;
  readonly xla: boolean;
  readonly captures: readonly Capture[];
  readonly outputs: number;
  /** Names of the functions that its loops call. */
  readonly parts: readonly string[];
  /** Inputs (then captures) that are indices, by place. */
  readonly indices: readonly (Omit<Indices, "node"> & { readonly input: number })[];
  readonly nodes: number;
}

/** Adds a graph to the eager context as a function of these inputs with these results. */
function addFunction(rt: Runtime, trace: Trace, inputs: readonly Node[], results: readonly Node[]): void {
  const { C, status } = rt, { name } = trace;
  // An argument as a result, or one node as two results, needs a node of its own.
  const seen = new Set(inputs);
  const outputs = results.map((node) => {
    const own = seen.has(node) ? addNode(rt, trace, "Identity", [], [node])[0] : node;
    seen.add(own);
    return own;
  });
  // deno-fmt-ignore
  const f = C.TF_GraphToFunction(
    trace.graph, cString(name), 0, -1, null, inputs.length, packOutputs(inputs),
    outputs.length, packOutputs(outputs), null, null, null, status,
  );
  check(rt, `TF_GraphToFunction of ${name}`);
  C.TFE_ContextAddFunction(rt.context, f, status);
  C.TF_DeleteFunction(f);
  check(rt, `TFE_ContextAddFunction of ${name}`);
}

/**
 * Ends the trace of a loop's condition or body: a function of its arguments and of what the loop gives it besides.
 * @param outside nodes that stand for the latter
 */
export function finishPart(
  rt: Runtime,
  trace: Trace,
  outside: readonly Node[],
  results: readonly Node[],
): void {
  addFunction(rt, trace, trace.inputs.concat(outside), results);
  trace.functions.push(trace.name);
}

/** Ends the trace: its graph becomes a function of the eager context. The trace is gone, whether this throws or not. */
export function finish(rt: Runtime, trace: Trace, results: readonly Node[]): TracedFunction {
  let done = false;
  try {
    const inputs = trace.inputs.concat(trace.captures.map((c) => c.node)).map((node) => node.origin ?? node);
    addFunction(rt, trace, inputs, results);
    done = true;
    const indices = trace.indices.map(({ op, node, size }) => ({
      op,
      size,
      input: inputs.indexOf(node.origin ?? node),
    }))
      .filter(({ input }) => input >= 0);
    const { name, xla, captures, functions, nodes } = trace;
    return { name, xla, captures, outputs: results.length, parts: functions, indices, nodes };
  } finally {
    if (done) rt.C.TF_DeleteGraph(trace.graph);
    else abandon(rt, trace);
  }
}

const COMPILE: Attribute[] = [{ name: "_XlaMustCompile", type: ATTR.bool, value: true }];

/**
 * Runs a traced function.
 * @param find gives the caller's tensor with an id, null if it was disposed
 */
export function callFunction(
  rt: Runtime,
  f: TracedFunction,
  inputs: readonly EagerTensor[],
  find: (id: number) => EagerTensor | null,
): EagerTensor[] {
  const captured = f.captures.map(({ tensor, id }) => {
    const now = id === null ? tensor : find(id());
    if (now !== null && now.dtype === tensor.dtype) return now;
    throw new Error(
      `${f.name}: a tensor ${describe(tensor)} that the function used from outside when it was traced ` +
        (now === null ? "has been disposed" : `is now ${describe(now)}`) +
        ". Keep it (tf.keep, or out of the tidy), or pass it as an argument.",
    );
  });
  const all = [...inputs, ...captured];
  for (const { op, input, size } of f.indices) checkRange(op, rangeNow(rt, all[input]), size);
  const given = f.xla && rt.gpu ? all.map((t) => t.dtype === INT32 ? bitsOnGpu(rt, t) : t) : all;
  return execute(rt, f.name, f.xla ? COMPILE : [], given, f.outputs);
}

/** The range of indices that an op made can be read without waiting only where there is no GPU. */
const rangeNow = (rt: Runtime, t: EagerTensor): Range | undefined =>
  t.range ?? (rt.gpu ? undefined : rangeOf(t.dtype, readEager(rt, t)));

/** Takes a function out of the context again, with the arrays it owns. */
export function removeFunction(rt: Runtime, f: TracedFunction): void {
  removeNamed(rt, [f.name, ...f.parts]);
  for (const c of f.captures) if (c.id === null) deleteEager(rt, c.tensor);
}
