/** TensorFlow.js, with tfjs-node's backend over our binding. The one place where both are loaded. */
import { createRequire } from "node:module";
import type * as tfjs from "@tensorflow/tfjs";
import { computing } from "../config/mod.ts";
import { ATTR, type Attribute } from "./attributes.ts";
import { Binding } from "./binding.ts";
import { FLOAT, INT64, isReduced, UINT8 } from "./dtype.ts";
import { elements } from "./shape.ts";
import { openRuntime } from "./runtime.ts";
import type { Metadata } from "./table.ts";
import type { Trace } from "./trace.ts";

type Tensor = tfjs.Tensor;
type TensorInfo = tfjs.TensorInfo;

/** What the backend keeps of a tensor's data. */
interface Data {
  readonly shape: number[];
  readonly dtype: number;
  /** In the binding; -1 as long as there are only values. */
  id: number;
  /** Not uploaded yet: TensorFlow.js uploads when a tensor is first used. */
  values: unknown;
  /** Tensors of TensorFlow.js that share it. */
  readonly refCount: number;
  /** The trace in which the values were made. */
  trace?: Trace;
  /** bfloat16 or float16. */
  reduced?: boolean;
}

interface ModelInput {
  readonly tfDtype?: string;
}

/** Methods of NodeJSKernelBackend, of which its declaration hides some. */
export interface Backend {
  readonly binding: Binding;
  readonly tensorMap: { get(dataId: object): Data; has(dataId: object): boolean };
  createOutputTensor(m: Metadata): Tensor;
  getInputTensorIds(tensors: readonly TensorInfo[]): number[];
  getDTypeInteger(dtype: string): number;
  executeSingleOutput(op: string, attributes: Attribute[], inputs: TensorInfo[]): Tensor;
  executeMultipleOutputs(
    op: string,
    attributes: Attribute[],
    inputs: TensorInfo[],
    outputs: number,
  ): Tensor[];
  incRef(dataId: object): void;
  disposeData(dataId: object, force?: boolean): boolean;
  getMappedInputTensorIds(
    inputs: readonly TensorInfo[],
    infos: readonly (ModelInput | null)[],
  ): { tensorIds: number[]; newTensors: number[] };
  summaryWriter(folder: string): Tensor;
  createSummaryFileWriter(
    writer: Tensor,
    folder: string,
    maxQueue: number,
    flushMilliseconds: number,
    suffix: string,
  ): void;
  writeScalarSummary(writer: Tensor, step: number, tag: string, value: number): void;
  move(dataId: object, values: unknown, shape: number[], dtype: string, refCount: number): void;
}

const require = createRequire(import.meta.url);
// tfjs-node calls util.isNullOrUndefined, which node:util has no longer.
require("node:util").isNullOrUndefined ??= (x: unknown) => x == null;

/** TensorFlow.js, with the backend "tensorflow" set. */
export const tf: typeof tfjs = require("@tensorflow/tfjs");

/** tfjs-node's backend class, for `instanceof`. */
export const NodeJSKernelBackend: new (binding: Binding, packageName: string) => Backend =
  require("@tensorflow/tfjs-node-gpu/dist/nodejs_kernel_backend.js").NodeJSKernelBackend;

export const binding = new Binding(openRuntime());
computing.device = binding.runtime.driver?.gpus[0].name ?? "CPU";
computing.versions.tensorflow = binding.TF_Version;
{
  // TensorFlow keeps what it has taken of a GPU until the process ends: what is held now is the peak.
  const { driver, devices, gpu } = binding.runtime;
  if (driver) {
    computing.versions.driver = `${driver.version} (CUDA ${driver.cuda})`;
    const limitBytes = devices.find(({ name }) => name === gpu)!.memoryBytes;
    computing.memory = () => {
      const peakBytes = driver.usedBytes();
      return peakBytes === null ? null : { peakBytes, limitBytes };
    };
  }
}

/**
 * tfjs-node's backend, but for three things: values made inside of a trace are not uploaded as usual; bytes of reduced
 * types are counted; the inputs of SavedModels are cast by TensorFlow, not read and written again.
 */
class TracingBackend extends NodeJSKernelBackend {
  /** Elements of all tensors of bfloat16 and float16, which TensorFlow.js counts as 4 bytes each. */
  reducedElements = 0;
  #constants: { trace: Trace | null; ids: WeakMap<Data, number> } = { trace: null, ids: new WeakMap() };

  #count(data: Data, tensors: number): void {
    if (data.reduced) this.reducedElements += tensors * elements(data.shape);
  }
  override createOutputTensor(m: Metadata): Tensor {
    const t = super.createOutputTensor(m);
    if (m.dtype === FLOAT && isReduced(this.binding.infoOf(m.id).dtype)) {
      const data = this.tensorMap.get(t.dataId);
      data.reduced = true;
      this.#count(data, 1);
    }
    return t;
  }
  override incRef(dataId: object): void {
    super.incRef(dataId);
    this.#count(this.tensorMap.get(dataId), 1);
  }
  override disposeData(dataId: object, force = false): boolean {
    if (this.tensorMap.has(dataId)) {
      const data = this.tensorMap.get(dataId);
      this.#count(data, force ? -data.refCount : -1);
    }
    return super.disposeData(dataId, force);
  }

  override getMappedInputTensorIds(inputs: readonly TensorInfo[], infos: readonly (ModelInput | null)[]) {
    const tensorIds = this.getInputTensorIds(inputs), newTensors: number[] = [];
    infos.forEach((info, i) => {
      const to = info?.tfDtype === "DT_UINT8" ? UINT8 : info?.tfDtype === "DT_INT64" ? INT64 : null;
      if (to === null) return;
      tensorIds[i] = this.binding.executeOp("Cast", [typeAttribute("DstT", to)], [tensorIds[i]], 1)[0].id;
      newTensors.push(i);
    });
    return { tensorIds, newTensors };
  }

  override move(dataId: object, values: unknown, shape: number[], dtype: string, refCount: number): void {
    super.move(dataId, values, shape, dtype, refCount);
    if (this.binding.trace) this.tensorMap.get(dataId).trace = this.binding.trace;
  }

  override getInputTensorIds(tensors: readonly TensorInfo[]): number[] {
    const { trace } = this.binding;
    return trace ? tensors.map((t) => this.#tracedId(trace, t)) : super.getInputTensorIds(tensors);
  }

  #tracedId(trace: Trace, t: TensorInfo): number {
    if (!t.dataId) return super.getInputTensorIds([t])[0]; // an Int64Scalar
    const data = this.tensorMap.get(t.dataId);
    let own: Trace | null = trace;
    while (own !== null && own !== data.trace) own = own.parent;
    if (data.values != null && own === null) {
      // Made before: uploaded and captured, so that a weight is not a constant and a disposed tensor is noticed.
      data.id = this.binding.createEager(data.shape, data.dtype, data.values);
      data.values = null;
    }
    if (data.values == null) {
      if (t instanceof tf.Variable) trace.variables.set(data.id, () => super.getInputTensorIds([t])[0]);
      return data.id;
    }
    // Made inside: the values stay, since a tensor that is kept outlives the trace.
    if (this.#constants.trace !== trace) this.#constants = { trace, ids: new WeakMap() };
    let id = this.#constants.ids.get(data);
    if (id === undefined) {
      id = this.binding.createTensor(data.shape, data.dtype, data.values);
      this.#constants.ids.set(data, id);
    }
    return id;
  }
}

const { assign } = tf.Variable.prototype;
tf.Variable.prototype.assign = function (value) {
  if (binding.trace) {
    throw new Error(
      `The variable ${this.name} cannot be assigned inside of jit: return its new value from the function and assign ` +
        "it outside. (The optimizers of tf.train assign variables.)",
    );
  }
  return assign.call(this, value);
};

// A factory, since tf.engine().reset() makes the backend anew.
tf.registerBackend("tensorflow", () => {
  const made: unknown = new TracingBackend(binding, "@tensorflow/tfjs-node-gpu");
  return made as tfjs.KernelBackend;
}, 3);
require("@tensorflow/tfjs-node-gpu/dist/register_all_kernels.js");
await tf.setBackend("tensorflow");

export const backend = (): TracingBackend => tf.backend() as unknown as TracingBackend;

/** The id of a tensor in the binding; uploads it if need be. */
export const idOf = (x: TensorInfo): number => backend().getInputTensorIds([x])[0];

export const typeAttribute = (name: string, value: number): Attribute => ({ name, type: ATTR.type, value });

/** Runs an op of TensorFlow that TensorFlow.js has no kernel for. It is not differentiated. */
export const runOp = (op: string, attributes: Attribute[], inputs: Tensor[]): Tensor =>
  backend().executeSingleOutput(op, attributes, inputs);
