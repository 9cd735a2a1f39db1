/** Kernels of tfjs-node that need another version for TensorFlow 2.21, for tracing, or for reduced types. */
import type { KernelFunc, NamedTensorMap, Tensor, TensorInfo } from "@tensorflow/tfjs";
import { ATTR } from "./attributes.ts";
import { backend, binding, idOf, tf } from "./backend.ts";
import { isReduced } from "./dtype.ts";

type Args = Parameters<KernelFunc>[0];
type Result = ReturnType<KernelFunc>;

function replace(kernelName: string, make: (args: Args, original: KernelFunc) => Result): void {
  const { kernelFunc: original } = tf.getKernel(kernelName, "tensorflow");
  tf.unregisterKernel(kernelName, "tensorflow");
  tf.registerKernel({
    kernelName,
    backendName: "tensorflow",
    kernelFunc: (args) => make(args, original),
  });
}

// The package's version reads the indices to check their bounds: a traced one cannot, and on a GPU it would wait for
// all that was begun.
replace("GatherV2", ({ inputs, attrs }) => {
  const { x, indices } = inputs as NamedTensorMap,
    { axis, batchDims } = attrs as { axis: number; batchDims: number };
  tf.backend_util.segment_util.collectGatherOpShapeInfo(x, indices, axis, batchDims);
  binding.within("GatherV2", idOf(indices), x.shape[axis]);
  const axisTensor = tf.scalar(axis, "int32");
  try {
    return backend().executeSingleOutput("GatherV2", [
      { name: "batch_dims", type: ATTR.int, value: batchDims },
    ], [x, indices, axisTensor]);
  } finally {
    axisTensor.dispose();
  }
});

// TensorFlow 2.17 to at least 2.21: the op Round gives 0 for integers (tensorflow/tensorflow#74789).
replace("Round", (args, original) => {
  const { x } = args.inputs as NamedTensorMap;
  return x.dtype === "int32" ? tf.clone(x) : original(args);
});

// ConcatV2 does not take scalars any more; tfjs-node's histograms for TensorBoard do.
replace("Concat", (args, original) => {
  const xs = Object.values(args.inputs) as Tensor[];
  if (xs.some((x) => x.shape.length > 0)) return original(args);
  const inputs = xs.map((x) => tf.reshape(x, [1]));
  try {
    return original({ ...args, inputs: inputs as unknown as Args["inputs"] });
  } finally {
    tf.dispose(inputs);
  }
});

// Gradients of TensorFlow.js cast to float32 freely (Multiply, RealDiv, Mean). A bfloat16 or float16 tensor, which
// TensorFlow.js calls float32, must stay what it is: asType is the cast between these.
replace("Cast", (args, original) => {
  const { x } = args.inputs as NamedTensorMap, { dtype } = args.attrs as { dtype: string };
  return dtype === "float32" && x.dtype === "float32" ? tf.clone(x) : original(args);
});

const realType = (x: TensorInfo) => binding.infoOf(idOf(x)).dtype;

/** x in the type that like has. */
function inTypeOf(x: Tensor, like: TensorInfo): Tensor {
  const from = realType(x), to = realType(like);
  return from === to || !isReduced(to) ? x : tf.engine().runKernel("AsType", { x }, { from, to });
}

// These gradients multiply by ones or steps that are float32 and of full shape, which makes the gradient of a
// bfloat16 tensor float32. Output and input being of one type, a gradient takes the type of dy.
const TYPE_KEEPING = [
  "Abs",
  "Relu",
  "Relu6",
  "Sum",
  "Mean",
  "Max",
  "Min",
  "Maximum",
  "Minimum",
  "SplitV",
  "Unpack",
];
for (const kernelName of TYPE_KEEPING) {
  const config = tf.getGradient(kernelName), { gradFunc } = config;
  tf.unregisterGradient(kernelName);
  tf.registerGradient({
    ...config,
    gradFunc: (dy, saved, attrs) => {
      const like = Array.isArray(dy) ? dy[0] : dy, gradients = gradFunc(dy, saved, attrs);
      return Object.fromEntries(Object.entries(gradients).map(([k, f]) => [k, () => inTypeOf(f(), like)]));
    },
  });
}

// TensorFlow.js gives a matrix that was broadcast over the batch a gradient of the broadcast shape, and then refuses it.
{
  const config = tf.getGradient("BatchMatMul"), { gradFunc } = config;
  const summedTo = (g: Tensor, shape: number[]): Tensor => {
    const axes = tf.backend_util.getReductionAxes(shape, g.shape);
    return axes.length > 0 ? tf.reshape(tf.sum(g, axes), shape) : g;
  };
  tf.unregisterGradient("BatchMatMul");
  tf.registerGradient({
    ...config,
    gradFunc: (dy, saved, attrs) => {
      const gradients = gradFunc(dy, saved, attrs), [a, b] = saved;
      return { a: () => summedTo(gradients.a(), a.shape), b: () => summedTo(gradients.b(), b.shape) };
    },
  });
}
