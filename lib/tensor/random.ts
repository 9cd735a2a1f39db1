/** Random numbers of TensorFlow's stateless generators: the same seed gives the same numbers, eagerly and inside jit. */
import type { Tensor, Tensor1D, Tensor2D } from "@tensorflow/tfjs";
import { runOp, tf, typeAttribute } from "./backend.ts";
import { asType } from "./cast.ts";
import { FLOAT } from "./dtype.ts";

/** Two integers, or an int32 tensor [2]: inside jit a tensor, or each call gives the same numbers. */
export type Seed = Tensor | readonly [number, number];

function seedTensor(seed: Seed): Tensor {
  if (!(seed instanceof tf.Tensor)) return tf.tensor1d([...seed as readonly number[]], "int32");
  if (seed.dtype !== "int32" || seed.shape.length !== 1 || seed.shape[0] !== 2) {
    throw new Error(`A seed is an int32 tensor [2] or two integers, found ${seed.dtype}[${seed.shape}].`);
  }
  return seed;
}

const draw = (op: string, shape: readonly number[], seed: Seed): Tensor =>
  tf.tidy(() =>
    runOp(op, [typeAttribute("dtype", FLOAT)], [tf.tensor1d([...shape], "int32"), seedTensor(seed)])
  );

/** Standard normal numbers, float32. */
export const randomNormal = (shape: readonly number[], seed: Seed): Tensor =>
  draw("StatelessRandomNormal", shape, seed);

/** Uniform numbers in [0, 1), float32. */
export const randomUniform = (shape: readonly number[], seed: Seed): Tensor =>
  draw("StatelessRandomUniform", shape, seed);

/**
 * One sample of each row's distribution: the place of the largest of logits + Gumbel noise.
 * @param logits [B, V]; need not be normalised, may hold -Infinity
 * @returns [B] int32
 */
export function categorical(logits: Tensor2D | Tensor, seed: Seed): Tensor1D {
  if (logits.shape.length !== 2) {
    throw new Error(`categorical: expected logits [B, V], found [${logits.shape}].`);
  }
  return tf.tidy(() => {
    // Uniform numbers are multiples of 2^-23 and may be 0; half a step up keeps both logarithms finite.
    const uniform = tf.add(randomUniform(logits.shape, seed), 2 ** -24);
    const gumbel = tf.neg(tf.log(tf.neg(tf.log(uniform))));
    return tf.argMax<Tensor1D>(tf.add(asType(logits as Tensor, "float32"), gumbel), -1);
  });
}
