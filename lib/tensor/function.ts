/** Traced functions in the eager context. */
import { ATTR, type Attribute } from "./attributes.ts";
import { describe } from "./dtype.ts";
import { deleteEager, type EagerTensor, execute } from "./eager.ts";
import { cString } from "./pointers.ts";
import { check, type Runtime } from "./runtime.ts";
import { abandon, addNode, type Capture, type Node, packOutputs, type Trace } from "./trace.ts";

export interface TracedFunction {
  readonly name: string;
  readonly xla: boolean;
  readonly captures: readonly Capture[];
  readonly outputs: number;
  readonly nodes: number;
}

/** Ends the trace: its graph becomes a function of the eager context. The trace is gone, whether this throws or not. */
export function finish(rt: Runtime, trace: Trace, results: readonly Node[]): TracedFunction {
  const { C, status } = rt;
  let done = false;
  try {
    // An argument as a result, or one node as two results, needs a node of its own.
    const seen = new Set(trace.inputs.concat(trace.captures.map((c) => c.node)));
    const outputs = results.map((node) => {
      const own = seen.has(node) ? addNode(rt, trace, "Identity", [], [node])[0] : node;
      seen.add(own);
      return own;
    });
    const inputs = trace.inputs.concat(trace.captures.map((c) => c.node)), { name } = trace;
    // deno-fmt-ignore
    const f = C.TF_GraphToFunction(
      trace.graph, cString(name), 0, -1, null, inputs.length, packOutputs(inputs),
      outputs.length, packOutputs(outputs), null, null, null, status,
    );
    check(rt, `TF_GraphToFunction of ${name}`);
    C.TFE_ContextAddFunction(rt.context, f, status);
    C.TF_DeleteFunction(f);
    check(rt, `TFE_ContextAddFunction of ${name}`);
    done = true;
    return { name, xla: trace.xla, captures: trace.captures, outputs: outputs.length, nodes: trace.nodes };
  } finally {
    if (done) C.TF_DeleteGraph(trace.graph);
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
  return execute(rt, f.name, f.xla ? COMPILE : [], [...inputs, ...captured], f.outputs);
}

/** Takes a function out of the context again, with the arrays it owns. */
export function removeFunction(rt: Runtime, f: TracedFunction): void {
  rt.C.TFE_ContextRemoveFunction(rt.context, cString(f.name), rt.status);
  check(rt, `TFE_ContextRemoveFunction of ${f.name}`);
  for (const c of f.captures) if (c.id === null) deleteEager(rt, c.tensor);
}
