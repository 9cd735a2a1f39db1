/** Attributes of ops, as TensorFlow.js's kernels name them (TFEOpAttr). */
import type { CApi } from "./c_api.ts";
import { opDef } from "./op_def.ts";
import { cString, int64s, type Pointer, pointersTo, utf8 } from "./pointers.ts";
import type { Runtime } from "./runtime.ts";
import { isPartialShape } from "./shape.ts";

/** TF_AttrType. A list is told by its value being an array. */
export const ATTR = { string: 0, int: 1, float: 2, bool: 3, type: 4, shape: 5, tensor: 6, func: 8 } as const;

export interface Attribute {
  readonly name: string;
  readonly type: number;
  readonly value: unknown;
}

/** Eager and graph calls are alike but for their names and the status that two of the eager ones take. */
const eagerSetters = (C: CApi, status: Pointer) => ({
  string: C.TFE_OpSetAttrString,
  strings: C.TFE_OpSetAttrStringList,
  int: C.TFE_OpSetAttrInt,
  ints: C.TFE_OpSetAttrIntList,
  float: C.TFE_OpSetAttrFloat,
  floats: C.TFE_OpSetAttrFloatList,
  bool: C.TFE_OpSetAttrBool,
  bools: C.TFE_OpSetAttrBoolList,
  type: C.TFE_OpSetAttrType,
  types: C.TFE_OpSetAttrTypeList,
  shape: (op: Pointer, name: BufferSource, dims: BufferSource, rank: number) =>
    C.TFE_OpSetAttrShape(op, name, dims, rank, status),
  shapes: (op: Pointer, name: BufferSource, dims: BufferSource, ranks: BufferSource, n: number) =>
    C.TFE_OpSetAttrShapeList(op, name, dims, ranks, n, status),
  func: C.TFE_OpSetAttrFunctionName,
  tensor: (_op: Pointer, _name: BufferSource, _value: Pointer): void => {
    throw new Error("An attribute that is a tensor is for graphs only.");
  },
});
type Setters = ReturnType<typeof eagerSetters>;

const graphSetters = (C: CApi, status: Pointer): Setters => ({
  string: C.TF_SetAttrString,
  strings: C.TF_SetAttrStringList,
  int: C.TF_SetAttrInt,
  ints: C.TF_SetAttrIntList,
  float: C.TF_SetAttrFloat,
  floats: C.TF_SetAttrFloatList,
  bool: C.TF_SetAttrBool,
  bools: C.TF_SetAttrBoolList,
  type: C.TF_SetAttrType,
  types: C.TF_SetAttrTypeList,
  shape: C.TF_SetAttrShape,
  shapes: C.TF_SetAttrShapeList,
  func: C.TF_SetAttrFuncName,
  tensor: (op: Pointer, name: BufferSource, value: Pointer) => C.TF_SetAttrTensor(op, name, value, status),
});

const made = new WeakMap<Runtime, { eager: Setters; graph: Setters }>();
function setters(rt: Runtime, kind: "eager" | "graph"): Setters {
  let both = made.get(rt);
  if (!both) {
    both = { eager: eagerSetters(rt.C, rt.status), graph: graphSetters(rt.C, rt.status) };
    made.set(rt, both);
  }
  return both[kind];
}

const isNumber = (x: unknown): x is number => typeof x === "number";
const isNumbers = (x: unknown): x is number[] => Array.isArray(x) && x.every(isNumber);
/** What an int64 can hold; its fraction is cut, as the addon does: a seed may be 3.14. */
const isInt = (x: unknown): x is number => isNumber(x) && Math.abs(x) < 2 ** 63;

/**
 * Sets one attribute of an op under construction.
 * @throws if the value is not of the attribute's type.
 */
export function setAttribute(
  rt: Runtime,
  opName: string,
  op: Pointer,
  attribute: Attribute,
  kind: "eager" | "graph",
): void {
  const { name, type, value } = attribute, set = setters(rt, kind), key = cString(name);
  const wrong = (expected: string): never => {
    throw new Error(
      `Invalid value of attribute ${name} of ${opName}: expected ${expected}, found ${Deno.inspect(value)}`,
    );
  };
  if (type === ATTR.string || type === ATTR.func) {
    setText(set, op, key, attribute, wrong);
  } else if (type === ATTR.int) {
    const all = Array.isArray(value) ? value : [value];
    if (!all.every(isInt)) wrong("integers");
    if (Array.isArray(value)) set.ints(op, key, int64s(all), all.length);
    else set.int(op, key, BigInt(Math.trunc(all[0])));
  } else if (type === ATTR.float) {
    if (isNumbers(value)) set.floats(op, key, Float32Array.from(value), value.length);
    else set.float(op, key, isNumber(value) ? value : wrong("numbers"));
  } else if (type === ATTR.bool) {
    const all = Array.isArray(value) ? value : [value];
    if (!all.every((x) => typeof x === "boolean")) wrong("booleans");
    if (Array.isArray(value)) set.bools(op, key, Uint8Array.from(value, Number), value.length);
    else set.bool(op, key, value ? 1 : 0);
  } else if (type === ATTR.type) {
    const isList = isNumbers(value) && opDef(rt, opName).attributes.get(name) === "list(type)";
    if (isList) set.types(op, key, Int32Array.from(value), value.length);
    else set.type(op, key, isNumber(value) ? value : wrong("a TF_DataType"));
  } else if (type === ATTR.shape) {
    setShape(set, op, key, value, wrong);
  } else if (type === ATTR.tensor) {
    set.tensor(op, key, value as Pointer);
  } else {
    throw new Error(`Unknown type ${type} of attribute ${name}`);
  }
}

type Wrong = (expected: string) => never;
type Key = Uint8Array<ArrayBuffer>;

function setText(set: Setters, op: Pointer, key: Key, { type, value }: Attribute, wrong: Wrong): void {
  if (Array.isArray(value)) {
    if (type === ATTR.func || !value.every((s) => typeof s === "string")) wrong("strings");
    const texts = value.map(utf8);
    const lengths = BigUint64Array.from(texts, (t) => BigInt(t.length));
    set.strings(op, key, pointersTo(texts), lengths, texts.length);
    return;
  }
  const text = utf8(
    typeof value === "string" ? value : wrong(type === ATTR.func ? "a function's name" : "a string"),
  );
  (type === ATTR.func ? set.func : set.string)(op, key, text, BigInt(text.length));
}

function setShape(set: Setters, op: Pointer, key: Key, value: unknown, wrong: Wrong): void {
  const isShape = (x: unknown): x is number[] => isNumbers(x) && isPartialShape(x);
  if (isShape(value)) return set.shape(op, key, int64s(value), value.length);
  if (!Array.isArray(value) || !value.every(isShape)) return wrong("a shape or a list of shapes");
  const dims = value.map(int64s);
  set.shapes(op, key, pointersTo(dims), Int32Array.from(dims, (d) => d.length), dims.length);
}
