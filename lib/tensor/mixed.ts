/** bfloat16, float16 and float32 as inputs of one op, all of which TensorFlow.js calls float32. */
import type { Attribute } from "./attributes.ts";
import { FLOAT, isReduced } from "./dtype.ts";
import type { InputArg } from "./op_def.ts";

interface Typed {
  readonly dtype: number;
  readonly shape: readonly number[];
}

/** The input argument that the i-th of n tensors belongs to, by its type attribute. */
function typeAttribute(args: readonly InputArg[], i: number, n: number): string {
  const list = args.findIndex((a) => a.numberAttr || a.typeListAttr);
  if (list < 0) return args[i]?.typeAttr ?? "";
  const length = n - (args.length - 1);
  if (i < list) return args[i].typeAttr;
  return args[i < list + length ? list : i - length + 1]?.typeAttr ?? "";
}

/**
 * Which type each input must be cast to (null: none), where inputs share one type attribute but not the type.
 * A float32 scalar gives way, so that 0.5 * x stays bfloat16; a float32 tensor does not, so the rest is promoted.
 */
export function unify(args: readonly InputArg[], inputs: readonly Typed[]): (number | null)[] | null {
  const attributes = inputs.map((_, i) => typeAttribute(args, i, inputs.length));
  const casts: (number | null)[] = inputs.map(() => null);
  for (const attribute of new Set(attributes)) {
    if (attribute === "") continue;
    const group = inputs.map((_, i) => i)
      .filter((i) =>
        attributes[i] === attribute && (inputs[i].dtype === FLOAT || isReduced(inputs[i].dtype))
      );
    const wide = group.filter((i) => inputs[i].shape.length > 0), deciding = wide.length > 0 ? wide : group;
    const types = new Set(deciding.map((i) => inputs[i].dtype));
    // Scalars alone: the reduced type stays.
    if (wide.length === 0) types.delete(FLOAT);
    const to = types.size === 1 ? [...types][0] : FLOAT;
    for (const i of group) if (inputs[i].dtype !== to) casts[i] = to;
  }
  return casts.some((c) => c !== null) ? casts : null;
}

/** The list inputs of an eager op do not tell it their type (ConcatV2, Pack, AddN, Einsum): names the real one. */
export function realListTypes(
  args: readonly InputArg[],
  attributes: Attribute[],
  inputs: readonly Typed[],
): Attribute[] {
  const list = args.findIndex((a) => a.numberAttr);
  if (list < 0) return attributes;
  const { typeAttr } = args[list], { dtype } = inputs[list];
  return attributes.map((a) => a.name === typeAttr && a.value === FLOAT ? { ...a, value: dtype } : a);
}
