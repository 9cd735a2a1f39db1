import { checkpoint } from "../jupyter/mod.ts";
import { dispose, type Group, shareItems } from "../tensor/mod.ts";
import { encodeExample, padBatch, type Tokenizer } from "../text/mod.ts";
import { checkGeneration, generate, type GenerateOptions, generateTokens } from "./generate.ts";
import { type ImageStore, pixelValuesOf, readAhead } from "./image_store.ts";
import { type Model, type ModelInputs, modelInputs } from "./paligemma.ts";
import type { Sampling } from "./sampling.ts";

/** An image and a prompt, e.g. "answer en what organ is shown?". */
export interface Prompt {
  /** Path of the image. */
  readonly imagePath: string;
  /** What the model reads before its answer. */
  readonly prefix: string;
  /** With a temperature: a seed of each of its answers, as many for every prompt. */
  readonly seeds?: readonly number[];
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

/** How answers are generated. */
export interface AnswerOptions extends Omit<GenerateOptions, "seeds"> {
  /** Prompts per batch; a batch with fewer is filled up, so that one trace serves all of a length. */
  batchSize: number;
  /** Give the model grey images instead of the real ones (a control). */
  blankImages?: boolean;
  /** Processes that share the batches; all get all answers. */
  group?: Group;
  /** Told after each token what the answers to the prompts of a batch are so far; the next token waits for it. */
  onText?: (texts: string[][]) => void | Promise<void>;
  /** Called after every batch of this process, with its prompts. */
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
 * Answers every prompt: `answers[i]` holds the answers to prompt i, one per seed (without seeds one, greedy).
 * A prompt's length is rounded up to a multiple of 16 and a batch holds prompts of one such length, so that few traces
 * serve all, and neither a prompt's padding nor its random numbers depend on the other prompts, their order or the batch
 * size. (The size of a batch may still change a logit by rounding.)
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
  const { batchSize, blankImages, group, onText, onProgress, signal, ...settings } = options;
  checkGeneration({ ...settings, seeds: seedsOf(prompts, settings) });
  if (!(Number.isInteger(batchSize) && batchSize > 0)) {
    throw new Error(`batchSize must be a whole number above 0, found ${batchSize}.`);
  }
  const paddedLength = ({ prefix }: Prompt) =>
    Math.ceil(encodeExample(tokenizer, model.config, { prefix }).ids.length / 16) * 16;
  const byLength = Map.groupBy(prompts.keys(), (i) => paddedLength(prompts[i]));
  const batches = [...byLength].flatMap(([length, places]) =>
    places.flatMap((_, i) => i % batchSize ? [] : [{ length, places: places.slice(i, i + batchSize) }])
  );
  const given = await shareItems(batches, group, async (own) => {
    const answers: Answer[][][] = [], total = own.reduce((sum, { places }) => sum + places.length, 0);
    let done = 0;
    await using reader = readAhead(store);
    for (const [b, { length, places }] of own.entries()) {
      await checkpoint(signal);
      const batch = Array.from({ length: batchSize }, (_, i) => prompts[places[i] ?? places[0]]);
      const inputs = await promptInputs(model, tokenizer, store, batch, { length, blankImages });
      const next = own[b + 1]?.places ?? [];
      if (!blankImages) reader.start(next.map((i) => prompts[i].imagePath));
      const asked = { ...settings, seeds: seedsOf(batch, settings) };
      const textOf = (ids: readonly number[]) => tokenizer.decode(ids, { skipSpecial: true }).trim();
      /** What belongs to each prompt of the batch, of a list with something for each row. */
      const byPrompt = <T>(rows: readonly T[]) => {
        const each = rows.length / batchSize;
        return places.map((_, i) => rows.slice(i * each, (i + 1) * each));
      };
      try {
        const out = onText
          ? await generateTokens(model, inputs, asked, (rows) => onText(byPrompt(rows.map(textOf))))
          : generate(model, inputs, asked);
        answers.push(byPrompt(out.ids.map((ids, row): Answer => ({
          text: textOf(ids),
          logprob: out.logprobs[row].reduce((sum, x) => sum + x, 0),
          ended: out.ended[row],
        }))));
      } finally {
        dispose(inputs);
      }
      await onProgress?.(done += places.length, total);
    }
    return answers;
  });
  const answers: Answer[][] = new Array(prompts.length);
  batches.forEach(({ places }, b) => places.forEach((place, i) => answers[place] = given[b][i]));
  return answers;
}

/** Of a greedy answer there are none. */
const seedsOf = (prompts: readonly Prompt[], { temperature }: Sampling) =>
  temperature === undefined && prompts.every(({ seeds }) => !seeds)
    ? undefined
    : prompts.map(({ seeds = [] }) => seeds);
