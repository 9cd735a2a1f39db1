import type { Tensor } from "@tensorflow/tfjs";
import { dispose, gather, jit, realType, tf, tidy, updateSlice, whileLoop } from "../tensor/mod.ts";
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
  /** Tokens of an answer at most. */
  maxNewTokens: number;
  /**
   * With a temperature: the seeds of each row's answers, as many for every row; the row (image included) is read once for
   * all of them. An answer depends on its row and its seed alone.
   */
  seeds?: readonly (readonly number[])[];
  /** How the two traced functions are run. Default "graph". */
  compiler?: "graph" | "xla";
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

/** Answers under way. */
interface Going {
  /** int32 scalar: tokens that every row has that has not ended. */
  step: Tensor;
  /** int32 `[R]`, the last tokens */
  ids: Tensor;
  /** float32 `[R]`, 1 for a row that has ended, or whose logits are not finite. */
  ended: Tensor;
  /** float32 `[R, T, 2]`, the tokens and their log-probabilities; past a row's end they say nothing. */
  said: Tensor;
  cache: KVCache[];
}

/** How tokens are drawn, as tensors, so that another temperature needs no other trace; greedy without a temperature. */
interface Drawn {
  /** float32 `[T, R]`, in [0, 1) */
  noise: Tensor;
  /** float32 scalars */
  temperature?: Tensor;
  topP?: Tensor;
}

/** Traced functions by what they close over, so that a second call of `generate` traces nothing. (For tests.) */
export const compiled = new Map<string, ReturnType<typeof compile>>();

function compile(
  config: PaliGemmaConfig,
  scale: number,
  maxNewTokens: number,
  samples: number,
  topK: number | undefined,
  compiler: "graph" | "xla",
) {
  const weights = (tensors: Weights["tensors"]): Weights => ({ tensors, loraScale: scale });
  const one = () => tf.scalar(1, "int32");
  /** One more token for every row, `ended` and `said` before it. */
  const choose = (
    logits: Tensor,
    { noise, ...sampling }: Drawn,
    { step, ended, said }: Omit<Going, "ids" | "cache">,
  ) => {
    const { ids, logprobs } = chooseTokens(logits, gather(noise, step), { ...sampling, topK });
    const ends = tf.logicalOr(
      tf.equal(ids, tf.scalar(config.eosId, "int32")),
      tf.logicalNot(tf.isFinite(logprobs)),
    );
    const both = tf.reshape(tf.stack([tf.cast(ids, "float32"), logprobs], 1), [-1, 1, 2]);
    return {
      step: tf.add(step, one()),
      ids,
      ended: tf.maximum(ended, tf.cast(ends, "float32")),
      said: updateSlice(said, both, step),
    };
  };
  const start = jit((tensors: Weights["tensors"], inputs: ModelInputs, drawn: Drawn): Going => {
    const { logits, cache } = prefill(weights(tensors), inputs, config, inputs.ids.shape[1]! + maxNewTokens);
    const each = (x: Tensor) => repeatRows(x, samples), [steps, rows] = drawn.noise.shape as [number, number];
    const nothing = {
      step: tf.scalar(0, "int32"),
      ended: tf.zeros([rows]),
      said: tf.zeros([rows, steps, 2]),
    };
    return {
      ...choose(each(logits), drawn, nothing),
      cache: cache.map(({ keys, values }) => ({ keys: each(keys), values: each(values) })),
    };
  }, { compiler });
  /** Goes on until every row has ended or has `until` tokens. */
  const goOn = jit(
    (tensors: Weights["tensors"], going: Going, real: Tensor, drawn: Drawn, until: Tensor): Going => {
      const w = weights(tensors), [rows, places] = real.shape as [number, number];
      return whileLoop(
        going,
        ({ step, ended }) => tf.logicalAnd(tf.less(step, until), tf.less(tf.sum(ended), rows)),
        ({ ids, cache, ...rest }) => {
          const position = tf.add<Tensor>(rest.step, tf.scalar(places - maxNewTokens - 1, "int32"));
          const out = decode(w, cache, ids, position, real, config);
          return { ...choose(out.logits, drawn, rest), cache: out.cache };
        },
      );
    },
    { compiler },
  );
  return { start, goOn };
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
 * The prompt is read once; all further tokens come from one loop inside of a traced function, over buffers of fixed size,
 * which ends when the last row does.
 *
 * @param inputs left-padded prompts (tokenTypes all 0); shapes decide the trace, so pad to a fixed length
 * @throws if a prompt is padded on the right or lacks image tokens, settings are out of range or contradict each other,
 * or logits are not finite (naming the layer where that begins)
 */
export function generate(model: Model, inputs: ModelInputs, options: GenerateOptions): Generated {
  const [result] = answerSteps(model, inputs, options, false);
  return result;
}

/**
 * {@linkcode generate} token by token. After each token `onTokens` is told what every row has so far, without the prompt and
 * without eos, and the next token waits for it: others may run then, as they may not within one loop.
 *
 * @throws as `generate`, and what `onTokens` throws
 */
export async function generateTokens(
  model: Model,
  inputs: ModelInputs,
  options: GenerateOptions,
  onTokens: (rows: number[][]) => void | Promise<void>,
): Promise<Generated> {
  let result!: Generated;
  for (const soFar of answerSteps(model, inputs, options, true)) {
    await onTokens(soFar.ids);
    result = soFar;
  }
  return result;
}

/** The answers, last of all; before them, if `each`, what there is after each token. */
function* answerSteps(
  model: Model,
  inputs: ModelInputs,
  options: GenerateOptions,
  each: boolean,
): Generator<Generated, void, void> {
  const { maxNewTokens, seeds, compiler = "graph" } = options;
  const { temperature, topK, topP = 1 } = options;
  checkGeneration(options, inputs.ids.shape[1]);
  checkInputs(inputs, model.config);
  if (seeds && seeds.length !== inputs.ids.shape[0]) {
    throw new Error(`Expected the seeds of ${inputs.ids.shape[0]} rows, found those of ${seeds.length}.`);
  }
  const samples = seeds?.[0].length ?? 1;
  const { config } = model, w = modelWeights(model);
  const key = JSON.stringify([config, w.loraScale, maxNewTokens, samples, topK, compiler]);
  if (!compiled.has(key)) {
    compiled.set(key, compile(config, w.loraScale, maxNewTokens, samples, topK, compiler));
  }
  const { start, goOn } = compiled.get(key)!;

  const rows = inputs.ids.shape[0] * samples, real = realPlaces(inputs, samples, maxNewTokens);
  const random = answerNoise(seeds?.flat() ?? Array<number>(rows).fill(0), maxNewTokens);
  const drawn: Drawn = {
    noise: tf.tidy(() => tf.transpose<Tensor>(tf.tensor2d(random, [rows, maxNewTokens]))),
    ...(temperature === undefined ? {} : { temperature: tf.scalar(temperature) }),
    ...(topP === 1 ? {} : { topP: tf.scalar(topP) }),
  };
  let going: Going | undefined;
  try {
    going = start(w.tensors, inputs, drawn);
    let [steps] = going.step.dataSync();
    while (steps < maxNewTokens && going.ended.dataSync().includes(0)) {
      if (each) yield read(going.said, steps, config.eosId);
      const until = tf.scalar(each ? steps + 1 : maxNewTokens, "int32"), before: Going = going;
      going = goOn(w.tensors, before, real, drawn, until);
      dispose([before, until]);
      [steps] = going.step.dataSync();
    }
    const result = read(going.said, steps, config.eosId);
    const broken = result.logprobs.findIndex((row) => !Number.isFinite(row.at(-1)));
    if (broken < 0) {
      yield result;
      return;
    }
    const row = tidy(() => soFar(inputs, Math.floor(broken / samples), result.ids[broken].slice(0, -1)));
    try {
      throw notFinite(w, row, config);
    } finally {
      dispose(row);
    }
  } finally {
    dispose([going, real, drawn]);
  }
}

/** What the first `steps` of {@linkcode Going}'s `said` come to, up to where each row ends. */
function read(said: Tensor, steps: number, eosId: number): Generated {
  const values = said.dataSync(), [rows, most] = said.shape as [number, number];
  const result: Generated = { ids: [], logprobs: [], ended: [] };
  for (let r = 0; r < rows; r++) {
    const ids: number[] = [], logprobs: number[] = [];
    let ended = false;
    for (let i = 0; i < steps && !ended && (i === 0 || Number.isFinite(logprobs[i - 1])); i++) {
      const [id, logprob] = values.subarray(2 * (r * most + i));
      logprobs.push(logprob);
      ended = id === eosId && Number.isFinite(logprob);
      if (!ended) ids.push(id);
    }
    result.ids.push(ids), result.logprobs.push(logprobs), result.ended.push(ended);
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
