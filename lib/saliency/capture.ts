import { checkpoint } from "../jupyter/mod.ts";
import {
  attentionGradients,
  featureInputs,
  forward,
  generate,
  generateTokens,
  type ImageStore,
  labelRows,
  type LayerAttended,
  type Model,
  pixelValuesOf,
  type Prompt,
  promptInputs,
  visionFeatures,
} from "../model/mod.ts";
import { dispose, tf } from "../tensor/mod.ts";
import { encodeExample, padBatch, type Tokenizer, type TokenSequence } from "../text/mod.ts";
import type { SequenceLayout } from "./directions.ts";
import { headsOf, type LayerAttention, valuesOf } from "./matrices.ts";
import { type ReducedAttention, startReduction } from "./reduction.ts";
import { startRelevance } from "./relevance.ts";

/** An answer with all that maps are made of. Positions count the tokens of the whole sequence, without padding. */
export interface CapturedAnswer extends ReducedAttention {
  /** The answer's tokens, without eos. */
  answerIds: number[];
  /** The answer. */
  text: string;
  /** Every token of the sequence as text; image tokens are "<image>". */
  tokens: string[];
  /** Log-probability of each token of `layout.response` under the model, in nats. */
  logprobs: number[];
  /** Where image, prompt and answer lie. */
  layout: SequenceLayout;
  /** 1 where a position belongs to image, bos, question or newline (`prefixLmMask`), 0 in the answer. */
  prefix: Uint8Array;
  /** Gradient x attention of the answer's log-probability, `[L, L]`, if gradients were asked for. */
  relevance?: Float32Array;
}

/** How the answer comes about. */
export interface CaptureOptions {
  /** The answer's tokens; the model's own greedy answer where there are none. */
  answerIds?: readonly number[];
  /** Tokens of the greedy answer at most. Default 24. */
  maxNewTokens?: number;
  /** Also reduce gradients to `relevance`, which takes about three times as long. */
  gradients?: boolean;
  /**
   * Told of the language model's attention of every layer, first layer first, its number (from 0) and the sequence, for those
   * who look at single layers and heads. Of the 3B model at 448 px a layer has 39 MB.
   */
  onLayer?: (heads: LayerAttention, layer: number, layout: SequenceLayout) => void;
  /** Told after each token of the greedy answer what it is so far; the next token waits for it. */
  onText?: (text: string) => void | Promise<void>;
  /** Looked at before the answer and before the pass that captures it. */
  signal?: AbortSignal;
}

/**
 * Prompt and answer as one row: the answer's tokens are labels, and an empty answer is represented by its eos, so that
 * there is always one.
 *
 * @param answerIds without eos
 */
export function answerSequence(
  tokenizer: Tokenizer,
  config: { imageTokens: number },
  prefix: string,
  answerIds: readonly number[],
): TokenSequence {
  const head = encodeExample(tokenizer, config, { prefix });
  const response = answerIds.length > 0 ? answerIds : [tokenizer.eosId];
  return {
    ids: [...head.ids, ...response],
    tokenTypes: [...head.tokenTypes, ...response.map(() => 1)],
    labels: [...head.labels, ...response],
    truncated: head.truncated,
  };
}

/**
 * The language model's attention while it gives an answer: greedy, or the tokens that are given. Image, prompt and answer
 * are read together in one forward pass; the mask makes that equal to generating token by token. Each layer's attention is
 * reduced when the pass reaches it, and freed; of gradients likewise.
 *
 * An empty answer is represented by its eos (`answerSequence`), so that `layout.response` is never empty.
 *
 * @throws the signal's reason, once it is aborted
 */
export async function captureAnswer(
  model: Model,
  tokenizer: Tokenizer,
  store: ImageStore,
  prompt: Prompt,
  options: CaptureOptions = {},
): Promise<CapturedAnswer> {
  await checkpoint(options.signal);
  const answer = [...options.answerIds ?? await greedyIds(model, tokenizer, store, prompt, options)];
  const { config } = model, grid = Math.sqrt(config.imageTokens);
  const sequence = answerSequence(tokenizer, config, prompt.prefix, answer);
  const { ids, tokenTypes } = sequence, length = ids.length, start = tokenTypes.indexOf(1);
  const prefix = Uint8Array.from(tokenTypes, (type) => 1 - type), response = ids.slice(start);
  const layout: SequenceLayout = {
    length,
    imageStart: 0,
    rows: grid,
    columns: grid,
    response: response.map((_, i) => start + i),
    sinks: [config.imageTokens, start - 1],
  };
  const pixels = await pixelValuesOf([prompt.imagePath], store);
  await checkpoint(options.signal);
  const reduction = startReduction(layout), relevance = options.gradients && startRelevance(length);
  let layers = 0;
  const onLayer = (layer: LayerAttended) => {
    reduction.add(layer);
    const own = options.onLayer && headsOf(layer.attention.dataSync<"float32">(), config.text.heads, length);
    if (own) options.onLayer?.(own, layers, layout);
    layers++;
  };
  const values = valuesOf(() => {
    const { params, adapter } = model, side = store.size, row = padBatch([sequence], { side: "right" });
    const features = visionFeatures(params, tf.tensor4d(pixels, [1, 3, side, side]), config, { adapter });
    const inputs = featureInputs(row, features), labels = labelRows(row.labels, 1, length, { total: 1 });
    const { logits } = forward(params, inputs, config, {
      adapter,
      capture: { onLayer },
      logitsAt: labels.rows,
    });
    if (relevance) attentionGradients(model, inputs, labels, relevance.add);
    return tf.logSoftmax(logits);
  });
  const vocabulary = config.text.vocabSize;
  const logprobs = response.map((id, i) => values[i * vocabulary + id]);
  return {
    answerIds: answer,
    text: textOf(tokenizer, answer),
    tokens: ids.map((id) => id === tokenizer.imageId ? "<image>" : tokenizer.decode([id])),
    logprobs,
    layout,
    prefix,
    ...reduction.result(),
    ...(relevance ? { relevance: relevance.result() } : {}),
  };
}

const textOf = (tokenizer: Tokenizer, ids: readonly number[]) =>
  tokenizer.decode(ids, { skipSpecial: true }).trim();

/** Prompts are padded to a multiple of 16, so that one traced function serves prompts of like length. */
async function greedyIds(
  model: Model,
  tokenizer: Tokenizer,
  store: ImageStore,
  prompt: Prompt,
  { maxNewTokens = 24, onText }: CaptureOptions,
): Promise<number[]> {
  const needed = encodeExample(tokenizer, model.config, { prefix: prompt.prefix }).ids.length;
  const inputs = await promptInputs(model, tokenizer, store, [prompt], {
    length: Math.ceil(needed / 16) * 16,
  });
  try {
    const { ids } = onText
      ? await generateTokens(model, inputs, { maxNewTokens }, ([own]) => onText(textOf(tokenizer, own)))
      : generate(model, inputs, { maxNewTokens });
    return ids[0];
  } finally {
    dispose(inputs);
  }
}
