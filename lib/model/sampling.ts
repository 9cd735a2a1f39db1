import type { Tensor } from "@tensorflow/tfjs";
import { rng } from "../config/mod.ts";
import { oneHot, tf } from "../tensor/mod.ts";

/** How the next token is chosen. Without a temperature: always the most likely one. */
export interface Sampling {
  /** At least 1e-6; 1 samples from the model's own distribution */
  temperature?: number;
  /** Sample among the k most likely tokens only. */
  topK?: number;
  /** Sample among the smallest set of tokens that together have at least this probability, in (0, 1]. */
  topP?: number;
}

/** Of a temperature: far below, logits divided by it are beyond float32, and the token would be the vocabulary's first. */
const LEAST = 1e-6;

/** The same as numbers or float32 scalars: what a traced function is given as arguments needs no new trace. */
export interface SamplingInputs {
  /** Logits are divided by it. */
  temperature?: number | Tensor;
  /** Only so many of the likeliest tokens are kept. */
  topK?: number;
  /** Only the likeliest tokens that reach this probability together are kept. */
  topP?: number | Tensor;
}

/** @throws if a setting is out of range, or has no effect because there is no temperature */
export function checkSampling({ temperature, topK, topP }: Sampling): void {
  const wrong = (what: string, range: string, found: unknown) =>
    new Error(`${what} must be ${range}, found ${found}.`);
  if (temperature === undefined) {
    if (topK !== undefined || topP !== undefined) {
      throw new Error("topK and topP need a temperature: without one, decoding is greedy.");
    }
    return;
  }
  if (!(temperature >= LEAST && temperature < Infinity)) {
    throw wrong(
      "temperature",
      `at least ${LEAST} and finite (leave it out for greedy decoding)`,
      temperature,
    );
  }
  if (topK !== undefined && !(Number.isInteger(topK) && topK > 0)) {
    throw wrong("topK", "a whole number above 0", topK);
  }
  if (topP !== undefined && !(topP > 0 && topP <= 1)) throw wrong("topP", "in (0, 1]", topP);
}

/**
 * Temperature, then top-k, then top-p, in transformers' order: logits `[R, V]` -> `[R, V]`, excluded tokens -1e30.
 * Tokens exactly as likely as the last one kept are kept too.
 */
export function filterLogits(logits: Tensor, { temperature = 1, topK, topP = 1 }: SamplingInputs): Tensor {
  const scaled = tf.div(logits, temperature) as Tensor, vocab = logits.shape[1]!;
  const k = Math.min(topK ?? vocab, vocab);
  if (k === vocab && topP === 1) return scaled;
  const sorted = tf.topk(scaled, k, true).values; // [R, k], falling
  let last = tf.slice(sorted, [0, k - 1], [-1, 1]);
  if (topP !== 1) {
    // A token stays if those before it fall short of topP; the first always does.
    const before = tf.cumsum(tf.softmax(sorted), 1, true);
    last = tf.min(tf.where(tf.less(before, topP), sorted, tf.fill(sorted.shape, 1e30)), 1, true);
  }
  return tf.where(
    tf.greaterEqual(scaled, last),
    scaled,
    tf.fill([1, 1], -1e30).tile(scaled.shape as [number, number]),
  );
}

/**
 * The random numbers of answers: `[rows, steps]`, in [0, 1), multiples of 2^-23, row i from seed i alone. So the company
 * that a prompt is asked in plays no part in its answer.
 */
export function answerNoise(seeds: readonly number[], steps: number): Float32Array {
  const out = new Float32Array(seeds.length * steps);
  seeds.forEach((seed, i) => {
    const next = rng(seed);
    for (let t = 0; t < steps; t++) out[i * steps + t] = Math.floor(next() * 2 ** 23) * 2 ** -23;
  });
  return out;
}

/** The first token of each row up to which more than the share `noise` `[R]` of `p` `[R, V]` has come. */
function placeOf(noise: Tensor, p: Tensor): Tensor {
  const [rows, vocab] = p.shape as [number, number];
  const upTo = tf.cumsum(p, 1), all = tf.slice(upTo, [0, vocab - 1], [rows, 1]);
  // A share below 1 by 2^-23 stays below the sum after rounding: an excluded token is never taken.
  const passed = tf.lessEqual(upTo, tf.mul(all, tf.reshape(noise, [rows, 1])));
  return tf.sum(tf.cast(passed, "int32"), 1);
}

/**
 * Chooses one token per row: the most likely one, or the one at `noise` of the cumulative distribution in the order of the
 * vocabulary. (Not the largest of logits + Gumbel noise: logits that differ by rounding e, as by padding or batch size,
 * choose another token here with a probability of about e.)
 *
 * @param logits float32 `[R, V]`
 * @param noise float32 `[R]`, in [0, 1), multiples of 2^-23; unused without a temperature
 * @returns ids int32 `[R]`, and the log-probability of each under the model itself (temperature 1, nothing excluded)
 */
export function chooseTokens(
  logits: Tensor,
  noise: Tensor,
  sampling: SamplingInputs,
): { ids: Tensor; logprobs: Tensor } {
  const ids: Tensor = sampling.temperature === undefined
    ? tf.argMax(logits, -1)
    : placeOf(noise, tf.softmax(filterLogits(logits, sampling)));
  const chosen = oneHot(ids, logits.shape[1]!);
  return { ids, logprobs: tf.sum(tf.mul(tf.logSoftmax(logits), chosen), -1) };
}
