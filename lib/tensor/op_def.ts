/** What TensorFlow says of an op. */
import { bytesAt, cString, type Pointer, present } from "./pointers.ts";
import { check, type Runtime } from "./runtime.ts";

/** One input of an op: which attributes give its type and, if it is a list, its length or types. */
export interface InputArg {
  readonly typeAttr: string;
  readonly numberAttr: string;
  readonly typeListAttr: string;
}

/** The length-delimited fields with this number in a protobuf message. */
function* fields(message: Uint8Array, wanted: number): Generator<Uint8Array> {
  let at = 0;
  const varint = () => {
    for (let value = 0, scale = 1;; scale *= 128) {
      const byte = message[at++];
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
  };
  while (at < message.length) {
    const key = varint(), wire = key & 7;
    if (wire === 2) {
      const length = varint();
      if (key >> 3 === wanted) yield message.subarray(at, at + length);
      at += length;
    } else if (wire === 0) varint();
    else at += wire === 1 ? 8 : 4;
  }
}

const text = (message: Uint8Array, field: number): string => {
  const [bytes] = fields(message, field);
  return bytes ? new TextDecoder().decode(bytes.slice()) : "";
};

export interface OpDef {
  readonly inputs: readonly InputArg[];
  /** Types of the attributes by name: "int", "list(type)", ... */
  readonly attributes: ReadonlyMap<string, string>;
}

const known = new Map<string, OpDef>();
let scratch: Pointer = null;

/**
 * An op's definition, read from its protobuf: OpDef has input_arg = 2 and attr = 4; ArgDef has type_attr = 4,
 * number_attr = 5, type_list_attr = 6; AttrDef has name = 1, type = 2.
 * @throws if there is no such op
 */
export function opDef(rt: Runtime, op: string): OpDef {
  const cached = known.get(op);
  if (cached) return cached;
  const { C, status } = rt, buffer = present(C.TF_NewBuffer(), "a buffer");
  try {
    C.TF_GraphGetOpDef(scratch ??= present(C.TF_NewGraph(), "a graph"), cString(op), buffer, status);
    check(rt, op);
    const view = new Deno.UnsafePointerView(buffer);
    const bytes = bytesAt(view.getPointer(0), Number(view.getBigUint64(8)));
    const inputs = Array.from(fields(bytes, 2), (arg) => ({
      typeAttr: text(arg, 4),
      numberAttr: text(arg, 5),
      typeListAttr: text(arg, 6),
    }));
    const attributes = new Map(Array.from(fields(bytes, 4), (attr) => [text(attr, 1), text(attr, 2)]));
    const def = { inputs, attributes };
    known.set(op, def);
    return def;
  } finally {
    C.TF_DeleteBuffer(buffer);
  }
}
