/** bfloat16 and float16 behind the name float32. */
import type { Tensor } from "@tensorflow/tfjs";
import { backend, binding, idOf, runOp, tf, typeAttribute } from "./backend.ts";
import { CODES, type DType, dtypeName, INT32 } from "./dtype.ts";
import { bitsOnGpu } from "./eager.ts";

const realCode = (x: Tensor): number => binding.infoOf(idOf(x)).dtype;

/**
 * The floating type a tensor really has; its `dtype` says "float32" for all three.
 * @throws if it is not a floating tensor
 */
export function realType(x: Tensor): DType {
  const name = dtypeName(realCode(x));
  if (!(name in CODES)) throw new Error(`realType: expected a floating tensor, found ${name}[${x.shape}].`);
  return name as DType;
}

tf.registerKernel({
  kernelName: "AsType",
  backendName: "tensorflow",
  kernelFunc: ({ inputs, attrs }) =>
    runOp("Cast", [typeAttribute("DstT", attrs!.to as number)], [inputs.x as Tensor]),
});
tf.registerGradient({
  kernelName: "AsType",
  gradFunc: (dy, _saved, attrs) => ({
    x: () =>
      tf.engine().runKernel("AsType", { x: dy as Tensor }, { from: attrs!.to, to: attrs!.from }) as Tensor,
  }),
});

/**
 * x in another floating type; always a new tensor. Its gradient comes back in the type of x.
 * (`tf.cast(x, "float32")` leaves a bfloat16 tensor as it is: TensorFlow.js calls it where it means "a float".)
 */
export function asType<T extends Tensor>(x: T, dtype: DType): T {
  const from = realCode(x), to = CODES[dtype];
  return from === to ? tf.clone(x) : tf.engine().runKernel("AsType", { x }, { from, to }) as T;
}

/**
 * A floating tensor whose memory is filled in place, for weights read from a file.
 * @param fill gets the memory in order, in pieces of at most 1 GiB; it must fill each completely before it returns
 */
export const allocTensor = (
  shape: readonly number[],
  dtype: DType,
  fill: (piece: Uint8Array<ArrayBuffer>) => void,
): Tensor => backend().createOutputTensor(binding.allocate(shape, CODES[dtype], fill));

/**
 * Uploads tensors that so far are only values of JavaScript, since TensorFlow.js waits until their first use; to a GPU with
 * the bits of int32 ones. Those of a trace are passed over.
 */
export function upload(tensors: readonly Tensor[]): void {
  const { runtime: rt, tensors: table } = binding;
  for (const id of backend().getInputTensorIds(tensors)) {
    const t = table.find(id);
    if (rt.gpu && t?.dtype === INT32) bitsOnGpu(rt, t);
  }
}

/** How often an op got a float32 tensor beside a reduced one, and so went on in float32, by op. */
export const promotions = (): ReadonlyMap<string, number> => binding.promotions;
