import { checkpoint } from "../jupyter/mod.ts";
import {
  attentionGradients,
  forward,
  generate,
  type ImageStore,
  labelRows,
  type Model,
  modelInputs,
  pixelValuesOf,
  promptInputs,
} from "../model/mod.ts";
import type { Prompt } from "../model/mod.ts";
import { dispose, tf } from "../tensor/mod.ts";
import { encodeExample, padBatch, type Tokenizer, type TokenSequence } from "../text/mod.ts";
import type { SequenceLayout } from "./directions.ts";
import { headsOf, type LayerAttention } from "./matrices.ts";

/** An answer with all that maps are made of. Positions count the tokens of the whole sequence, without padding. */
export interface CapturedAnswer {
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
  /** Attention of the language model, first layer first. */
  attentions: LayerAttention[];
  /**
   * Equation 2 as it is written: the softmax of every patch's query over the answer's keys alone, mean over heads and
   * layers, `[patches * answer tokens]`. (Of what the mask hides: no layer uses it.)
   */
  overAnswer: Float32Array;
  /** Gradients of the answer's log-probability for `attentions`, if they were asked for. */
  gradients?: LayerAttention[];
}

/** How the answer comes about. */
export interface CaptureOptions {
  /** The answer's tokens; the model's own greedy answer where there are none. */
  answerIds?: readonly number[];
  /** Tokens of the greedy answer at most. Default 24. */
  maxNewTokens?: number;
  /** Also capture gradients, which takes about three times as long. */
  gradients?: boolean;
  /** What runs the decoding of the greedy answer. Default "graph". */
  compiler?: "graph" | "xla";
  /** Told after each token of the greedy answer. */
  onToken?: (tokens: number) => void;
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
 * are read together in one forward pass; the mask makes that equal to generating token by token.
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
  // Tensors leave the tidy, numbers do not: TensorFlow.js would walk through every value of an array.
  const [chances, over, ...layers] = tf.tidy(() => {
    const row = padBatch([sequence], { side: "right" }), inputs = modelInputs(row, pixels);
    const labels = labelRows(row.labels, 1, length, { total: 1 });
    const output = forward(model.params, inputs, config, {
      adapter: model.adapter,
      capture: { attentions: "text", scores: true },
      logitsAt: labels.rows,
    });
    const gradients = options.gradients ? attentionGradients(model, inputs, labels) : [];
    const overKeys = output.scores!.map((layer) =>
      tf.softmax(
        tf.slice(layer, [0, 0, 0, start], [1, -1, config.imageTokens, response.length]),
      )
    );
    const over = tf.mean(tf.concat(overKeys, 1), [0, 1]); // [patches, answer tokens]
    return [tf.logSoftmax(output.logits), over, ...output.attentions!.text, ...gradients];
  });
  const values = chances.dataSync<"float32">(), vocabulary = config.text.vocabSize;
  const logprobs = response.map((id, i) => values[i * vocabulary + id]);
  const heads = layers.map((layer) => headsOf(layer.dataSync<"float32">(), config.text.heads, length));
  const attentions = heads.splice(0, config.text.layers);
  const overAnswer = over.dataSync<"float32">();
  tf.dispose([chances, over, ...layers]);
  return {
    answerIds: answer,
    text: tokenizer.decode(answer, { skipSpecial: true }).trim(),
    tokens: ids.map((id) => id === tokenizer.imageId ? "<image>" : tokenizer.decode([id])),
    logprobs,
    layout,
    prefix,
    attentions,
    overAnswer,
    ...(options.gradients ? { gradients: heads } : {}),
  };
}

/** Prompts are padded to a multiple of 16, so that one traced function serves prompts of like length. */
async function greedyIds(
  model: Model,
  tokenizer: Tokenizer,
  store: ImageStore,
  prompt: Prompt,
  { maxNewTokens = 24, compiler = "graph", onToken }: CaptureOptions,
): Promise<number[]> {
  const needed = encodeExample(tokenizer, model.config, { prefix: prompt.prefix }).ids.length;
  const inputs = await promptInputs(model, tokenizer, store, [prompt], {
    length: Math.ceil(needed / 16) * 16,
  });
  try {
    return generate(model, inputs, { maxNewTokens, compiler, onToken }).ids[0];
  } finally {
    dispose(inputs);
  }
}
