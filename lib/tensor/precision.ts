import { binding } from "./backend.ts";

/**
 * How a GPU multiplies float32 matrices and convolves: in float32, or in TF32, which keeps 10 bits of each factor's
 * mantissa, sums in float32 and is several times as fast. A CPU is not concerned, nor are the values of bfloat16 and float16.
 * XLA's choice of kernels is: without TF32 it marks every product as of the highest precision, whatever its type, and leaves
 * it to cuBLAS. With TF32 steps took it longer to compile on an H200 (results/bench/gpu.md).
 */
export type MatmulPrecision = "float32" | "tf32";

/** The precision now; float32 unless it was set. */
export const matmulPrecision = (): MatmulPrecision => binding.runtime.C.isTF32Enabled() ? "tf32" : "float32";

/**
 * Sets the precision of this process, for TensorFlow's own kernels (cuBLAS, cuDNN) and for XLA alike. (NVIDIA_TF32_OVERRIDE
 * does not reach the kernels that XLA writes.) What `jit` has compiled for the other precision is compiled anew.
 */
export function setMatmulPrecision(precision: MatmulPrecision): void {
  binding.runtime.C.enableTF32(precision === "tf32");
}
