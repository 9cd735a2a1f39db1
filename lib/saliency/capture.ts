import { checkpoint } from "../jupyter/mod.ts";
import {
  forward,
  generate,
  type ImageStore,
  type Model,
  modelInputs,
  pixelValuesOf,
  promptInputs,
} from "../model/mod.ts";
import type { Prompt } from "../model/mod.ts";
import { dispose, tf } from "../tensor/mod.ts";
import { encodeExample, IGNORED_LABEL, padBatch, type Tokenizer } from "../text/mod.ts";
import type { SequenceLayout } from "./directions.ts";
import { headsOf, type LayerAttention } from "./matrices.ts";

/** An answer with all that maps are made of. Positions count the tokens of the whole sequence, without padding. */
export interface CapturedAnswer {
  /** The answer's tokens, without eos. */
  answerIds: number[];
  text: string;
  /** Every token of the sequence as text; image tokens are "<image>". */
  tokens: string[];
  /** Log-probability of each token of `layout.response` under the model, in nats. */
  logprobs: number[];
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
}

/** How the answer comes about. */
export interface CaptureOptions {
  /** The answer's tokens; the model's own greedy answer where there are none. */
  answerIds?: readonly number[];
  /** Tokens of the greedy answer at most. Default 24. */
  maxNewTokens?: number;
  compiler?: "graph" | "xla";
  /** Told after each token of the greedy answer. */
  onToken?: (tokens: number) => void;
  /** Looked at before the answer and before the pass that captures it. */
  signal?: AbortSignal;
}

/**
 * The language model's attention while it gives an answer: greedy, or the tokens that are given. Image, prompt and answer
 * are read together in one forward pass; the mask makes that equal to generating token by token.
 *
 * An empty answer is represented by its eos, so that `layout.response` is never empty.
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
  const head = encodeExample(tokenizer, config, { prefix: prompt.prefix }).ids;
  const response = answer.length > 0 ? answer : [config.eosId];
  const ids = [...head, ...response], length = ids.length;
  const prefix = Uint8Array.from(ids, (_, i) => Number(i < head.length));
  const layout: SequenceLayout = {
    length,
    imageStart: 0,
    rows: grid,
    columns: grid,
    response: response.map((_, i) => head.length + i),
    sinks: [config.imageTokens, head.length - 1],
  };
  const labels = ids.map(() => IGNORED_LABEL), tokenTypes = [...prefix].map((x) => 1 - x);
  const sequence = { ids, tokenTypes, labels, truncated: 0 };
  const pixels = await pixelValuesOf([prompt.imagePath], store);
  await checkpoint(options.signal);
  // Tensors leave the tidy, numbers do not: TensorFlow.js would walk through every value of an array.
  const [chances, over, ...layers] = tf.tidy(() => {
    const output = forward(
      model.params,
      modelInputs(padBatch([sequence], { side: "right" }), pixels),
      config,
      {
        adapter: model.adapter,
        capture: { attentions: "text", scores: true },
        logitsAt: tf.tensor1d(layout.response.map((position) => position - 1), "int32"),
      },
    );
    const overKeys = output.scores!.map((layer) =>
      tf.softmax(
        tf.slice(layer, [0, 0, 0, head.length], [1, -1, config.imageTokens, response.length]),
      )
    );
    const over = tf.mean(tf.concat(overKeys, 1), [0, 1]); // [patches, answer tokens]
    return [tf.logSoftmax(output.logits), over, ...output.attentions!.text];
  });
  const values = chances.dataSync<"float32">(), vocabulary = config.text.vocabSize;
  const logprobs = response.map((id, i) => values[i * vocabulary + id]);
  const attentions = layers.map((layer) => headsOf(layer.dataSync<"float32">(), config.text.heads, length));
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
