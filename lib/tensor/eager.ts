/** Tensors that have values, and ops run at once. */
import { ATTR, type Attribute, setAttribute } from "./attributes.ts";
import { describe, FLOAT, INT32, STRING } from "./dtype.ts";
import { bytesAt, cString, offset, type Pointer, present, revoke } from "./pointers.ts";
import { outOfRange, type Range, rangeOf } from "./range.ts";
import { elements } from "./shape.ts";
import { check, type Runtime } from "./runtime.ts";
import { allocate, fromValues, release, toValues, type Values } from "./tensors.ts";

export interface EagerTensor {
  readonly handle: Pointer;
  readonly dtype: number;
  readonly shape: number[];
  /** Least and greatest value, known of int32 tensors that came from JavaScript. */
  readonly range?: Range;
  /** The bits of an int32 tensor on the GPU, once {@linkcode bitsOnGpu} has made them. */
  bits?: EagerTensor;
}

function adopt(rt: Runtime, handle: Pointer): EagerTensor {
  const { C, status } = rt, rank = C.TFE_TensorHandleNumDims(present(handle, "a tensor"), status);
  if (rank < 0) check(rt, "TFE_TensorHandleNumDims");
  const shape = new Array<number>(rank);
  for (let i = 0; i < rank; i++) {
    shape[i] = Number(C.TFE_TensorHandleDim(handle, i, status));
    if (shape[i] < 0) check(rt, "TFE_TensorHandleDim");
  }
  return { handle, dtype: C.TFE_TensorHandleDataType(handle), shape };
}

export function deleteEager(rt: Runtime, t: EagerTensor): void {
  rt.C.TFE_DeleteTensorHandle(t.handle);
  if (t.bits) deleteEager(rt, t.bits);
}

/** `MatMul(float32[2,3], float32[4,5])`; long lists are cut. */
export function signature(
  op: string,
  inputs: readonly { dtype: number; shape: readonly number[] }[],
): string {
  const shown = inputs.slice(0, 8).map(describe);
  return `${op}(${shown.join(", ")}${inputs.length > 8 ? `, ... ${inputs.length} in all` : ""})`;
}

/** int32 and strings stay on the host, where the kernels of a GPU expect them. */
function place(rt: Runtime, handle: Pointer, dtype: number): Pointer {
  if (!rt.gpu || dtype === INT32 || dtype === STRING) return handle;
  const moved = rt.C.TFE_TensorHandleCopyToDevice(handle, rt.context, cString(rt.gpu), rt.status);
  rt.C.TFE_DeleteTensorHandle(handle);
  check(rt, `copying a tensor to ${rt.gpu}`);
  return moved;
}

/** A tensor with a copy of the values. */
export function createEager(
  rt: Runtime,
  shape: readonly number[],
  dtype: number,
  values: unknown,
): EagerTensor {
  const t = fromValues(rt, shape, dtype, values);
  try {
    const handle = rt.C.TFE_NewTensorHandle(t, rt.status);
    check(rt, "createTensor");
    const made = {
      handle: place(rt, handle, dtype),
      dtype,
      shape: [...shape],
      range: rangeOf(dtype, values),
    };
    if (dtype !== STRING || elements(shape) === 0) return made;
    // The strings are ours and nothing would free the long ones: keep a copy that TensorFlow owns.
    try {
      return execute(rt, "DeepCopy", [{ name: "T", type: ATTR.type, value: STRING }], [made], 1)[0];
    } finally {
      deleteEager(rt, made);
    }
  } finally {
    release(rt, t, shape, dtype);
  }
}

const PIECE_BYTES = 2 ** 30;

/**
 * A tensor whose memory fill writes, in pieces of at most 1 GiB and in order: no array of the whole, no copy. A piece is
 * empty once fill has returned, so that nothing can reach memory that TensorFlow has freed.
 */
export function allocateEager(
  rt: Runtime,
  shape: readonly number[],
  dtype: number,
  fill: (piece: Uint8Array<ArrayBuffer>) => void,
): EagerTensor {
  const each = Number(rt.C.TF_DataTypeSize(dtype)), t = allocate(rt, shape, dtype, each);
  try {
    const bytes = elements(shape) * each, data = rt.C.TF_TensorData(t);
    for (let at = 0; at < bytes; at += PIECE_BYTES) {
      const piece = bytesAt(offset(data, at), Math.min(PIECE_BYTES, bytes - at));
      try {
        fill(piece);
      } finally {
        revoke(piece);
      }
    }
    const handle = rt.C.TFE_NewTensorHandle(t, rt.status);
    check(rt, "allocTensor");
    return { handle: place(rt, handle, dtype), dtype, shape: [...shape] };
  } finally {
    rt.C.TF_DeleteTensor(t);
  }
}

export function readEager(rt: Runtime, tensor: EagerTensor): Values {
  const t = rt.C.TFE_TensorHandleResolve(tensor.handle, rt.status);
  check(rt, "tensorDataSync");
  try {
    return toValues(rt, t);
  } finally {
    rt.C.TF_DeleteTensor(t);
  }
}

/**
 * The bits of an int32 tensor as a float32 tensor on the GPU, made once and deleted with it. TensorFlow keeps int32 on the
 * host, so that a function compiled by XLA would copy it at each call, and wait before the copy for all that was sent to
 * the GPU before: no work could be queued ahead. (What an op has computed is read back for it, and waited for.)
 */
export function bitsOnGpu(rt: Runtime, t: EagerTensor): EagerTensor {
  if (!t.bits) {
    const { buffer, byteOffset, length } = readEager(rt, t) as Int32Array;
    t.bits = createEager(rt, t.shape, FLOAT, new Float32Array(buffer, byteOffset, length));
  }
  return t.bits;
}

const count = new Int32Array(1);
/** What the CPU's kernels say of an index; XLA and GPUs say nothing, see `Binding.within`. */
const OUT_OF_RANGE = /indices\[.*\] = (-?\d+) is not in \[0, (\d+)\)/;

/** @throws TensorFlow's message; an index out of range in the words of `checkRange` before it */
function checkExecuted(rt: Runtime, where: () => string): void {
  try {
    check(rt, where);
  } catch (cause) {
    const range = (cause as Error).message.match(OUT_OF_RANGE);
    if (!range) throw cause;
    throw new Error(
      `${outOfRange("GatherV2", Number(range[1]), Number(range[2]))} ${(cause as Error).message}`,
    );
  }
}

/** An op with its inputs and attributes; the caller deletes it. A list input is just its tensors, one after another. */
function newOp(
  rt: Runtime,
  name: string,
  attributes: readonly Attribute[],
  inputs: readonly EagerTensor[],
  where: () => string,
): Pointer {
  const { C, status } = rt, op = C.TFE_NewOp(rt.context, cString(name), status);
  check(rt, where);
  try {
    // Inputs before attributes: TensorFlow infers type attributes from the inputs, and the first value of an
    // attribute stays. Kernels of TensorFlow.js name a wrong type now and then (Mean of int32).
    for (const { handle } of inputs) {
      C.TFE_OpAddInput(op, handle, status);
      if (C.TF_GetCode(status) !== 0) check(rt, where);
    }
    for (const a of attributes) setAttribute(rt, name, op, a, "eager");
    return op;
  } catch (error) {
    C.TFE_DeleteOp(op);
    throw error;
  }
}

/**
 * Runs an op or a function.
 * @throws TensorFlow's message with the op, its input types and shapes.
 */
export function execute(
  rt: Runtime,
  name: string,
  attributes: readonly Attribute[],
  inputs: readonly EagerTensor[],
  outputs: number,
): EagerTensor[] {
  const { C, status } = rt, where = () => signature(name, inputs);
  const op = newOp(rt, name, attributes, inputs, where);
  try {
    // It must hold every output: TFE_Execute writes as many as there are.
    const results = new BigUint64Array(Math.max(1, outputs));
    count[0] = outputs;
    C.TFE_Execute(op, results, count, status);
    checkExecuted(rt, where);
    return Array.from(results.subarray(0, count[0]), (p) => adopt(rt, Deno.UnsafePointer.create(p)));
  } finally {
    C.TFE_DeleteOp(op);
  }
}

/**
 * Runs an op with one output that waits for other processes, while this one can do something else.
 * @throws as {@linkcode execute}
 */
export async function executeLater(
  rt: Runtime,
  name: string,
  attributes: readonly Attribute[],
  inputs: readonly EagerTensor[],
): Promise<EagerTensor> {
  const { C } = rt, where = () => signature(name, inputs), op = newOp(rt, name, attributes, inputs, where);
  const status = present(C.TF_NewStatus(), "a status"), results = new BigUint64Array(1);
  try {
    await C.executeLater(op, results, Int32Array.of(1), status);
    check({ C, status }, where);
    return adopt(rt, Deno.UnsafePointer.create(results[0]));
  } finally {
    C.TFE_DeleteOp(op);
    C.TF_DeleteStatus(status);
  }
}

export { adopt as adoptHandle };
