import type { Tensor } from "@tensorflow/tfjs";
import { dispose, jit, realType, tf, tidy } from "../tensor/mod.ts";
import type { PaliGemmaConfig } from "../weights/mod.ts";
import { decodeMask } from "./mask.ts";
import { decoder, embedTokens, type KVCache, lmHead, rotary } from "./gemma.ts";
import type { Weights } from "./layers.ts";
import { notFinite } from "./finite.ts";
import {
  attentionInputs,
  checkInputs,
  mergeImageFeatures,
  type Model,
  type ModelInputs,
  modelWeights,
} from "./paligemma.ts";
import { projector } from "./projector.ts";
import { answerNoise, checkSampling, chooseTokens, type Sampling } from "./sampling.ts";
import { visionTower } from "./siglip.ts";

/** Settings of `generate`. */
export interface GenerateOptions extends Sampling {
  maxNewTokens: number;
  /**
   * With a temperature: the seeds of each row's answers, as many for every row; the row (image included) is read once for
   * all of them. An answer depends on its row and its seed alone.
   */
  seeds?: readonly (readonly number[])[];
  /** How the two traced functions are run. Default "graph". */
  compiler?: "graph" | "xla";
  /** Told after each step how many tokens every row has that has not ended. */
  onToken?: (tokens: number) => void;
}

/** What `generate` gives; of k seeds per row, the answer of row i to seed j is at place i * k + j. */
export interface Generated {
  /** New tokens of each row, without the prompt and without eos. */
  ids: number[][];
  /** Log-probability of each of those tokens under the model itself, and of eos if it came. */
  logprobs: number[][];
  /** Whether the row ended by eos (else it was cut at maxNewTokens). */
  ended: boolean[];
}

/**
 * Reads image and prompt: logits float32 `[B, V]` after the last prompt token, and every layer's keys and values
 * in buffers of `places` (>= L) places, `[B, kvHeads, places, headDim]`, zero past the prompt.
 */
export function prefill(
  w: Weights,
  inputs: ModelInputs,
  config: PaliGemmaConfig,
  places: number,
): { logits: Tensor; cache: KVCache[] } {
  const [batch, length] = inputs.ids.shape as [number, number], D = config.text.hiddenSize;
  const images = projector(w, visionTower(w, inputs.pixelValues, config));
  const merged = mergeImageFeatures(w, images, inputs.ids, config);
  const shared = attentionInputs(inputs, config, realType(merged));
  const { h, cache } = decoder(w, merged, batch, config, shared);
  const grow = (x: Tensor) => tf.pad(x, [[0, 0], [0, 0], [0, places - length], [0, 0]]);
  const last = tf.slice(tf.reshape(h, [batch, length, D]), [0, length - 1, 0], [batch, 1, D]);
  return {
    logits: lmHead(w, tf.reshape(last, [batch, D]), config),
    cache: cache.map(({ keys, values }) => ({ keys: grow(keys), values: grow(values) })),
  };
}

/**
 * One more token per row: logits float32 `[B, V]` after it, and the buffers with it in place.
 *
 * @param ids int32 `[B]`, the tokens
 * @param position int32 scalar, their place in the buffers (the prompt's length for the first new token)
 * @param real float32 `[B, M]`, 0 at prompt padding
 */
export function decode(
  w: Weights,
  cache: KVCache[],
  ids: Tensor,
  position: Tensor,
  real: Tensor,
  config: PaliGemmaConfig,
): { logits: Tensor; cache: KVCache[] } {
  const embedded = embedTokens(w, ids, config), batch = ids.shape[0]!;
  const angles = rotary(tf.reshape(position, [1]), config, realType(embedded));
  const shared = { ...angles, mask: decodeMask(real, position) };
  const { h, cache: next } = decoder(w, embedded, batch, config, shared, { cache, position });
  return { logits: lmHead(w, h, config), cache: next };
}

/** Each row k times in a row: `[B, ...]` -> `[B * k, ...]`. */
function repeatRows(x: Tensor, k: number): Tensor {
  if (k === 1) return x;
  const [batch, ...rest] = x.shape;
  const tiled = tf.tile(tf.reshape(x, [batch, 1, ...rest]), [1, k, ...rest.map(() => 1)]);
  return tf.reshape(tiled, [batch * k, ...rest]);
}

interface Step {
  ids: Tensor;
  logprobs: Tensor;
  cache: KVCache[];
}

/** Traced functions by what they close over, so that a second call of `generate` traces nothing. (For tests.) */
export const compiled = new Map<string, ReturnType<typeof compile>>();

function compile(
  config: PaliGemmaConfig,
  scale: number,
  maxNewTokens: number,
  samples: number,
  sampling: Sampling,
  compiler: "graph" | "xla",
) {
  const weights = (tensors: Weights["tensors"]): Weights => ({ tensors, loraScale: scale });
  const start = jit((tensors: Weights["tensors"], inputs: ModelInputs, noise: Tensor): Step => {
    const { logits, cache } = prefill(weights(tensors), inputs, config, inputs.ids.shape[1]! + maxNewTokens);
    const each = (x: Tensor) => repeatRows(x, samples);
    return {
      ...chooseTokens(each(logits), noise, sampling),
      cache: cache.map(({ keys, values }) => ({ keys: each(keys), values: each(values) })),
    };
  }, { compiler });
  const step = jit(
    (
      tensors: Weights["tensors"],
      cache: KVCache[],
      ids: Tensor,
      position: Tensor,
      real: Tensor,
      noise: Tensor,
    ): Step => {
      const out = decode(weights(tensors), cache, ids, position, real, config);
      return { ...chooseTokens(out.logits, noise, sampling), cache: out.cache };
    },
    { compiler },
  );
  return { start, step };
}

/** Gemma's max_position_embeddings. */
const MAX_LENGTH = 8192;
const MAX_SAMPLES = 1024;

/**
 * @param length tokens of the prompt
 * @throws if a setting is out of range, or contradicts another
 */
export function checkGeneration(options: GenerateOptions, length = 0): void {
  const { maxNewTokens, seeds, temperature } = options;
  checkSampling(options);
  const whole = (what: string, value: number, least: number, most: number) => {
    if (Number.isInteger(value) && value >= least && value <= most) return;
    throw new Error(`${what} must be a whole number from ${least} to ${most}, found ${value}.`);
  };
  whole("maxNewTokens", maxNewTokens, 1, MAX_LENGTH - length);
  if ((seeds === undefined) !== (temperature === undefined)) {
    throw new Error(
      seeds ? "Seeds need a temperature: without one, decoding is greedy." : "A temperature needs seeds.",
    );
  }
  if (!seeds) return;
  const samples = seeds[0]?.length ?? 1;
  whole("The number of seeds of a row", samples, 1, MAX_SAMPLES);
  if (seeds.some((row) => row.length !== samples)) {
    throw new Error(`Every row needs as many seeds as the first, ${samples}.`);
  }
  for (const seed of seeds.flat()) whole("A seed", seed, -(2 ** 31), 2 ** 31 - 1);
}

/** Cells 0 where the (left-padded) prompts have padding, else 1, for all rows * samples and places. */
function realPlaces(inputs: ModelInputs, samples: number, maxNewTokens: number): Tensor {
  const [batch, length] = inputs.attentionMask.shape as [number, number],
    mask = inputs.attentionMask.dataSync();
  const places = length + maxNewTokens, out = new Float32Array(batch * samples * places).fill(1);
  for (let b = 0; b < batch; b++) {
    if (mask[b * length + length - 1] === 0) {
      throw new Error(
        `Prompts must be padded on the left for generation; row ${b} ends in padding. Use padBatch(sequences, { side: "left" }).`,
      );
    }
    for (let j = 0; j < samples; j++) {
      for (let t = 0; t < length; t++) out[(b * samples + j) * places + t] = mask[b * length + t];
    }
  }
  return tf.tensor(out, [batch * samples, places]);
}

/**
 * Answers a batch of prompts, each until eos or `maxNewTokens`.
 * The prompt is read once; every further token costs one step over buffers of fixed size, by one traced function.
 *
 * @param inputs left-padded prompts (tokenTypes all 0); shapes decide the trace, so pad to a fixed length
 * @throws if a prompt is padded on the right or lacks image tokens, settings are out of range or contradict each other,
 * or logits are not finite (naming the layer where that begins)
 */
export function generate(model: Model, inputs: ModelInputs, options: GenerateOptions): Generated {
  const { maxNewTokens, seeds, compiler = "graph" } = options;
  const { temperature, topK, topP } = options, sampling = { temperature, topK, topP };
  checkGeneration(options, inputs.ids.shape[1]);
  checkInputs(inputs, model.config);
  if (seeds && seeds.length !== inputs.ids.shape[0]) {
    throw new Error(`Expected the seeds of ${inputs.ids.shape[0]} rows, found those of ${seeds.length}.`);
  }
  const samples = seeds?.[0].length ?? 1;
  const { config } = model, w = modelWeights(model);
  const key = JSON.stringify([config, w.loraScale, maxNewTokens, samples, sampling, compiler]);
  if (!compiled.has(key)) {
    compiled.set(key, compile(config, w.loraScale, maxNewTokens, samples, sampling, compiler));
  }
  const { start, step } = compiled.get(key)!;

  const rows = inputs.ids.shape[0] * samples, length = inputs.ids.shape[1]!;
  const result: Generated = { ids: [], logprobs: [], ended: Array<boolean>(rows).fill(false) };
  for (let r = 0; r < rows; r++) {
    result.ids.push([]);
    result.logprobs.push([]);
  }
  const take = (now: Step) => {
    const ids = now.ids.dataSync(), logprobs = now.logprobs.dataSync();
    for (let r = 0; r < rows; r++) {
      if (result.ended[r]) continue;
      if (!Number.isFinite(logprobs[r])) {
        const row = tidy(() => soFar(inputs, Math.floor(r / samples), result.ids[r]));
        try {
          throw notFinite(w, row, config);
        } finally {
          dispose(row);
        }
      }
      result.logprobs[r].push(logprobs[r]);
      if (ids[r] === config.eosId) result.ended[r] = true;
      else result.ids[r].push(ids[r]);
    }
  };
  const real = realPlaces(inputs, samples, maxNewTokens);
  const random = answerNoise(seeds?.flat() ?? Array<number>(rows).fill(0), maxNewTokens);
  const noiseAt = (step: number) =>
    tf.tensor1d(Float32Array.from({ length: rows }, (_, r) => random[r * maxNewTokens + step]));
  let noise: Tensor = noiseAt(0), now: Step = start(w.tensors, inputs, noise);
  try {
    take(now);
    options.onToken?.(1);
    for (let i = 1; i < maxNewTokens && result.ended.includes(false); i++) {
      const position = tf.scalar(length + i - 1, "int32");
      noise.dispose();
      noise = noiseAt(i);
      const next: Step = step(w.tensors, now.cache, now.ids, position, real, noise);
      dispose([now, position]);
      now = next;
      take(now);
      options.onToken?.(i + 1);
    }
  } finally {
    dispose([now, real, noise]);
  }
  return result;
}

/** One row of prompts with the tokens that were generated for it. */
function soFar(inputs: ModelInputs, row: number, generated: readonly number[]): ModelInputs {
  const n = generated.length;
  const more = (x: Tensor, values: Tensor) => tf.concat([tf.slice(x, [row, 0], [1, -1]), values], 1);
  return {
    pixelValues: tf.slice(inputs.pixelValues, [row, 0, 0, 0], [1, -1, -1, -1]),
    ids: more(inputs.ids, tf.tensor2d([...generated], [1, n], "int32")),
    tokenTypes: more(inputs.tokenTypes, tf.ones([1, n], "int32")),
    attentionMask: more(inputs.attentionMask, tf.ones([1, n], "int32")),
  };
}
