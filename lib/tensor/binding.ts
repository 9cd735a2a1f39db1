/** The interface that tfjs-node's backend calls (its C++ addon), over TensorFlow's C API, with a tracing mode. */
import { ATTR, type Attribute } from "./attributes.ts";
import { BOOL, COMPLEX64, FLOAT, INT32, INT64, isReduced, RESOURCE, STRING, UINT8 } from "./dtype.ts";
import { allocateEager, createEager, type EagerTensor, execute, readEager } from "./eager.ts";
import { callFunction, finish, finishPart, removeFunction, type TracedFunction } from "./function.ts";
import { realListTypes, unify } from "./mixed.ts";
import { opDef } from "./op_def.ts";
import { checkRange } from "./range.ts";
import type { Runtime } from "./runtime.ts";
import * as saved from "./saved_model.ts";
import type { Values } from "./tensors.ts";
import { type Entry, isTraced, type Metadata, TensorTable } from "./table.ts";
import * as tracing from "./trace.ts";

/** Ops whose result has the values of the first input: what is known of these holds for it. */
const RESHAPING = new Set(["Reshape", "ExpandDims", "Squeeze", "Identity"]);
const NOTHING_KNOWN = { range: undefined };

/** Far more than any op or traced function has. */
const MAX_OUTPUTS = 2 ** 20;

/** `TFJSBinding` of tfjs-node. */
export class Binding {
  readonly TF_FLOAT = FLOAT;
  readonly TF_INT32 = INT32;
  readonly TF_INT64 = INT64;
  readonly TF_BOOL = BOOL;
  readonly TF_COMPLEX64 = COMPLEX64;
  readonly TF_STRING = STRING;
  readonly TF_RESOURCE = RESOURCE;
  readonly TF_UINT8 = UINT8;
  readonly TF_ATTR_STRING = ATTR.string;
  readonly TF_ATTR_INT = ATTR.int;
  readonly TF_ATTR_FLOAT = ATTR.float;
  readonly TF_ATTR_BOOL = ATTR.bool;
  readonly TF_ATTR_TYPE = ATTR.type;
  readonly TF_ATTR_SHAPE = ATTR.shape;
  readonly TF_ATTR_RESOURCE = 10;
  readonly TF_Version: string;
  readonly TensorMetadata = class {};
  readonly TFEOpAttr = class {};

  /** Ops that got a float32 tensor beside a bfloat16 or float16 one, so that all became float32: how often. */
  readonly promotions = new Map<string, number>();
  #models = new Map<number, saved.SavedModel>();
  #modelId = 0;
  #trace: tracing.Trace | null = null;
  #functions = 0;

  readonly tensors: TensorTable;

  constructor(readonly runtime: Runtime) {
    this.tensors = new TensorTable(runtime);
    this.TF_Version = runtime.version;
  }

  isUsingGpuDevice(): boolean {
    return this.runtime.gpu !== null;
  }
  getNumOfTensors(): number {
    return this.tensors.size;
  }
  getNumOfSavedModels(): number {
    return this.#models.size;
  }

  // Tensors

  /** The real type of a tensor and its shape. */
  infoOf(id: number): { readonly dtype: number; readonly shape: readonly number[] } {
    return this.tensors.get(id, "Type asked");
  }

  createTensor(shape: number[], dtype: number, values: unknown): number {
    if (!this.#trace) return this.createEager(shape, dtype, values);
    return this.tensors.addNode(tracing.addValues(this.runtime, this.#trace, shape, dtype, values)).id;
  }
  /** Uploads, also during a trace. */
  createEager(shape: readonly number[], dtype: number, values: unknown): number {
    return this.tensors.addEager(createEager(this.runtime, shape, dtype, values)).id;
  }
  /** A tensor whose memory fill writes, in pieces of at most 1 GiB. */
  allocate(
    shape: readonly number[],
    dtype: number,
    fill: (piece: Uint8Array<ArrayBuffer>) => void,
  ): Metadata {
    return this.tensors.addEager(allocateEager(this.runtime, shape, dtype, fill));
  }
  deleteTensor(id: number): void {
    this.tensors.delete(id);
  }
  /** A copy: a typed array, or for strings an array of bytes. */
  tensorDataSync(id: number): Values {
    return readEager(this.runtime, this.tensors.getEager(id, "Get data called"));
  }

  // Ops

  executeOp(name: string, attributes: Attribute[], inputs: number[], outputs: number): Metadata[] {
    if (typeof name !== "string" || !Array.isArray(attributes) || !Array.isArray(inputs)) {
      throw new Error(`executeOp: expected a name, attributes and input ids, found ${Deno.inspect(name)}`);
    }
    if (!Number.isInteger(outputs) || outputs < 0 || outputs > MAX_OUTPUTS) {
      throw new Error(`executeOp: expected a number of outputs of ${name}, found ${outputs}`);
    }
    let entries = inputs.map((id) => this.tensors.get(id, "Input")), temporary: number[] = [];
    if (name !== "Cast" && entries.some((e) => isReduced(e.dtype))) {
      ({ entries, temporary } = this.#unified(name, inputs, entries));
      if (!this.#trace) attributes = realListTypes(opDef(this.runtime, name).inputs, attributes, entries);
    }
    try {
      if (!this.#trace) {
        const { range } = RESHAPING.has(name) ? entries[0] as EagerTensor : NOTHING_KNOWN;
        return execute(this.runtime, name, attributes, entries as EagerTensor[], outputs).map((t) =>
          this.tensors.addEager(range ? { ...t, range } : t)
        );
      }
      const nodes = entries.map((e, i) => this.#nodeOf(e, inputs[i]));
      const same = RESHAPING.has(name)
        ? { range: nodes[0].range, origin: nodes[0].origin ?? nodes[0] }
        : undefined;
      return tracing.addNode(this.runtime, this.#trace, name, attributes, nodes).map((n) =>
        this.tensors.addNode({ ...n, ...same })
      );
    } finally {
      temporary.forEach((id) => this.deleteTensor(id));
    }
  }
  /**
   * Says that the values of a tensor are indices of an op, which must lie in 0..size - 1. Inside of a trace those of
   * arguments are looked at in each call. Indices that compiled code computes itself are not seen.
   * @throws if one is known to lie outside
   */
  within(op: string, id: number, size: number): void {
    const e = this.tensors.get(id, "Input");
    if (!this.#trace) {
      if (!isTraced(e)) checkRange(op, e.range, size);
      return;
    }
    const node = this.#nodeOf(e, id);
    if (node.range) checkRange(op, node.range, size);
    else this.#trace.indices.push({ op, node, size });
  }
  /** What stands for a tensor in the present trace. */
  #nodeOf(e: Entry, id: number): tracing.Node {
    const trace = this.#trace!;
    return isTraced(e) && e.node.graph === trace.graph ? e.node : tracing.capture(this.runtime, trace, e, id);
  }
  #unified(name: string, inputs: number[], entries: Entry[]): { entries: Entry[]; temporary: number[] } {
    const casts = unify(opDef(this.runtime, name).inputs, entries), temporary: number[] = [];
    if (!casts) return { entries, temporary };
    if (entries.some((e, i) => casts[i] === FLOAT && e.shape.length > 0)) {
      this.promotions.set(name, (this.promotions.get(name) ?? 0) + 1);
    }
    const cast = entries.map((e, i) => {
      if (casts[i] === null) return e;
      const [{ id }] = this.executeOp("Cast", [{ name: "DstT", type: ATTR.type, value: casts[i] }], [
        inputs[i],
      ], 1);
      temporary.push(id);
      return this.tensors.get(id, "Input");
    });
    return { entries: cast, temporary };
  }

  // SavedModels

  loadSavedModel(dir: string, tags: string): number {
    this.#models.set(this.#modelId, saved.loadSavedModel(this.runtime, dir, tags));
    return this.#modelId++;
  }
  deleteSavedModel(id: number): void {
    const model = this.#models.get(id);
    if (!model) throw new Error(`Delete called on a SavedModel not found (savedmodel_id: ${id})`);
    saved.deleteSavedModel(this.runtime, model);
    this.#models.delete(id);
  }
  runSavedModel(id: number, inputs: number[], inputNames: string, outputNames: string): Metadata[] {
    const model = this.#models.get(id);
    if (!model) throw new Error(`SavedModel ID not found (savedmodel_id: ${id})`);
    const values = inputs.map((i) => this.tensors.getEager(i, "Input"));
    return saved.runSavedModel(this.runtime, model, values, inputNames, outputNames).map((t) =>
      this.tensors.addEager(t)
    );
  }

  // Tracing: between begin() and end() ops become nodes of a graph instead of running

  get trace(): tracing.Trace | null {
    return this.#trace;
  }
  begin(name: string, xla: boolean): void {
    if (this.#trace) throw new Error("A trace is under way already.");
    this.#trace = tracing.newTrace(this.runtime, `${name}_${this.#functions++}`, xla);
  }
  argument(like: { shape: readonly number[]; dtype: number }): Metadata {
    return this.tensors.addNode(tracing.addArgument(this.runtime, this.#trace!, like));
  }
  end(results: number[]): TracedFunction {
    const nodes = results.map((id) => this.#node(id)), trace = this.#trace!;
    this.#trace = null;
    return finish(this.runtime, trace, nodes);
  }
  #node(id: number): tracing.Node {
    return this.#nodeOf(this.tensors.get(id, "Input"), id);
  }
  /**
   * Adds a loop to the trace. Its condition and its body are traced as functions of its state and of what they use from
   * outside, which the loop hands on unchanged.
   * @returns the state at the end
   */
  loop(
    state: readonly number[],
    condition: (state: Metadata[]) => number[],
    body: (state: Metadata[]) => number[],
  ): Metadata[] {
    const { runtime: rt } = this, outer = this.#trace!;
    const parts: { trace: tracing.Trace; results: tracing.Node[] }[] = [];
    try {
      for (const f of [condition, body]) {
        const name = `${outer.name}_part_${this.#functions++}`;
        const trace = this.#trace = tracing.newTrace(rt, name, outer.xla, outer);
        const part = { trace, results: [] as tracing.Node[] };
        parts.push(part);
        part.results = f(state.map((id) => this.argument(this.infoOf(id)))).map((id) => this.#node(id));
      }
      this.#trace = outer;
      const outside = [...new Set(parts.flatMap(({ trace }) => [...trace.captureOf.keys()]))];
      parts.forEach(({ trace, results }, i) => {
        const given = outside.map((id) => tracing.capture(rt, trace, this.tensors.get(id, "Input"), id));
        finishPart(rt, trace, given, i === 0 ? results : [...results, ...given]);
      });
      const inputs = [...state, ...outside].map((id) => this.#node(id)), [goesOn, next] = parts;
      return tracing.addNode(rt, outer, "StatelessWhile", [
        { name: "cond", type: ATTR.func, value: goesOn.trace.name },
        { name: "body", type: ATTR.func, value: next.trace.name },
        { name: "output_shapes", type: ATTR.shape, value: inputs.map(({ shape }) => shape) },
      ], inputs).slice(0, state.length).map((node) => this.tensors.addNode(node));
    } finally {
      this.#trace = outer;
      for (const { trace } of parts) tracing.abandon(rt, trace);
    }
  }
  /** Drops the trace, if there still is one, and every tensor of traces: what they stood for is gone. */
  abort(): void {
    if (this.#trace) tracing.abandon(this.runtime, this.#trace);
    this.#trace = null;
    this.tensors.clearTraced();
  }
  /** Nodes made by f wait for this one. */
  after<T>(id: number, f: () => T): T {
    const trace = this.#trace!, before = trace.control;
    trace.control = this.#node(id).operation;
    try {
      return f();
    } finally {
      trace.control = before;
    }
  }
  call(f: TracedFunction, inputs: number[]): Metadata[] {
    const values = inputs.map((id) => this.tensors.getEager(id, "Input"));
    return callFunction(this.runtime, f, values, (id) => this.tensors.find(id)).map((t) =>
      this.tensors.addEager(t)
    );
  }
  /** Frees a traced function. */
  remove(f: TracedFunction): void {
    removeFunction(this.runtime, f);
  }
}
