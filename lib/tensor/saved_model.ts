/** SavedModels, run in a session of their own graph. */
import { adoptHandle, type EagerTensor } from "./eager.ts";
import { address, cString, fromCString, type Pointer, pointersTo, present } from "./pointers.ts";
import { check, type Runtime } from "./runtime.ts";
import { packOutputs } from "./trace.ts";

export interface SavedModel {
  readonly session: Pointer;
  readonly graph: Pointer;
}

const failure = (rt: Runtime): string | null =>
  rt.C.TF_GetCode(rt.status) === 0 ? null : fromCString(rt.C.TF_Message(rt.status));

/** @param tags joined with commas */
export function loadSavedModel(rt: Runtime, dir: string, tags: string): SavedModel {
  const { C, status } = rt, list = tags.split(",").map(cString), path = cString(dir);
  const graph = present(C.TF_NewGraph(), "a graph");
  const options = present(C.TF_NewSessionOptions(), "a session's options");
  // deno-fmt-ignore
  const session = C.TF_LoadSessionFromSavedModel(
    options, null, path, pointersTo(list), list.length, graph, null, status,
  );
  const failed = failure(rt);
  C.TF_DeleteSessionOptions(options);
  if (failed === null) return { session, graph };
  C.TF_DeleteGraph(graph);
  throw new Error(`Failed to load SavedModel: ${failed}`);
}

export function deleteSavedModel(rt: Runtime, model: SavedModel): void {
  rt.C.TF_DeleteSession(model.session, rt.status);
  check(rt, "TF_DeleteSession");
  rt.C.TF_DeleteGraph(model.graph);
}

/** Names look like `serving_default_x:0`; several are joined with commas. */
export function runSavedModel(
  rt: Runtime,
  model: SavedModel,
  inputs: readonly EagerTensor[],
  inputNames: string,
  outputNames: string,
): EagerTensor[] {
  const { C, status } = rt;
  const output = (which: string) => (text: string) => {
    const [name, index] = text.split(":"), operation = C.TF_GraphOperationByName(model.graph, cString(name));
    if (!operation) throw new Error(`${which} op name can not be found in the graph.`);
    const at = Number(index ?? 0), outputs = C.TF_OperationNumOutputs(operation);
    if (Number.isInteger(at) && at >= 0 && at < outputs) return { operation, index: at };
    throw new Error(`${which} op ${name} has ${outputs} outputs, found the place ${index} in "${text}".`);
  };
  const ins = inputNames.split(",").map(output("Input")), outs = outputNames.split(",").map(output("Output"));
  if (ins.length !== inputs.length) {
    throw new Error(
      `Length of input op names (${ins.length}) does not match the length of input tensors (${inputs.length}).`,
    );
  }
  const values: Pointer[] = [];
  try {
    for (const t of inputs) {
      values.push(C.TFE_TensorHandleResolve(t.handle, status));
      check(rt, "TF_SessionRun's input");
    }
    return runSession(rt, model, ins, values, outs);
  } finally {
    values.forEach((t) => t && C.TF_DeleteTensor(t));
  }
}

type Output = Parameters<typeof packOutputs>[0][number];

function runSession(
  rt: Runtime,
  model: SavedModel,
  ins: readonly Output[],
  values: readonly Pointer[],
  outs: readonly Output[],
): EagerTensor[] {
  const { C, status } = rt;
  const results = new BigUint64Array(Math.max(1, outs.length));
  // deno-fmt-ignore
  C.TF_SessionRun(
    model.session, null, packOutputs(ins), BigUint64Array.from(values, address), ins.length,
    packOutputs(outs), results, outs.length, null, 0, null, status,
  );
  const failed = failure(rt);
  if (failed !== null) throw new Error(`Session fail to run with error: ${failed}`);
  return Array.from(results.subarray(0, outs.length), (p) => {
    const t = Deno.UnsafePointer.create(p), handle = C.TFE_NewTensorHandle(t, status);
    C.TF_DeleteTensor(t);
    check(rt, "TF_SessionRun's output");
    return adoptHandle(rt, handle);
  });
}
