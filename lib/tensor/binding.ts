// TFJSBinding of @tensorflow/tfjs-node (dist/tfjs_binding.d.ts) over the TensorFlow C API:
// what binding/tfjs_backend.cc of that package does, plus a tracing mode that turns
// the calls into one TensorFlow function.
import { openTF } from "./c_api.ts";

type Ptr = Deno.PointerObject | null;
interface Attr {
  name: string;
  type: number;
  value: unknown;
}
interface Meta {
  id: number;
  shape: number[];
  dtype: number;
}
interface Node {
  op: Ptr;
  index: number;
  dtype: number;
  shape: number[];
}
type Entry = { h: Ptr } | { n: Node; trace: Trace };
interface Trace {
  graph: Ptr;
  inputs: Node[];
  captures: { h: Ptr; node: Node }[];
  captureOf: Map<number, Node>;
  n: number;
  control: Ptr;
}
export interface Fn {
  name: string;
  captures: Ptr[];
  nOut: number;
  nodes: number;
}

// TF_DataType
const FLOAT = 1,
  DOUBLE = 2,
  INT32 = 3,
  UINT8 = 4,
  STRING = 7,
  COMPLEX64 = 8,
  INT64 = 9,
  BOOL = 10,
  BFLOAT16 = 14,
  UINT16 = 17,
  HALF = 19,
  RESOURCE = 20;
// TF_AttrType
const A_STRING = 0, A_INT = 1, A_FLOAT = 2, A_BOOL = 3, A_TYPE = 4, A_SHAPE = 5, A_TENSOR = 6;
const TSTRING = 24; // sizeof(TF_TString); up to 22 bytes lie inside it

const enc = new TextEncoder();
const names = new Map<string, Uint8Array<ArrayBuffer>>();
/** NUL-terminated; cached, since op and attribute names recur. */
const z = (s: string) => {
  let b = names.get(s);
  if (!b) names.set(s, b = enc.encode(s + "\0"));
  return b;
};
const str = (p: Ptr) => p ? Deno.UnsafePointerView.getCString(p) : "";
const at = (p: Ptr, offset: number) =>
  Deno.UnsafePointer.create(BigInt(Deno.UnsafePointer.value(p)) + BigInt(offset));
const addr = (p: Ptr) => BigInt(Deno.UnsafePointer.value(p));
const bytesAt = (p: Ptr, n: number) =>
  n ? new Uint8Array(Deno.UnsafePointerView.getArrayBuffer(p!, n)) : new Uint8Array(0);
/** What tfjs is told: it has no bfloat16. */
const label = (dtype: number) => dtype === BFLOAT16 ? FLOAT : dtype;
const size = (shape: number[]) => shape.reduce((a, b) => a * b, 1);
const i64 = (v: number[]) => BigInt64Array.from(v, (x) => BigInt(x));

/** What the addon checks of the array given for a dtype: constructor and elements per value. */
const ARRAY: Record<number, [new (n: number) => ArrayBufferView & { length: number }, number][]> = {
  [FLOAT]: [[Float32Array, 1]],
  [INT32]: [[Int32Array, 1]],
  [BOOL]: [[Uint8Array, 1]],
  [UINT8]: [[Uint8Array, 1]],
  [INT64]: [[Int32Array, 2], [BigInt64Array, 1]], // tfjs writes int64 as (low, high) pairs
  [COMPLEX64]: [[Float32Array, 2]],
  [BFLOAT16]: [[Uint16Array, 1]],
  [HALF]: [[Uint16Array, 1]],
  [DOUBLE]: [[Float64Array, 1]],
};

export class Binding {
  readonly TF_FLOAT = FLOAT;
  readonly TF_INT32 = INT32;
  readonly TF_INT64 = INT64;
  readonly TF_BOOL = BOOL;
  readonly TF_COMPLEX64 = COMPLEX64;
  readonly TF_STRING = STRING;
  readonly TF_RESOURCE = RESOURCE;
  readonly TF_UINT8 = UINT8;
  readonly TF_ATTR_STRING = A_STRING;
  readonly TF_ATTR_INT = A_INT;
  readonly TF_ATTR_FLOAT = A_FLOAT;
  readonly TF_ATTR_BOOL = A_BOOL;
  readonly TF_ATTR_TYPE = A_TYPE;
  readonly TF_ATTR_SHAPE = A_SHAPE;
  readonly TF_ATTR_RESOURCE = 10;
  readonly TF_Version: string;
  readonly TensorMetadata = class {};
  readonly TFEOpAttr = class {};
  readonly devices: string[] = [];
  ops = 0; // executeOp calls, for counting
  private readonly C;
  private readonly st: Ptr;
  private readonly ctx: Ptr;
  private gpu = ""; // name of the device tensors are put on
  readonly t = new Map<number, Entry>();
  private next = 0;
  private readonly models = new Map<number, { session: Ptr; graph: Ptr }>();
  private nextModel = 0;
  private trace: Trace | null = null;
  get tracing() {
    return this.trace !== null;
  }
  private fnCount = 0;

  constructor(dir: string, config?: Uint8Array<ArrayBuffer>) {
    const C = this.C = openTF(dir);
    const st = this.st = C.TF_NewStatus();
    this.TF_Version = str(C.TF_Version());
    const o = C.TFE_NewContextOptions();
    if (config) {
      C.TFE_ContextOptionsSetConfig(o, config, BigInt(config.length), st);
      this.ok();
    }
    this.ctx = C.TFE_NewContext(o, st);
    this.ok();
    C.TFE_DeleteContextOptions(o);
    const list = C.TFE_ContextListDevices(this.ctx, st);
    this.ok();
    for (let i = 0; i < C.TF_DeviceListCount(list); i++) {
      const name = str(C.TF_DeviceListName(list, i, st));
      this.devices.push(name);
      if (str(C.TF_DeviceListType(list, i, st)) === "GPU") this.gpu = name;
    }
    C.TF_DeleteDeviceList(list);
  }
  isUsingGpuDevice() {
    return this.gpu !== "";
  }
  getNumOfTensors() {
    return this.t.size;
  }
  getNumOfSavedModels() {
    return this.models.size;
  }

  /** Throws if the last call failed. The first two lines are the addon's. */
  private ok(what = "") {
    const code = this.C.TF_GetCode(this.st);
    if (code !== 0) {
      throw new Error(
        `Invalid TF_Status: ${code}\nMessage: ${str(this.C.TF_Message(this.st))}${what && `\nin ${what}`}`,
      );
    }
  }
  private add(e: Entry) {
    const id = this.next++;
    this.t.set(id, e);
    return id;
  }
  private handle(id: number, what: string): Ptr {
    const e = this.t.get(id);
    if (!e) throw new Error(`${what} on a Tensor not referenced (tensor_id: ${id})`);
    if (!("h" in e)) {
      throw new Error(`${what} on a tensor of a trace: it has no value yet (tensor_id: ${id})`);
    }
    return e.h;
  }

  // ---- tensors
  createTensor(shape: number[], dtype: number, values: unknown): number {
    // tfjs's gradients of sum and mean make ones of the whole shape in JS: as a Const each would be copied several times
    // with the graph (2.7 GB and 8 s of tracing at 3B). Equal values become a Fill.
    if (this.trace && size(shape) > 1024 && (dtype === FLOAT || dtype === INT32)) {
      const v = values as Float32Array;
      if (v.every((x) => x === v[0])) {
        const one = this.createTensor([], dtype, v.slice(0, 1)),
          dims = this.createTensor([shape.length], INT32, Int32Array.from(shape));
        const [{ id }] = this.executeSame("Fill", [], [dims, one], 1);
        this.deleteTensor(one);
        this.deleteTensor(dims);
        this.filled++;
        return id;
      }
    }
    const t = dtype === STRING ? this.stringTensor(shape, values) : this.numericTensor(shape, dtype, values);
    if (this.trace) this.constBytes += Number(this.C.TF_TensorByteSize(t));
    try {
      if (this.trace) {
        const [n] = this.addNode("Const", [{ name: "dtype", type: A_TYPE, value: dtype }, {
          name: "value",
          type: A_TENSOR,
          value: t,
        }], []);
        return this.add({ n, trace: this.trace });
      }
      let h = this.C.TFE_NewTensorHandle(t, this.st);
      this.ok("createTensor");
      // int32 and strings stay on the host, where GPU kernels expect them.
      if (this.gpu && dtype !== INT32 && dtype !== STRING) {
        h = this.swap(h, this.C.TFE_TensorHandleCopyToDevice(h, this.ctx, z(this.gpu), this.st));
      }
      // The strings of t are ours and nothing would free the long ones: keep a copy that TensorFlow owns.
      if (dtype === STRING && size(shape) > 0) {
        h = this.swap(h, this.execute("DeepCopy", [{ name: "T", type: A_TYPE, value: STRING }], [h], 1)[0]);
      }
      return this.add({ h });
    } finally {
      if (dtype === STRING) {
        for (let i = 0, d = this.C.TF_TensorData(t); i < size(shape); i++) {
          this.C.TF_StringDealloc(at(d, i * TSTRING));
        }
      }
      this.C.TF_DeleteTensor(t);
    }
  }
  private swap(old: Ptr, h: Ptr): Ptr {
    this.C.TFE_DeleteTensorHandle(old);
    this.ok();
    return h;
  }

  private numericTensor(shape: number[], dtype: number, v: unknown): Ptr {
    const allowed = ARRAY[dtype];
    if (!allowed) throw new Error(`Unsupported tensor type: ${dtype}`);
    if (!ArrayBuffer.isView(v)) throw new Error("Expected a typed array");
    const hit = allowed.find(([type]) => v instanceof type);
    if (!hit) throw new Error(`Tensor type does not match ${v.constructor.name} (dtype ${dtype})`);
    const length = (v as ArrayBufferView & { length: number }).length, n = size(shape);
    if (length !== n * hit[1]) {
      throw new Error(
        `Shape does not match typed-array in bindData() (num_elements=${n}, array_length=${length})`,
      );
    }
    const t = this.C.TF_AllocateTensor(dtype, i64(shape), shape.length, BigInt(v.byteLength));
    bytesAt(this.C.TF_TensorData(t), v.byteLength).set(new Uint8Array(v.buffer, v.byteOffset, v.byteLength));
    return t;
  }
  private stringTensor(shape: number[], v: unknown): Ptr {
    if (!Array.isArray(v) || v.length !== size(shape)) {
      throw new Error(`Expected an array of ${size(shape)} strings`);
    }
    const bad = v.find((s) => !(s instanceof Uint8Array));
    if (bad !== undefined) throw new Error("Unsupported array type - expecting Uint8Array");
    const t = this.C.TF_AllocateTensor(STRING, i64(shape), shape.length, BigInt(v.length * TSTRING));
    const d = this.C.TF_TensorData(t);
    bytesAt(d, v.length * TSTRING).fill(0); // TF_StringInit
    v.forEach((s, i) => this.C.TF_StringCopy(at(d, i * TSTRING), s, BigInt(s.length)));
    return t;
  }

  deleteTensor(id: number) {
    const e = this.t.get(id);
    if (!e) throw new Error(`Delete called on a Tensor not referenced (tensor_id: ${id})`);
    if ("h" in e) this.C.TFE_DeleteTensorHandle(e.h);
    this.t.delete(id);
  }

  /** A copy: typed array, or for strings an array of Uint8Array. */
  // deno-lint-ignore no-explicit-any
  tensorDataSync(id: number): any {
    const C = this.C, t = C.TFE_TensorHandleResolve(this.handle(id, "Get data called"), this.st);
    this.ok("tensorDataSync");
    try {
      const dtype = C.TF_TensorType(t), data = C.TF_TensorData(t);
      if (dtype === STRING) {
        return Array.from({ length: Number(C.TF_TensorElementCount(t)) }, (_, i) => {
          const s = at(data, i * TSTRING);
          return bytesAt(C.TF_StringGetDataPointer(s), Number(C.TF_StringGetSize(s))).slice();
        });
      }
      const buf = bytesAt(data, Number(C.TF_TensorByteSize(t))).slice().buffer;
      switch (dtype) {
        case FLOAT:
        case COMPLEX64:
          return new Float32Array(buf); // complex64: real and imaginary parts in turn
        case INT32:
          return new Int32Array(buf);
        case INT64:
          return new BigInt64Array(buf);
        case DOUBLE:
          return new Float64Array(buf);
        case BFLOAT16: {
          const h = new Uint16Array(buf), f = new Uint32Array(h.length);
          for (let i = 0; i < h.length; i++) f[i] = h[i] << 16;
          return new Float32Array(f.buffer);
        }
        case HALF:
        case UINT16:
          return new Uint16Array(buf);
        case BOOL:
        case UINT8:
        case RESOURCE:
          return new Uint8Array(buf);
        default:
          throw new Error(`Unsupported tensor type: ${dtype}`);
      }
    } finally {
      C.TF_DeleteTensor(t);
    }
  }

  // ---- ops
  executeOp(name: string, attrs: Attr[], inputs: number[], numOutputs: number): Meta[] {
    if (
      typeof name !== "string" || !Array.isArray(attrs) || !Array.isArray(inputs) ||
      !Number.isInteger(numOutputs)
    ) throw new Error(`executeOp: invalid argument for ${name}`);
    this.ops++;
    const u = this.unify(name, inputs);
    inputs = u.inputs;
    // An eager op's list inputs do not tell it their type: name the real one (ConcatV2, Pack, AddN, Einsum).
    if (
      !this.trace && attrs.some((a) => a.type === A_TYPE && a.value === FLOAT) &&
      inputs.some((i) => this.dtypeOf(i) === BFLOAT16)
    ) {
      const list = this.opDef(name).find((a) => a.numberAttr);
      if (list) attrs = attrs.map((a) => a.name === list.typeAttr ? { ...a, value: BFLOAT16 } : a);
    }
    try {
      return this.executeSame(name, attrs, inputs, numOutputs);
    } finally {
      u.drop.forEach((i) => this.deleteTensor(i));
    }
  }
  /** Traced nodes made meanwhile wait for this node (TF_AddControlInput). */
  after<T>(id: number, f: () => T): T {
    const t = this.trace!;
    t.control = this.inTrace(id).op;
    try {
      return f();
    } finally {
      t.control = null;
    }
  }
  private executeSame(name: string, attrs: Attr[], inputs: number[], numOutputs: number): Meta[] {
    if (this.trace) {
      const trace = this.trace;
      return this.addNode(name, attrs, inputs.map((i) => this.inTrace(i))).map((n) => ({
        id: this.add({ n, trace }),
        dtype: label(n.dtype),
        shape: n.shape,
      }));
    }
    return this.execute(name, attrs, inputs.map((i) => this.handle(i, "Input")), numOutputs).map((h) =>
      this.result(h)
    );
  }
  private result(h: Ptr): Meta {
    const m = this.meta(h);
    return { id: this.add({ h }), shape: m.shape, dtype: label(m.dtype) };
  }
  /** The real type of a tensor: tfjs says float32 for bf16 too. */
  dtypeOf(id: number) {
    const e = this.t.get(id)!;
    return "n" in e ? e.n.dtype : this.C.TFE_TensorHandleDataType(e.h);
  }
  private rankOf(id: number) {
    const e = this.t.get(id)!;
    if ("n" in e) return e.n.shape.length;
    const r = this.C.TFE_TensorHandleNumDims(e.h, this.st);
    this.ok();
    return r;
  }
  /** A tensor whose memory fill() writes, given in pieces of at most 1 GiB: no copy, no JS array of the whole. */
  alloc(shape: number[], dtype: number, fill: (part: Uint8Array<ArrayBuffer>) => void): Meta {
    const C = this.C,
      bytes = size(shape) * Number(C.TF_DataTypeSize(dtype)),
      t = C.TF_AllocateTensor(dtype, i64(shape), shape.length, BigInt(bytes)),
      d = C.TF_TensorData(t);
    for (let i = 0; i < bytes; i += 2 ** 30) {
      fill(bytesAt(at(d, i), Math.min(2 ** 30, bytes - i)) as Uint8Array<ArrayBuffer>);
    }
    const h = C.TFE_NewTensorHandle(t, this.st);
    this.ok("alloc");
    C.TF_DeleteTensor(t);
    return this.result(h);
  }
  readonly mixed = new Map<string, number>(); // ops that were given a bf16 and an f32 tensor: promoted, worth a look
  /** bf16 and f32 inputs of one type attribute: an f32 scalar gives way (0.5 * x stays bf16), else bf16 is promoted to f32. */
  private unify(name: string, inputs: number[]): { inputs: number[]; drop: number[] } {
    const types = inputs.map((i) => this.dtypeOf(i)), drop: number[] = [];
    if (name === "Cast" || !types.includes(BFLOAT16) || !types.includes(FLOAT)) return { inputs, drop };
    const def = this.opDef(name),
      attr = inputs.map((_, i) =>
        def.length === 1 || i < def.length ? def[Math.min(i, def.length - 1)].typeAttr : def[0].typeAttr
      );
    if (def.some((a) => a.numberAttr)) attr.fill(def.find((a) => a.numberAttr)!.typeAttr);
    const out = [...inputs];
    for (const g of new Set(attr)) {
      const k = inputs.map((_, i) => i).filter((i) =>
        attr[i] === g && g !== "" && (types[i] === FLOAT || types[i] === BFLOAT16)
      );
      if (new Set(k.map((i) => types[i])).size < 2) continue;
      const to = k.every((i) => types[i] === BFLOAT16 || this.rankOf(inputs[i]) === 0) ? BFLOAT16 : FLOAT;
      if (to === FLOAT && k.some((i) => types[i] === BFLOAT16 && this.rankOf(inputs[i]) > 0)) {
        this.mixed.set(name, (this.mixed.get(name) ?? 0) + 1);
      }
      for (const i of k) {
        if (types[i] !== to) {
          drop.push(
            out[i] =
              this.executeOp("Cast", [{ name: "DstT", type: A_TYPE, value: to }], [inputs[i]], 1)[0].id,
          );
        }
      }
    }
    return { inputs: out, drop };
  }
  private meta(h: Ptr) {
    const C = this.C, nd = C.TFE_TensorHandleNumDims(h, this.st);
    this.ok();
    const shape = Array.from({ length: nd }, (_, i) => Number(C.TFE_TensorHandleDim(h, i, this.st)));
    return { dtype: C.TFE_TensorHandleDataType(h), shape };
  }
  /** A list input (number_attr, type_list_attr) is just its tensors one after another. */
  private execute(
    name: string,
    attrs: Attr[],
    inputs: Ptr[],
    numOutputs: number,
    after?: (op: Ptr) => void,
  ): Ptr[] {
    const C = this.C, st = this.st;
    const op = C.TFE_NewOp(this.ctx, z(name), st);
    this.ok(name);
    try {
      // Inputs before attributes, as in the addon: TensorFlow infers type attributes from the inputs, and the
      // first value of an attribute stays. Kernels of tfjs-node name a wrong type now and then (Mean of int32).
      for (const h of inputs) {
        C.TFE_OpAddInput(op, h, st);
        this.ok(name);
      }
      for (const a of attrs) this.setAttr(op, a, "TFE_OpSetAttr");
      after?.(op);
      const out = new BigUint64Array(Math.max(1, numOutputs)), n = new Int32Array([numOutputs]);
      C.TFE_Execute(op, out, n, st);
      this.ok(name);
      return Array.from(out.subarray(0, n[0]), (p) => Deno.UnsafePointer.create(p));
    } finally {
      C.TFE_DeleteOp(op);
    }
  }
  /** Eager and graph calls are alike but for the prefix and TFE_OpSetAttrShape's status. */
  private setAttr(op: Ptr, { name, type, value: v }: Attr, set: "TFE_OpSetAttr" | "TF_SetAttr") {
    // deno-lint-ignore no-explicit-any
    const C = this.C as any, k = z(name);
    const want = (ok: boolean) => {
      if (!ok) throw new Error(`Invalid value of attribute ${name} (type ${type}): ${v}`);
    };
    const list = Array.isArray(v) ? v : null,
      every = (f: (x: unknown) => boolean) => want(list ? list.every(f) : f(v));
    const number = (x: unknown) => typeof x === "number";
    const int = (x: unknown) => BigInt(Math.trunc(x as number)); // napi_get_value_int64 truncates: a seed may be 3.14
    switch (type) {
      case A_STRING: {
        want(typeof v === "string");
        const b = enc.encode(v as string);
        C[set + "String"](op, k, b, BigInt(b.length));
        break;
      }
      case A_INT:
        every(number);
        list
          ? C[set + "IntList"](op, k, BigInt64Array.from(list, int), list.length)
          : C[set + "Int"](op, k, int(v));
        break;
      case A_FLOAT:
        every(number);
        list ? C[set + "FloatList"](op, k, Float32Array.from(list), list.length) : C[set + "Float"](op, k, v);
        break;
      case A_BOOL:
        every((x) => typeof x === "boolean");
        list
          ? C[set + "BoolList"](op, k, Uint8Array.from(list, Number), list.length)
          : C[set + "Bool"](op, k, v ? 1 : 0);
        break;
      case A_TYPE:
        want(number(v));
        C[set + "Type"](op, k, v);
        break; // the addon knows no list(type), list(string)
      case A_SHAPE:
        want(list !== null && list.every(number));
        set === "TFE_OpSetAttr"
          ? C.TFE_OpSetAttrShape(op, k, i64(list!), list!.length, this.st)
          : C.TF_SetAttrShape(op, k, i64(list!), list!.length);
        break;
      case A_TENSOR:
        C.TF_SetAttrTensor(op, k, v, this.st);
        break; // graphs only
      default:
        throw new Error(`Unknown attribute type ${type} of ${name}`);
    }
  }

  // ---- SavedModel
  loadSavedModel(exportDir: string, tags: string): number {
    const C = this.C, graph = C.TF_NewGraph(), options = C.TF_NewSessionOptions();
    const list = tags.split(",").map((t) => enc.encode(t + "\0"));
    const ptrs = BigUint64Array.from(list, (b) => addr(Deno.UnsafePointer.of(b)));
    const session = C.TF_LoadSessionFromSavedModel(
      options,
      null,
      z(exportDir),
      ptrs,
      list.length,
      graph,
      null,
      this.st,
    );
    C.TF_DeleteSessionOptions(options);
    if (C.TF_GetCode(this.st) !== 0) {
      C.TF_DeleteGraph(graph);
      throw new Error(`Failed to load SavedModel: ${str(C.TF_Message(this.st))}`);
    }
    this.models.set(this.nextModel, { session, graph });
    return this.nextModel++;
  }
  deleteSavedModel(id: number) {
    const m = this.models.get(id);
    if (!m) throw new Error(`Delete called on a SavedModel not found (savedmodel_id: ${id})`);
    this.C.TF_DeleteSession(m.session, this.st);
    this.ok();
    this.C.TF_DeleteGraph(m.graph);
    this.models.delete(id);
  }
  /** Names look like "serving_default_x:0"; several are joined with commas. */
  runSavedModel(id: number, inputs: number[], inputNames: string, outputNames: string): Meta[] {
    const C = this.C, m = this.models.get(id);
    if (!m) throw new Error(`SavedModel ID not found (savedmodel_id: ${id})`);
    const node = (which: string) => (s: string): Node => {
      const [name, index] = s.split(":"), op = C.TF_GraphOperationByName(m.graph, z(name));
      if (!op) throw new Error(`${which} op name can not be found in the graph.`);
      return { op, index: Number(index || 0), dtype: 0, shape: [] };
    };
    const ins = inputNames.split(",").map(node("Input")), outs = outputNames.split(",").map(node("Output"));
    if (ins.length !== inputs.length) {
      throw new Error(
        `Length of input op names (${ins.length}) does not match the length of input tensors (${inputs.length}).`,
      );
    }
    const values = inputs.map((i) => {
      const t = C.TFE_TensorHandleResolve(this.handle(i, "Input"), this.st);
      this.ok();
      return t;
    });
    const out = new BigUint64Array(Math.max(1, outs.length));
    C.TF_SessionRun(
      m.session,
      null,
      this.pack(ins),
      BigUint64Array.from(values, addr),
      ins.length,
      this.pack(outs),
      out,
      outs.length,
      null,
      0,
      null,
      this.st,
    );
    values.forEach((t) => C.TF_DeleteTensor(t));
    if (C.TF_GetCode(this.st) !== 0) {
      throw new Error(`Session fail to run with error: ${str(C.TF_Message(this.st))}`);
    }
    return Array.from(out.subarray(0, outs.length), (p) => {
      const t = Deno.UnsafePointer.create(p), h = C.TFE_NewTensorHandle(t, this.st);
      this.ok();
      C.TF_DeleteTensor(t);
      return this.result(h);
    });
  }

  // ---- tracing: between begin() and end() calls add nodes to a graph instead of running
  begin() {
    if (this.trace) throw new Error("nested trace");
    this.trace = {
      graph: this.C.TF_NewGraph(),
      inputs: [],
      captures: [],
      captureOf: new Map(),
      n: 0,
      control: null,
    };
  }
  input(shape: number[], dtype: number): Meta {
    const trace = this.trace!, n = this.placeholder(shape, dtype);
    trace.inputs.push(n);
    return { id: this.add({ n, trace }), shape, dtype: label(dtype) };
  }
  end(outs: number[]): Fn {
    const trace = this.trace!, C = this.C, name = `fn_${this.fnCount++}`;
    try {
      const outputs = outs.map((o) => this.inTrace(o)),
        inputs = [...trace.inputs, ...trace.captures.map((c) => c.node)];
      const f = C.TF_GraphToFunction(
        trace.graph,
        z(name),
        0,
        -1,
        null,
        inputs.length,
        this.pack(inputs),
        outputs.length,
        this.pack(outputs),
        null,
        null,
        null,
        this.st,
      );
      this.ok("TF_GraphToFunction");
      C.TFE_ContextAddFunction(this.ctx, f, this.st);
      this.ok("TFE_ContextAddFunction");
      C.TF_DeleteFunction(f);
      return { name, captures: trace.captures.map((c) => c.h), nOut: outputs.length, nodes: trace.n };
    } finally {
      this.abort();
    }
  }
  /** Drops the trace, for when the traced code threw. */
  abort() {
    if (this.trace) {
      this.C.TF_DeleteGraph(this.trace.graph);
      this.trace = null;
    }
  }
  /** Captured tensors (those made before begin()) must still be alive. */
  call(f: Fn, inputs: number[], xla: boolean, config?: Uint8Array<ArrayBuffer>): Meta[] {
    return this.execute(
      f.name,
      [],
      [...inputs.map((i) => this.handle(i, "Input")), ...f.captures],
      f.nOut,
      (op) => {
        if (xla) this.C.TFE_OpSetAttrBool(op, z("_XlaMustCompile"), 1);
        if (config) this.C.TFE_OpSetAttrString(op, z("config_proto"), config, BigInt(config.length));
      },
    ).map((h) => this.result(h));
  }
  private inTrace(id: number): Node {
    const e = this.t.get(id), trace = this.trace!;
    if (!e) throw new Error(`Input on a Tensor not referenced (tensor_id: ${id})`);
    if ("n" in e) {
      if (e.trace !== trace) throw new Error("tensor of another trace");
      return e.n;
    }
    let node = trace.captureOf.get(id);
    if (!node) {
      const m = this.meta(e.h);
      trace.captures.push({ h: e.h, node: node = this.placeholder(m.shape, m.dtype) });
      trace.captureOf.set(id, node);
    }
    return node;
  }
  private placeholder(shape: number[], dtype: number) {
    return this.addNode("Placeholder", [{ name: "dtype", type: A_TYPE, value: dtype }, {
      name: "shape",
      type: A_SHAPE,
      value: shape,
    }], [])[0];
  }
  private pack(ns: Node[]) {
    const b = new DataView(new ArrayBuffer(16 * Math.max(1, ns.length)));
    ns.forEach((n, i) => {
      b.setBigUint64(i * 16, addr(n.op), true);
      b.setInt32(i * 16 + 8, n.index, true);
    });
    return new Uint8Array(b.buffer);
  }
  private addNode(name: string, attrs: Attr[], inputs: Node[]): Node[] {
    const C = this.C, trace = this.trace!, def = this.opDef(name);
    const d = C.TF_NewOperation(trace.graph, z(name), enc.encode(`${name}_${trace.n++}\0`));
    // Unlike eager ops a graph node wants lists as lists. Attributes that follow from inputs are left to TensorFlow.
    const inferred = new Set<string>(def.flatMap((a) => [a.typeAttr, a.numberAttr, a.typeListAttr]));
    const value = (k: string) => attrs.find((a) => a.name === k)?.value;
    let i = 0;
    def.forEach((a, k) => {
      if (!a.numberAttr && !a.typeListAttr) {
        if (i < inputs.length) C.TF_AddInput(d, this.pack([inputs[i++]]));
        return;
      }
      // Its length: told by the attribute; else what the other inputs leave over.
      const told = a.numberAttr && value(a.numberAttr);
      const n = typeof told === "number" ? told : inputs.length - i - (def.length - k - 1);
      C.TF_AddInputList(d, this.pack(inputs.slice(i, i + n)), n);
      i += n;
    });
    if (i !== inputs.length) throw new Error(`trace ${name}: ${inputs.length} inputs given, ${i} taken`);
    for (const a of attrs) if (!inferred.has(a.name)) this.setAttr(d, a, "TF_SetAttr");
    if (trace.control) C.TF_AddControlInput(d, trace.control);
    const op = C.TF_FinishOperation(d, this.st);
    this.ok(`trace ${name}`);
    return Array.from({ length: C.TF_OperationNumOutputs(op) }, (_, index) => {
      const node: Node = { op, index, dtype: 0, shape: [] }, o = this.pack([node]);
      node.dtype = C.TF_OperationOutputType(o);
      const nd = C.TF_GraphGetTensorNumDims(trace.graph, o, this.st);
      this.ok();
      if (nd < 0) throw new Error(`trace ${name}: unknown rank`);
      const dims = new BigInt64Array(Math.max(nd, 1));
      C.TF_GraphGetTensorShape(trace.graph, o, dims, nd, this.st);
      this.ok();
      node.shape = Array.from(dims.subarray(0, nd), Number);
      if (node.shape.some((x) => x < 0)) throw new Error(`trace ${name}: unknown shape [${node.shape}]`);
      return node;
    });
  }

  private scratch: Ptr = null;
  filled = 0;
  constBytes = 0; // of traces, for looking
  private readonly defs = new Map<string, { typeAttr: string; numberAttr: string; typeListAttr: string }[]>();
  /** The inputs of an op, from its OpDef protobuf: OpDef.input_arg = 2; ArgDef.type_attr = 4, number_attr = 5, type_list_attr = 6. */
  private opDef(name: string) {
    let def = this.defs.get(name);
    if (!def) {
      const C = this.C, buf = C.TF_NewBuffer();
      C.TF_GraphGetOpDef(this.scratch ??= C.TF_NewGraph(), z(name), buf, this.st);
      this.ok(name);
      const view = new Deno.UnsafePointerView(buf!),
        bytes = bytesAt(view.getPointer(0), Number(view.getBigUint64(8)));
      const text = (b?: Uint8Array) => b ? new TextDecoder().decode(b.slice()) : "";
      def = fields(bytes, 2).map((arg) => ({
        typeAttr: text(fields(arg, 4)[0]),
        numberAttr: text(fields(arg, 5)[0]),
        typeListAttr: text(fields(arg, 6)[0]),
      }));
      C.TF_DeleteBuffer(buf);
      this.defs.set(name, def);
    }
    return def;
  }
}

/** The length-delimited fields of a protobuf message with this number. */
function fields(b: Uint8Array, want: number): Uint8Array[] {
  const out: Uint8Array[] = [];
  let i = 0;
  const varint = () => {
    let v = 0, s = 1;
    for (;;) {
      const x = b[i++];
      v += (x & 127) * s;
      if (x < 128) return v;
      s *= 128;
    }
  };
  while (i < b.length) {
    const key = varint(), wire = key & 7;
    if (wire === 2) {
      const n = varint();
      if (key >> 3 === want) out.push(b.subarray(i, i + n));
      i += n;
    } else if (wire === 0) varint();
    else i += wire === 1 ? 8 : 4;
  }
  return out;
}
