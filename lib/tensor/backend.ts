// deno-lint-ignore-file no-explicit-any
import { createRequire } from "node:module";
import type * as tfjs from "@tensorflow/tfjs";
import { Binding } from "./binding.ts";
const require = createRequire(import.meta.url);
require("node:util").isNullOrUndefined ??= (x: unknown) => x == null;
export const tf: typeof tfjs = require("@tensorflow/tfjs");
export const { NodeJSKernelBackend } = require("@tensorflow/tfjs-node-gpu/dist/nodejs_kernel_backend.js");
function libraryDir(): string {
  const own = Deno.env.get("TF_DIR");
  if (own) return own;
  const root = new URL("../../.venv/lib/", import.meta.url).pathname;
  for (const e of Deno.readDirSync(root)) {
    const d = `${root}${e.name}/site-packages/tensorflow`;
    try {
      Deno.statSync(`${d}/libtensorflow_cc.so.2`);
      return d;
    } catch { /* next */ }
  }
  throw new Error(`TensorFlow is not in ${root}: run ./lab setup.`);
}
export const b = new Binding(libraryDir(), new Uint8Array([0x32, 2, 0x20, 1]));
tf.registerBackend("tensorflow", () => new NodeJSKernelBackend(b as any, "@tensorflow/tfjs-node-gpu"), 3);
require("@tensorflow/tfjs-node-gpu/dist/register_all_kernels.js");
export const be = () => tf.backend() as any;
const type = (name: string, dtype: string) => ({
  name,
  type: b.TF_ATTR_TYPE,
  value: be().getDTypeInteger(dtype),
});
function replace(kernelName: string, f: (args: any, original: (args: any) => any) => any) {
  const { kernelFunc: original } = tf.getKernel(kernelName, "tensorflow") as any;
  tf.unregisterKernel(kernelName, "tensorflow");
  tf.registerKernel({ kernelName, backendName: "tensorflow", kernelFunc: (args: any) => f(args, original) });
}
replace("GatherV2", (args) => {
  const { inputs: { x, indices }, backend, attrs } = args, axis = tf.scalar(attrs.axis, "int32");
  tf.backend_util.segment_util.collectGatherOpShapeInfo(x, indices, attrs.axis, attrs.batchDims);
  const r = backend.executeSingleOutput("GatherV2", [
    { name: "batch_dims", type: b.TF_ATTR_INT, value: attrs.batchDims },
    type("Tparams", x.dtype),
    type("Tindices", indices.dtype),
    type("Taxis", "int32"),
  ], [x, indices, axis]);
  axis.dispose();
  return r;
});
replace(
  "Round",
  (args, original) => args.inputs.x.dtype === "int32" ? tf.clone(args.inputs.x) : original(args),
);
replace("Concat", (args, original) => {
  const xs: any[] = Object.values(args.inputs);
  if (xs.some((x) => x.shape.length > 0)) return original(args);
  return tf.tidy(() => original({ ...args, inputs: xs.map((x) => tf.reshape(x, [1])) }));
});
replace(
  "Cast",
  (args, original) =>
    args.attrs.dtype === "float32" && args.inputs.x.dtype === "float32"
      ? tf.clone(args.inputs.x)
      : original(args),
);
await tf.setBackend("tensorflow");
