/** Ops for model code that TensorFlow.js lacks. */
import type { Tensor } from "@tensorflow/tfjs";
import { backend, binding, idOf, runOp, tf } from "./backend.ts";
import { asType, realType } from "./cast.ts";

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
