import { checkpoint } from "../jupyter/mod.ts";
import { dispose } from "../tensor/mod.ts";
import { encodeExample, padBatch, type Tokenizer } from "../text/mod.ts";
import { checkGeneration, generate, type GenerateOptions } from "./generate.ts";
import { type ImageStore, pixelValuesOf, readAhead } from "./image_store.ts";
import { type Model, type ModelInputs, modelInputs } from "./paligemma.ts";

/** An image and a prompt, e.g. "answer en what organ is shown?". */
export interface Prompt {
  readonly imagePath: string;
  readonly prefix: string;
}

/** What the model said to one prompt. */
export interface Answer {
  /** The new tokens as text, without eos. */
  text: string;
  /** Sum of the log-probabilities of its tokens (eos included), in nats. */
  logprob: number;
  /** Whether it ended by eos rather than at the token limit. */
  ended: boolean;
}

export interface AnswerOptions extends GenerateOptions {
  /** Prompts per batch; the last batch is filled up, so that one trace serves all. */
  batchSize: number;
  /** Number of the first batch (default 0), where these prompts are the later part of a list. */
  firstBatch?: number;
  /** Give the model grey images instead of the real ones (a control). */
  blankImages?: boolean;
  onProgress?: (done: number, total: number) => void | Promise<void>;
  /** Looked at between batches. */
  signal?: AbortSignal;
}

/** Left-padded model inputs for prompts, all of `length` tokens (default: the longest); the caller disposes them. */
export async function promptInputs(
  model: Model,
  tokenizer: Tokenizer,
  store: ImageStore,
  prompts: readonly Prompt[],
  options: { length?: number; blankImages?: boolean } = {},
): Promise<ModelInputs> {
  const sequences = prompts.map(({ prefix }) => encodeExample(tokenizer, model.config, { prefix }));
  const padded = padBatch(sequences, { side: "left", length: options.length });
  const pixels = options.blankImages
    ? new Float32Array(prompts.length * 3 * store.size ** 2)
    : await pixelValuesOf(prompts.map((p) => p.imagePath), store);
  return modelInputs(padded, pixels);
}

/**
 * Answers every prompt, in batches whose length is rounded up to a multiple of 16, so that few traces serve all (sort
 * prompts of mixed length by length first): `answers[i]` holds the `samples` answers (default one) to prompt i.
 * Batch b samples with seed `seed * 65536 + b`, so the answers depend on the batch size but not on timing.
 *
 * @throws the signal's reason between two batches, once it is aborted
 */
export async function answerPrompts(
  model: Model,
  tokenizer: Tokenizer,
  store: ImageStore,
  prompts: readonly Prompt[],
  options: AnswerOptions,
): Promise<Answer[][]> {
  const { batchSize, firstBatch = 0, blankImages, onProgress, signal, ...settings } = options;
  const samples = options.samples ?? 1;
  checkGeneration(settings);
  if (!(Number.isInteger(batchSize) && batchSize > 0)) {
    throw new Error(`batchSize must be a whole number above 0, found ${batchSize}.`);
  }
  const tokens = ({ prefix }: Prompt) => encodeExample(tokenizer, model.config, { prefix }).ids.length;
  const answers: Answer[][] = [];
  await using reader = readAhead(store);
  for (let start = 0; start < prompts.length; start += batchSize) {
    await checkpoint(signal);
    const batch = prompts.slice(start, start + batchSize);
    const real = batch.length;
    while (batch.length < batchSize) batch.push(batch[0]);
    const length = Math.ceil(Math.max(...batch.map(tokens)) / 16) * 16;
    const inputs = await promptInputs(model, tokenizer, store, batch, { length, blankImages });
    const next = prompts.slice(start + batchSize, start + 2 * batchSize);
    if (!blankImages) reader.start(next.map(({ imagePath }) => imagePath));
    const seed = (options.seed ?? 0) * 65536 + firstBatch + start / batchSize;
    const out = generate(model, inputs, { ...settings, seed: seed | 0 });
    dispose(inputs);
    for (let i = 0; i < real; i++) {
      answers.push(Array.from({ length: samples }, (_, j) => {
        const row = i * samples + j;
        return {
          text: tokenizer.decode(out.ids[row], { skipSpecial: true }).trim(),
          logprob: out.logprobs[row].reduce((sum, x) => sum + x, 0),
          ended: out.ended[row],
        };
      }));
    }
    await onProgress?.(Math.min(start + batchSize, prompts.length), prompts.length);
  }
  return answers;
}
