/** TF_Tensor from JavaScript's values and back. */
import {
  BFLOAT16,
  BOOL,
  COMPLEX64,
  describe,
  DOUBLE,
  dtypeName,
  FLOAT,
  HALF,
  INT32,
  INT64,
  RESOURCE,
  STRING,
  UINT16,
  UINT8,
  widenBfloat16,
  widenHalf,
} from "./dtype.ts";
import { outOfMemory } from "./out_of_memory.ts";
import { bytesAt, int64s, offset, type Pointer } from "./pointers.ts";
import { elements } from "./shape.ts";
import type { Runtime } from "./runtime.ts";

type Numbers = ArrayBufferView & { readonly length: number };
/** What TensorFlow.js reads from a tensor: strings come as bytes. */
export type Values =
  | Float32Array
  | Int32Array
  | Uint8Array
  | Uint16Array
  | Float64Array
  | BigInt64Array
  | Uint8Array[];

const TSTRING_BYTES = 24; // sizeof(TF_TString); up to 22 bytes lie inside it

/** The arrays taken for a type, with their elements per value. */
const ARRAYS: Record<number, readonly (readonly [new (n: number) => Numbers, number])[]> = {
  [FLOAT]: [[Float32Array, 1]],
  [DOUBLE]: [[Float64Array, 1]],
  [INT32]: [[Int32Array, 1]],
  [BOOL]: [[Uint8Array, 1]],
  [UINT8]: [[Uint8Array, 1]],
  [INT64]: [[Int32Array, 2], [BigInt64Array, 1]], // TensorFlow.js writes int64 as (low, high) pairs
  [COMPLEX64]: [[Float32Array, 2]],
  [BFLOAT16]: [[Uint16Array, 1]],
  [HALF]: [[Uint16Array, 1]],
};

/**
 * An uninitialised TF_Tensor. The caller deletes it.
 * @throws if the shape is none, or there is not enough memory
 */
export function allocate(rt: Runtime, shape: readonly number[], dtype: number, each: number): Pointer {
  const bytes = elements(shape) * each;
  const failed = () => outOfMemory(`a tensor ${describe({ dtype, shape })}`, bytes, "this machine", "");
  if (bytes > Number.MAX_SAFE_INTEGER) throw failed();
  const t = rt.C.TF_AllocateTensor(dtype, int64s(shape), shape.length, BigInt(bytes));
  if (t !== null && (bytes === 0 || rt.C.TF_TensorData(t) !== null)) return t;
  if (t !== null) rt.C.TF_DeleteTensor(t);
  throw failed();
}

function numericTensor(rt: Runtime, shape: readonly number[], dtype: number, values: unknown): Pointer {
  const arrays = ARRAYS[dtype];
  if (!arrays) throw new Error(`Unsupported tensor type: ${dtypeName(dtype)}`);
  if (!ArrayBuffer.isView(values)) throw new Error("Expected a typed array");
  const array = arrays.find(([type]) => values instanceof type);
  if (!array) throw new Error(`Tensor type does not match ${values.constructor.name} (${dtypeName(dtype)})`);
  const { length } = values as Numbers, n = elements(shape);
  if (length !== n * array[1]) {
    throw new Error(
      `Shape does not match typed-array in bindData() (num_elements=${n}, array_length=${length})`,
    );
  }
  const t = allocate(rt, shape, dtype, n === 0 ? 0 : values.byteLength / n);
  bytesAt(rt.C.TF_TensorData(t), values.byteLength)
    .set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  return t;
}

function stringTensor(rt: Runtime, shape: readonly number[], values: unknown): Pointer {
  const n = elements(shape);
  if (!Array.isArray(values) || values.length !== n) throw new Error(`Expected an array of ${n} strings`);
  if (!values.every((s) => s instanceof Uint8Array)) {
    throw new Error("Unsupported array type - expecting Uint8Array");
  }
  const t = allocate(rt, shape, STRING, TSTRING_BYTES), data = rt.C.TF_TensorData(t);
  bytesAt(data, n * TSTRING_BYTES).fill(0); // an empty TF_TString
  values.forEach((s, i) => rt.C.TF_StringCopy(offset(data, i * TSTRING_BYTES), s, BigInt(s.length)));
  return t;
}

/** A TF_Tensor that holds a copy of the values. Give it back by {@linkcode release}. */
export const fromValues = (rt: Runtime, shape: readonly number[], dtype: number, values: unknown): Pointer =>
  dtype === STRING ? stringTensor(rt, shape, values) : numericTensor(rt, shape, dtype, values);

/** Deletes a tensor made by {@linkcode fromValues}; long strings lie outside it and are ours to free. */
export function release(rt: Runtime, t: Pointer, shape: readonly number[], dtype: number): void {
  if (dtype === STRING) {
    const data = rt.C.TF_TensorData(t);
    for (let i = 0; i < elements(shape); i++) rt.C.TF_StringDealloc(offset(data, i * TSTRING_BYTES));
  }
  rt.C.TF_DeleteTensor(t);
}

function readStrings(rt: Runtime, t: Pointer): Uint8Array[] {
  const data = rt.C.TF_TensorData(t);
  return Array.from({ length: Number(rt.C.TF_TensorElementCount(t)) }, (_, i) => {
    const s = offset(data, i * TSTRING_BYTES);
    return bytesAt(rt.C.TF_StringGetDataPointer(s), Number(rt.C.TF_StringGetSize(s))).slice();
  });
}

/** A copy of a tensor's values. bfloat16 and float16 are widened to float32; complex64 is (real, imaginary) in turn. */
export function toValues(rt: Runtime, t: Pointer): Values {
  const dtype = rt.C.TF_TensorType(t);
  if (dtype === STRING) return readStrings(rt, t);
  const bytes = bytesAt(rt.C.TF_TensorData(t), Number(rt.C.TF_TensorByteSize(t)));
  if (dtype === BFLOAT16) return widenBfloat16(new Uint16Array(bytes.buffer));
  if (dtype === HALF) return widenHalf(new Uint16Array(bytes.buffer));
  const { buffer } = bytes.slice();
  switch (dtype) {
    case FLOAT:
    case COMPLEX64:
      return new Float32Array(buffer);
    case INT32:
      return new Int32Array(buffer);
    case INT64:
      return new BigInt64Array(buffer);
    case DOUBLE:
      return new Float64Array(buffer);
    case UINT16:
      return new Uint16Array(buffer);
    case BOOL:
    case UINT8:
    case RESOURCE:
      return new Uint8Array(buffer);
    default:
      throw new Error(`Unsupported tensor type: ${dtypeName(dtype)}`);
  }
}
