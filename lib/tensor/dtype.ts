/** TF_DataType of the C API, as far as tensors of these types can come up. */
export const FLOAT = 1, DOUBLE = 2, INT32 = 3, UINT8 = 4, STRING = 7, COMPLEX64 = 8, INT64 = 9, BOOL = 10;
export const BFLOAT16 = 14, UINT16 = 17, HALF = 19, RESOURCE = 20, UINT64 = 23;

const NAMES: Record<number, string> = {
  [FLOAT]: "float32",
  [DOUBLE]: "float64",
  [INT32]: "int32",
  [UINT8]: "uint8",
  [STRING]: "string",
  [COMPLEX64]: "complex64",
  [INT64]: "int64",
  [BOOL]: "bool",
  [BFLOAT16]: "bfloat16",
  [UINT16]: "uint16",
  [HALF]: "float16",
  [RESOURCE]: "resource",
  [UINT64]: "uint64",
};

/** Floating types a tensor that TensorFlow.js calls "float32" may really have. */
export type DType = "float32" | "bfloat16" | "float16";
export const CODES: Readonly<Record<DType, number>> = {
  float32: FLOAT,
  bfloat16: BFLOAT16,
  float16: HALF,
};

export const dtypeName = (dtype: number): string => NAMES[dtype] ?? `type ${dtype}`;

/** True for bfloat16 and float16, which TensorFlow.js does not know. */
export const isReduced = (dtype: number): boolean => dtype === BFLOAT16 || dtype === HALF;

/** The type TensorFlow.js is told: bfloat16 and float16 go by the name float32. */
export const label = (dtype: number): number => isReduced(dtype) ? FLOAT : dtype;

/** `float32[2,3]`, as errors name tensors. */
export const describe = (t: { dtype: number; shape: readonly number[] }): string =>
  `${dtypeName(t.dtype)}[${t.shape}]`;

/** bfloat16 is the upper half of a float32. */
export function widenBfloat16(bits: Uint16Array): Float32Array<ArrayBuffer> {
  const out = new Uint32Array(bits.length);
  for (let i = 0; i < bits.length; i++) out[i] = bits[i] << 16;
  return new Float32Array(out.buffer);
}

/** IEEE half: Deno's Float16Array reads it. */
export const widenHalf = (bits: Uint16Array<ArrayBuffer>): Float32Array<ArrayBuffer> =>
  Float32Array.from(new Float16Array(bits.buffer, bits.byteOffset, bits.length));
