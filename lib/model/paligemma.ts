import type { Tensor } from "@tensorflow/tfjs";
import { checkIndices, type DType, gather, isTracing, matMul, realType, tf, tidy } from "../tensor/mod.ts";
import type { TokenBatch } from "../text/mod.ts";
import type { Adapter, PaliGemmaConfig, Params } from "../weights/mod.ts";
import type { Captured } from "./captured.ts";
import { type AttentionInputs, decoder, embedTokens, lmHead, rotary } from "./gemma.ts";
import { as, rmsNorm, weight, type Weights, weightsOf } from "./layers.ts";
import { prefixMask } from "./mask.ts";
import { projector } from "./projector.ts";
import { visionTower } from "./siglip.ts";

/** A PaliGemma in memory: base weights, and an adapter if there is one. */
export interface Model {
  /** The tensors by their names in the checkpoint. */
  params: Params;
  /** Its shape. */
  config: PaliGemmaConfig;
  /** An adapter that is added to its weights. */
  adapter?: Adapter;
  /** Type of the weights and activations. */
  dtype: DType;
}

/** The tokens of one batch. The image tokens of each row are filled in with that row's image features, in order. */
export interface TokenInputs {
  /** int32 `[B, L]`: `<image>` * N, bos, prefix, "\n", then suffix and eos if known */
  ids: Tensor;
  /** int32 `[B, L]`, 0 = image, prefix and padding, 1 = suffix */
  tokenTypes: Tensor;
  /** int32 `[B, L]`, 0 = padding (either side) */
  attentionMask: Tensor;
}

/** One batch. */
export interface ModelInputs extends TokenInputs {
  /** float32 `[B, 3, S, S]` in [-1, 1] */
  pixelValues: Tensor;
}

/** A batch whose images have been through the vision tower. */
export interface FeatureInputs extends TokenInputs {
  /** `[B, N, Dv]` in the type of the activations, as {@linkcode visionFeatures} gives them */
  features: Tensor;
}

/**
 * The tensors of padded token rows and their images.
 *
 * @param pixels pixel values float32 `[B, 3, S, S]` in [-1, 1]
 */
export function modelInputs(tokens: Omit<TokenBatch, "labels">, pixels: Float32Array): ModelInputs {
  const size = Math.sqrt(pixels.length / (3 * tokens.batch));
  return { pixelValues: tf.tensor4d(pixels, [tokens.batch, 3, size, size]), ...tokenInputs(tokens) };
}

/** {@linkcode modelInputs} with the vision tower's features `[B, N, Dv]` in the place of pixels. */
export const featureInputs = (tokens: Omit<TokenBatch, "labels">, features: Tensor): FeatureInputs => ({
  features,
  ...tokenInputs(tokens),
});

function tokenInputs({ batch, length, ...rows }: Omit<TokenBatch, "labels">): TokenInputs {
  const int = (values: Int32Array) => tf.tensor2d(values, [batch, length], "int32");
  return { ids: int(rows.ids), tokenTypes: int(rows.tokenTypes), attentionMask: int(rows.attentionMask) };
}

/** What to keep besides the logits. */
export interface Capture {
  /** "text": without the vision tower's, which at 448 px are 1.8 GB. */
  attentions?: "text" | "all";
  /** The language model's attention before mask and softmax. */
  scores?: boolean;
  /** Keep the input of every layer and the output of the last. */
  hiddenStates?: boolean;
  /**
   * Told of the attention of every layer of the language model when the pass reaches it, first layer first; it is freed when
   * this returns. `attentions` and `scores` hold those of all layers at once: of the 3B model at 448 px 0.7 GB each.
   */
  onLayer?: Captured["onLayer"];
}

/** Settings of a forward pass. */
export interface ForwardOptions {
  /** Used instead of the model's own. */
  adapter?: Adapter;
  /** What is kept on the way. */
  capture?: Capture;
  /** int32 `[R]`: compute logits only at these rows of the flattened `[B * L]` sequence. */
  logitsAt?: Tensor;
}

/** What a forward pass gives. */
export interface ForwardOutput {
  /** float32 `[B, L, V]`, or `[R, V]` with `logitsAt` */
  logits: Tensor;
  /** Per layer: text `[B, H, L, L]`, vision `[B, H, N, N]` (queries, then keys), float32; no vision if not asked for. */
  attentions?: { text: Tensor[]; vision: Tensor[] };
  /** Per layer, float32 `[B, H, L, L]`: scaled products of queries and keys, before mask and softmax. */
  scores?: Tensor[];
  /** Input of every layer and the last output; text `[B, L, D]` (last: after the final norm), vision `[B, N, Dv]` (last: before it). */
  hiddenStates?: { text: Tensor[]; vision: Tensor[] };
}

/**
 * Whether inputs are of the model's shapes. Where ids have values (not while a function is traced), also whether each row
 * has one image token for each patch: with fewer, the model would answer without having seen all of the image.
 * @throws naming what was expected and found
 */
export function checkInputs(inputs: ModelInputs | FeatureInputs, config: PaliGemmaConfig): void {
  const { ids } = inputs, [batch, length] = ids.shape, size = config.vision.imageSize;
  const expected = {
    pixelValues: [batch, 3, size, size],
    features: [batch, config.imageTokens, config.vision.hiddenSize],
    tokenTypes: [batch, length],
    attentionMask: [batch, length],
  };
  const given = new Map<string, Tensor>(Object.entries(inputs));
  for (const [name, shape] of Object.entries(expected)) {
    const found = given.get(name)?.shape;
    if (found && found.join() !== shape.join()) {
      throw new Error(`Expected ${name} [${shape}] for ids [${ids.shape}] and this model, found [${found}].`);
    }
  }
  if (isTracing()) return;
  const values = ids.dataSync<"int32">(), patches = config.imageTokens;
  for (let b = 0; b < batch; b++) {
    const row = values.subarray(b * length!, (b + 1) * length!);
    const images = row.reduce((n, id) => n + Number(id === config.imageTokenId), 0);
    if (images === patches) continue;
    throw new Error(
      `Expected ${patches} image tokens (id ${config.imageTokenId}) in row ${b}, one for each patch, found ${images}. ` +
        "Were the ids made with this model's tokenizer and encodeExample?",
    );
  }
}

const sink = (attentions: boolean, hiddenStates = false): Captured => ({
  ...(attentions ? { attentions: [] } : {}),
  ...(hiddenStates ? { hiddenStates: [] } : {}),
});

/**
 * Features of the vision tower, `[B, N, Dv]`, from pixelValues float32 `[B, 3, S, S]`.
 */
export function visionFeatures(
  params: Params,
  pixelValues: Tensor,
  config: PaliGemmaConfig,
  options: ForwardOptions = {},
): Tensor {
  return tf.tidy(() => {
    const h = visionTower(weightsOf(params, options.adapter), pixelValues, config);
    return tf.reshape(h, [pixelValues.shape[0], -1, config.vision.hiddenSize]);
  });
}

/**
 * Cumulative sums of x `[B, L]`, zeros and ones, along the last axis. A matrix product, exact in TF32 too: `tf.cumsum`, compiled
 * by XLA, took 1.8 ms of a training step of PaliGemma-3B on an H200, and as much again in the backward pass.
 */
function countedSoFar(x: Tensor): Tensor {
  const length = x.shape[1]!, places = tf.range(0, length, 1, "float32");
  const upTo = tf.lessEqual(tf.reshape(places, [length, 1]), tf.reshape(places, [1, length]));
  return matMul(x, tf.cast(upTo, "float32"));
}

/**
 * The sequence Gemma reads: text embeddings, and at each `<image>` token the next of its row's image features.
 *
 * @param images `[B * N, D]` projected features
 * @returns `[B * L, D]`
 */
export function mergeImageFeatures(w: Weights, images: Tensor, ids: Tensor, config: PaliGemmaConfig): Tensor {
  const batch = ids.shape[0]!, n = images.shape[0] / batch;
  const isImage = tf.cast(tf.equal(ids, tf.scalar(config.imageTokenId, "int32")), "int32") as Tensor;
  const nth = tf.clipByValue(tf.sub(countedSoFar(tf.cast(isImage, "float32")), 1), 0, n - 1); // [B, L]
  const row = tf.mul(tf.reshape(tf.range(0, batch, 1, "float32"), [batch, 1]), n);
  const source = tf.cast(tf.reshape(tf.add(nth, row), [-1]), "int32");
  const where = as(tf.reshape(tf.cast(isImage, "float32"), [-1, 1]), images); // [B * L, 1]
  checkIndices("ids", ids, Math.max(config.text.vocabSize, config.imageTokenId + 1));
  // An image token past the table is looked up as token 0; its embedding is not used.
  const known = config.imageTokenId < config.text.vocabSize
    ? ids
    : tf.mul(ids, tf.sub(tf.scalar(1, "int32"), isImage)) as Tensor;
  const text = as(embedTokens(w, known, config), images);
  // Arithmetic and not `where`, whose gradient would leave bf16.
  return tf.add(tf.mul(gather(images, source), where), tf.mul(text, tf.sub(1, where)));
}

/** Mask and rotary angles of a whole sequence. */
export function attentionInputs(inputs: TokenInputs, config: PaliGemmaConfig, dtype: DType): AttentionInputs {
  const places = tf.range(0, inputs.ids.shape[1]!, 1, "int32");
  return { ...rotary(places, config, dtype), mask: prefixMask(inputs.tokenTypes, inputs.attentionMask) };
}

/** The forward pass over flat weights; see `forward`. */
export function run(
  w: Weights,
  inputs: ModelInputs | FeatureInputs,
  config: PaliGemmaConfig,
  options: Omit<ForwardOptions, "adapter"> = {},
): ForwardOutput {
  checkInputs(inputs, config);
  const [batch, length] = inputs.ids.shape as [number, number], D = config.text.hiddenSize;
  const { attentions, scores, hiddenStates, onLayer } = options.capture ?? {};
  const vision = sink(attentions === "all", hiddenStates),
    text = { ...sink(!!attentions, hiddenStates), onLayer };
  if (scores) text.scores = [];
  const features = "features" in inputs
    ? tf.reshape(inputs.features, [-1, config.vision.hiddenSize])
    : visionTower(w, inputs.pixelValues, config, vision);
  const images = projector(w, features);
  const merged = mergeImageFeatures(w, images, inputs.ids, config);
  const shared = attentionInputs(inputs, config, realType(merged));
  const { h } = decoder(w, merged, batch, config, shared, undefined, text);
  if (text.hiddenStates) {
    const last = rmsNorm(w, h, "language_model.norm", config.text.rmsNormEps);
    text.hiddenStates.push(tf.reshape(last, [batch, length, D]));
  }
  // Picking rows before the output layer: V = 257,216 logits for 1,024 image tokens would be a gigabyte of nothing.
  const logits = options.logitsAt
    ? lmHead(w, gather(h, options.logitsAt), config)
    : tf.reshape(lmHead(w, h, config), [batch, length, -1]);
  return {
    logits,
    ...(attentions ? { attentions: { text: text.attentions!, vision: vision.attentions ?? [] } } : {}),
    ...(scores ? { scores: text.scores } : {}),
    ...(hiddenStates ? { hiddenStates: { text: text.hiddenStates!, vision: vision.hiddenStates! } } : {}),
  };
}

/**
 * PaliGemma's forward pass: next-token logits, and attentions and hidden states on request.
 * The same function runs eagerly, inside `jit` and under tfjs's gradients.
 *
 * Differences from transformers: none in the numbers (tests/parity). Token types are mandatory: left out,
 * transformers falls back to a mask that is causal or fully bidirectional depending on the attention kernel.
 * Of inputs that are features nothing below the projector is computed, nor captured.
 */
export function forward(
  params: Params,
  inputs: ModelInputs | FeatureInputs,
  config: PaliGemmaConfig,
  options: ForwardOptions = {},
): ForwardOutput {
  return tidy(() => run(weightsOf(params, options.adapter), inputs, config, options));
}

/** Base weights and adapter of a model as one flat record. */
export const modelWeights = (model: Model): Weights => weightsOf(model.params, model.adapter);

/** The type of the activations: that of the embedding table. */
export const dtypeOf = (w: Weights): DType => realType(weight(w, "language_model.embed_tokens.weight"));
