import { rng, shuffle } from "../config/mod.ts";
import {
  encodeExample,
  fitsSequence,
  questionPrefix,
  type Tokenizer,
  type TokenSequence,
} from "../text/mod.ts";
import type { PaliGemmaConfig } from "../weights/mod.ts";

/** What training needs of a question and answer pair. */
export interface Pair {
  /** Id of the pair. */
  readonly id: string;
  /** Path of the image. */
  readonly imagePath: string;
  /** Id of the image. */
  readonly imageId: string;
  /** What is asked. */
  readonly question: string;
  /** The answer. */
  readonly answer: string;
  /** The options; null without. */
  readonly choices: readonly string[] | null;
}

/** A pair turned into tokens. */
export interface Example {
  /** Id of the pair. */
  readonly id: string;
  /** Path of the image. */
  readonly imagePath: string;
  /** Id of the image. */
  readonly imageId: string;
  /** Its tokens, with labels. */
  readonly sequence: TokenSequence;
}

/** Whether a pair is no longer than the model reads, question and answer together. */
export const fitsModel = (
  pair: Pick<Pair, "question" | "choices" | "answer">,
  tokenizer: Tokenizer,
): boolean => fitsSequence(tokenizer, { prefix: questionPrefix(pair), suffix: pair.answer });

/** Tokenises pairs as `<image>*n <bos> answer en|zh QUESTION \n ANSWER <eos>`. */
export function toExamples(pairs: readonly Pair[], tokenizer: Tokenizer, config: PaliGemmaConfig): Example[] {
  return pairs.map((pair) => ({
    id: pair.id,
    imagePath: pair.imagePath,
    imageId: pair.imageId,
    sequence: encodeExample(tokenizer, config, {
      prefix: questionPrefix({ question: pair.question, choices: pair.choices }),
      suffix: pair.answer,
    }),
  }));
}

/**
 * Batches of one epoch in random order; a last, smaller batch is filled up from the epoch's start.
 *
 * @example Five examples in batches of two
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { epochBatches } from "@lib/training/mod.ts";
 *
 * const batches = epochBatches(["a", "b", "c", "d", "e"], 2, "stage1/7/0");
 * assertEquals([batches.length, new Set(batches.flat()).size], [3, 5]);
 * ```
 */
export function epochBatches<T>(examples: readonly T[], batchSize: number, seed: string): T[][] {
  const order = shuffle(examples, rng(seed));
  const batches: T[][] = [];
  for (let start = 0; start < order.length; start += batchSize) {
    const batch = order.slice(start, start + batchSize);
    for (let i = 0; batch.length < batchSize; i++) batch.push(order[i % order.length]);
    batches.push(batch);
  }
  return batches;
}
