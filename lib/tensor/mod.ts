/**
 * The engine: TensorFlow 2.21 under TensorFlow.js, by Deno FFI on the libraries in TensorFlow's Python wheel.
 * TensorFlow.js has the ops, the kernels and the gradients (its package tfjs-node-gpu); TensorFlow computes, eagerly
 * or, by {@linkcode jit}, as one function of its graph executor or of XLA.
 *
 * What to know of gradients in TensorFlow.js: there is none for einsum, gatherND, stridedSlice, topk and scatterND; that
 * of cumsum along another axis than the last has a wrong shape; tf.grads inside of tf.customGrad fails. Those of step
 * and batchNorm make a bfloat16 tensor float32 ({@linkcode promotions} counts).
 */
import "./kernels.ts";

export { tf } from "./backend.ts";
export { type EventWriter, eventWriter } from "./events.ts";
export { allocTensor, asType, realType, upload } from "./cast.ts";
export {
  allReduceSum,
  broadcast,
  joinGroup,
  leaveGroup,
  type Message,
  ownItems,
  shareItems,
} from "./collective.ts";
export type { Group } from "./peers.ts";
export type { DType } from "./dtype.ts";
export { isTracing, jit, type JitOptions, type Jitted, type TraceInfo } from "./jit.ts";
export { whileLoop } from "./loop.ts";
export { devices, gpuDriver, tensorflowVersion } from "./memory.ts";
export { type MatmulPrecision, matmulPrecision, setMatmulPrecision } from "./precision.ts";
export { barrier, checkIndices, sparseCrossEntropy, updateSlice } from "./ops.ts";
export { randomUniform, type Seed } from "./random.ts";
export {
  copyOf,
  dispose,
  gather,
  mapTensors,
  matMul,
  oneHot,
  type Tensors,
  tidy,
  valueAndGradients,
  vjp,
} from "./typed.ts";
