/** Ops for model code that TensorFlow.js lacks. */
import type { Tensor } from "@tensorflow/tfjs";
import { ATTR } from "./attributes.ts";
import { backend, binding, idOf, runOp, tf, typeAttribute } from "./backend.ts";
import { asType, realType } from "./cast.ts";
import { FLOAT, INT32 } from "./dtype.ts";
import { matMul } from "./typed.ts";

/**
 * h, not to be computed with before dy is there, nor to be merged with what was computed from h before. It keeps the
 * recomputation of a block apart from its first computation; without it both compilers merge the two and save nothing.
 * Not differentiated through; outside of jit it is a plain copy.
 */
export function barrier<T extends Tensor>(h: T, dy: Tensor): T {
  const { trace } = binding;
  if (!trace) return tf.clone(h);
  // The graph executor: a control input.
  if (!trace.xla) return binding.after(idOf(dy), () => runOp("Identity", [], [h])) as T;
  // XLA drops control inputs, and its own barrier does not last until the CPU's scheduler: 0 * one element of dy.
  return tf.tidy(() => {
    const one = tf.slice(tf.reshape(dy, [dy.size]), 0, 1);
    return tf.add(h, asType(tf.reshape(tf.mul(one, 0), []), realType(h)));
  });
}

/**
 * Says that int32 values are indices, each of which must lie in 0..size - 1, where ops between them and the gather hide
 * that: a GPU and XLA would not report it. In a trace those of arguments are looked at in each call.
 *
 * @throws if one is known to lie outside, naming `what`
 */
export function checkIndices(what: string, indices: Tensor, size: number): void {
  binding.within(what, idOf(indices), size);
}

/**
 * A copy of buffer [B, L, ...] with update [B, n, ...] written at rows position to position + n of its axis 1, for a
 * KV cache. Not differentiated.
 * @param position an int32 scalar, which may be traced; position + n must not exceed L
 */
export function updateSlice<T extends Tensor>(buffer: T, update: Tensor, position: Tensor | number): T {
  const [batch, length] = buffer.shape, n = update.shape[1]!;
  const fits = update.shape.length === buffer.shape.length && n <= length! &&
    update.shape.every((d, i) => i === 1 || d === buffer.shape[i]);
  if (!fits) {
    throw new Error(`updateSlice: an update [${update.shape}] does not fit into a buffer [${buffer.shape}].`);
  }
  return tf.tidy(() => {
    const at = typeof position === "number" ? tf.scalar(position, "int32") : tf.reshape(position, []);
    binding.within("updateSlice", idOf(at), length! - n + 1);
    if (binding.trace?.xla) {
      const zero = tf.scalar(0, "int32"),
        start = tf.stack([zero, at, ...buffer.shape.slice(2).map(() => zero)]);
      return runOp("XlaDynamicUpdateSlice", [], [buffer, update, start]);
    }
    const rows = tf.add(tf.reshape(tf.range(0, n, 1, "int32"), [1, n, 1]), at);
    const items = tf.reshape(tf.range(0, batch, 1, "int32"), [batch, 1, 1]);
    const indices = tf.concat([tf.tile(items, [1, n, 1]), tf.tile(rows, [batch, 1, 1])], 2);
    return runOp("TensorScatterUpdate", [], [buffer, indices, update]);
  }) as T;
}

/**
 * Cross entropy of integer labels, fused with the softmax and differentiable in the logits. Computed in float32; the
 * gradient comes in the type of the logits.
 * @param logits [N, V]
 * @param labels int32 [N], each in 0..V-1
 * @returns float32 [N]: -log softmax(logits)[label]
 */
export function sparseCrossEntropy(logits: Tensor, labels: Tensor): Tensor {
  const [n] = logits.shape;
  if (
    logits.shape.length !== 2 || labels.shape.length !== 1 || labels.shape[0] !== n ||
    labels.dtype !== "int32"
  ) {
    throw new Error(
      `sparseCrossEntropy: expected logits [N, V] and int32 labels [N], found [${logits.shape}] and ` +
        `${labels.dtype}[${labels.shape}].`,
    );
  }
  binding.within("sparseCrossEntropy", idOf(labels), logits.shape[1]!);
  const loss = tf.customGrad((x, save) => {
    const [value, slope] = backend()
      .executeMultipleOutputs("SparseSoftmaxCrossEntropyWithLogits", [], [x as Tensor, labels], 2);
    (save as (tensors: Tensor[]) => void)([slope]);
    return {
      value,
      gradFunc: (dy, saved) => tf.mul(tf.reshape(dy, [n, 1]), (saved as Tensor[])[0]),
    };
  });
  return tf.tidy(() => loss(asType(logits, "float32")));
}

/** float32 x as bfloat16 values whose sum it is but for a 65,536th: its upper half, and what that leaves. */
function halves(x: Tensor): [upper: Tensor, lower: Tensor] {
  // By bits, since XLA drops a conversion to bfloat16 and back, which would leave nothing.
  const as = (x: Tensor, type: number) => runOp("Bitcast", [typeAttribute("type", type)], [x]);
  const upper = as(runOp("BitwiseAnd", [], [as(x, INT32), tf.scalar(-(2 ** 16), "int32")]), FLOAT);
  return [asType(upper, "bfloat16"), asType(tf.sub(x, upper), "bfloat16")];
}

/** a · b of bfloat16 matrices, each turned or not, summed and given in float32. For XLA only. */
const productInFloat32 = (a: Tensor, b: Tensor, turnA: boolean, turnB: boolean): Tensor =>
  runOp("BatchMatMulV3", [
    typeAttribute("Tout", FLOAT),
    { name: "adj_x", type: ATTR.bool, value: turnA },
    { name: "adj_y", type: ATTR.bool, value: turnB },
  ], [a, b]);

/** bfloat16 x `[R, D]` times float32 w `[K, D]` turned, K small, in float32. */
function wide(x: Tensor, w: Tensor): Tensor {
  if (!binding.trace?.xla) return matMul(asType(x, "float32"), w, { transposeB: true });
  const [upper, lower] = tf.split(productInFloat32(x, tf.concat(halves(w), 0), false, true), 2, 1);
  return tf.add(upper, lower);
}

/** float32 z `[R, K]` turned, K small, times bfloat16 x `[R, D]`, in float32. */
function wideTurned(z: Tensor, x: Tensor): Tensor {
  if (!binding.trace?.xla) return matMul(z, asType(x, "float32"), { transposeA: true });
  const [upper, lower] = tf.split(productInFloat32(tf.concat(halves(z), 1), x, true, false), 2, 0);
  return tf.add(upper, lower);
}

/** float32 z `[R, K]` times float32 w `[K, D]`, K small, rounded to bfloat16 once it is summed. */
function narrow(z: Tensor, w: Tensor): Tensor {
  if (!binding.trace?.xla) return asType(matMul(z, w), "bfloat16");
  const [zUpper, zLower] = halves(z), [wUpper, wLower] = halves(w);
  return matMul(tf.concat([zUpper, zLower, zUpper], 1), tf.concat([wUpper, wUpper, wLower], 0));
}

/**
 * The low-rank path of a bfloat16 model with float32 LoRA matrices: x aᵀ and z bᵀ as in float32, without a float32 copy of
 * what is as large as x. Compiled by XLA, a float32 number goes through matrix units as two bfloat16 ones, with a relative
 * error of 2^-16 (TF32's is 2^-11), and x is read once, in bfloat16; elsewhere it is computed in float32.
 * Differentiable in both.
 *
 * @param x bfloat16 `[R, D]`
 * @param a float32 `[K, D]`
 * @returns float32 `[R, K]`
 */
export function matMulDown(x: Tensor, a: Tensor): Tensor {
  const f = tf.customGrad((x, a, save) => {
    (save as unknown as (tensors: Tensor[]) => void)([x as Tensor, a as Tensor]);
    const gradFunc = (dz: Tensor, [x, a]: Tensor[]) => [narrow(dz, a), wideTurned(dz, x)];
    return { value: wide(x as Tensor, a as Tensor), gradFunc };
  });
  return f(x, a);
}

/**
 * The second half, see {@linkcode matMulDown}.
 *
 * @param z float32 `[R, K]`
 * @param b float32 `[D, K]`
 * @returns bfloat16 `[R, D]`
 */
export function matMulUp(z: Tensor, b: Tensor): Tensor {
  const f = tf.customGrad((z, b, save) => {
    (save as unknown as (tensors: Tensor[]) => void)([z as Tensor, b as Tensor]);
    const gradFunc = (
      dy: Tensor,
      [z, b]: Tensor[],
    ) => [wide(dy, tf.transpose(b)), tf.transpose(wideTurned(z, dy))];
    return { value: narrow(z as Tensor, tf.transpose(b as Tensor)), gradFunc };
  });
  return f(z, b);
}
