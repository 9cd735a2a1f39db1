/**
 * Random numbers by Philox, from a seed alone: the same seed gives the same bits eagerly, in a graph, under XLA, on
 * every device. (Of TensorFlow's stateless ops only the one that draws integers does so; the rest is made from it.)
 */
import type { Tensor } from "@tensorflow/tfjs";
import { backend, binding, idOf, runOp, tf, typeAttribute } from "./backend.ts";
import { INT32, UINT64 } from "./dtype.ts";

/** Two integers, or an int32 tensor [2]: inside jit a tensor, or each call gives the same numbers. */
export type Seed = Tensor | readonly [number, number];

function seedTensor(seed: Seed): Tensor {
  if (!(seed instanceof tf.Tensor)) return tf.tensor1d([...seed as readonly number[]], "int32");
  if (seed.dtype !== "int32" || seed.shape.length !== 1 || seed.shape[0] !== 2) {
    throw new Error(`A seed is an int32 tensor [2] or two integers, found ${seed.dtype}[${seed.shape}].`);
  }
  return seed;
}

const PHILOX = 1;

/** Random bits as int32, with the seed as the generator's key. */
function randomBits(shape: readonly number[], seed: Seed): Tensor {
  // TensorFlow.js has no uint64: key and counter are handled by number.
  const asUint64 = (pairs: Tensor) =>
    binding.executeOp("Bitcast", [typeAttribute("type", UINT64)], [idOf(pairs)], 1)[0].id;
  const key = asUint64(tf.reshape(seedTensor(seed), [1, 2])), counter = asUint64(tf.zeros([2, 2], "int32"));
  const dims = idOf(tf.tensor1d([...shape], "int32")), algorithm = idOf(tf.scalar(PHILOX, "int32"));
  const attributes = [typeAttribute("dtype", INT32)], inputs = [dims, key, counter, algorithm];
  const [bits] = binding.executeOp("StatelessRandomUniformFullIntV2", attributes, inputs, 1);
  binding.deleteTensor(key);
  binding.deleteTensor(counter);
  return backend().createOutputTensor(bits);
}

/** Uniform numbers in [0, 1), float32: multiples of 2^-23. */
export function randomUniform(shape: readonly number[], seed: Seed): Tensor {
  return tf.tidy(() => {
    const low = runOp("BitwiseAnd", [], [randomBits(shape, seed), tf.scalar(2 ** 23 - 1, "int32")]);
    return tf.mul(tf.cast(low, "float32"), 2 ** -23);
  });
}

/** Half a step up keeps log(u) and log(-log(u)) finite. */
const openUniform = (shape: readonly number[], seed: Seed): Tensor =>
  tf.add(randomUniform(shape, seed), 2 ** -24);

/** Standard normal numbers, float32 (Box-Muller). */
export function randomNormal(shape: readonly number[], seed: Seed): Tensor {
  return tf.tidy(() => {
    const [radius, angle] = tf.unstack(openUniform([2, ...shape], seed));
    return tf.mul(tf.sqrt(tf.mul(tf.log(radius), -2)), tf.cos(tf.mul(angle, 2 * Math.PI)));
  });
}
