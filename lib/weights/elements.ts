import type { DType } from "../tensor/mod.ts";

/** Our element types under safetensors' names. */
export const STORED = { float32: "F32", bfloat16: "BF16", float16: "F16" } as const;

/** Bytes per element. */
export const BYTES = { float32: 4, bfloat16: 2, float16: 2 } as const;

/** The element type of a stored tensor; undefined where it is not a floating-point type of ours. */
export function dtypeOf(stored: string): DType | undefined {
  return (Object.keys(STORED) as DType[]).find((d) => STORED[d] === stored);
}

/** Raw little-endian elements as float32 values. Exact. */
export function toFloat32(bytes: Uint8Array<ArrayBuffer>, dtype: DType): Float32Array<ArrayBuffer> {
  const n = bytes.length / BYTES[dtype];
  if (dtype === "float32") return new Float32Array(bytes.buffer, bytes.byteOffset, n);
  if (dtype === "float16") return Float32Array.from(new Float16Array(bytes.buffer, bytes.byteOffset, n));
  const from = new Uint16Array(bytes.buffer, bytes.byteOffset, n), bits = new Int32Array(n);
  for (let i = 0; i < n; i++) bits[i] = from[i] << 16;
  return new Float32Array(bits.buffer);
}

/**
 * float32 values as raw elements, rounded to nearest, ties to even.
 * @throws RangeError if a finite value is too large for float16.
 */
export function fromFloat32(values: Float32Array<ArrayBuffer>, dtype: DType): Uint8Array<ArrayBuffer> {
  const n = values.length;
  if (dtype === "float32") return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  if (dtype === "float16") {
    const half = Float16Array.from(values);
    for (let i = 0; i < n; i++) {
      if (!Number.isFinite(half[i]) && Number.isFinite(values[i])) {
        throw new RangeError(`${values[i]} does not fit float16 (largest 65504); use bfloat16 or float32`);
      }
    }
    return new Uint8Array(half.buffer);
  }
  // Signed integers throughout: unsigned ones past 2^31 are several times slower in V8.
  const bits = new Int32Array(values.buffer, values.byteOffset, n), out = new Uint16Array(n);
  for (let i = 0; i < n; i++) {
    const x = bits[i];
    // A NaN must stay one: rounding could carry its mantissa away.
    out[i] = (x & 0x7fffffff) > 0x7f800000 ? (x >> 16) | 0x40 : ((x + (0x7fff + ((x >> 16) & 1))) | 0) >> 16;
  }
  return new Uint8Array(out.buffer);
}
