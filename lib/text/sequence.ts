import type { Tokenizer } from "./tokenizer.ts";

/** Label of a position that takes no part in the loss. */
export const IGNORED_LABEL: number = -100;

/**
 * Tokens of text (<bos>, prefix, line break and answer) that a sequence may have beside the image: what PaliGemma was
 * trained with at 448 px (arXiv 2407.07726, section 3.2). Memory grows with the square of the length.
 */
export const MAX_TEXT_TOKENS = 512;
/** Far more than that many tokens have; longer texts are not even tokenised. */
const MAX_CHARACTERS = 100_000;

/** One example as token ids. The three arrays have the same length. */
export interface TokenSequence {
  /** Token ids. */
  ids: number[];
  /** 0: image, <bos>, prefix, "\n" (all see each other); 1: suffix and <eos> (causal). */
  tokenTypes: number[];
  /** The id where `tokenTypes` is 1, else -100. Not shifted: the loss compares logits at t with labels at t + 1. */
  labels: number[];
  /** Prefix tokens cut off to fit `maxLength`. */
  truncated: number;
}

/** Rows of equal length; every array is row-major [batch, length]. */
export interface TokenBatch {
  /** `[B, L]` token ids. */
  ids: Int32Array;
  /** `[B, L]`, 0 for the prefix and 1 for the answer. */
  tokenTypes: Int32Array;
  /** `[B, L]`, 0 for padding. */
  attentionMask: Int32Array;
  /** `[B, L]`, {@linkcode IGNORED_LABEL} where nothing is learned. */
  labels: Int32Array;
  /** B. */
  batch: number;
  /** L. */
  length: number;
}

/** What a model reads and what it is to answer; without an answer nothing is labelled. */
export type Text = { prefix: string; suffix?: string | null };

/** The tokens of prefix and line break, and of the answer with <eos>. */
function textTokens(tokenizer: Tokenizer, { prefix, suffix }: Text): { body: number[]; answer: number[] } {
  const answer = suffix === undefined || suffix === null
    ? []
    : [...tokenizer.encode(suffix), tokenizer.eosId];
  return { body: tokenizer.encode(prefix + "\n"), answer };
}

/** Whether {@linkcode encodeExample} takes a text as it is: it is short enough and holds no "<image>". */
export function fitsSequence(tokenizer: Tokenizer, text: Text): boolean {
  if (text.prefix.length + (text.suffix?.length ?? 0) > MAX_CHARACTERS) return false;
  const { body, answer } = textTokens(tokenizer, text), ids = [...body, ...answer];
  return 1 + ids.length <= MAX_TEXT_TOKENS && !ids.includes(tokenizer.imageId);
}

/**
 * `<image> * n, <bos>, prefix + "\n"`, and with a suffix `suffix, <eos>`: the ids of transformers' PaliGemmaProcessor.
 * "\n" is glued on before tokenisation, so a prefix that ends in a line break can end in the single token "\n\n".
 *
 * Longer than `maxLength`, the end of the prefix is cut; image tokens, <bos>, the line break and the answer never are.
 * @throws if the text holds "<image>", `maxLength` has no room for what must not be cut, or, without one, there are more
 * than {@linkcode MAX_TEXT_TOKENS} tokens of text.
 *
 * @example A question and its answer as the nano model reads them
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { paths } from "@lib/config/mod.ts";
 * import { encodeExample, loadTokenizer } from "@lib/text/mod.ts";
 *
 * const tokenizer = await loadTokenizer(`${paths.data}/nano`);
 * const { ids } = encodeExample(tokenizer, { imageTokens: 2 }, { prefix: "answer en side?", suffix: "left" });
 * assertEquals(ids.slice(0, 3), [tokenizer.imageId, tokenizer.imageId, tokenizer.bosId]);
 * assertEquals(ids.at(-1), tokenizer.eosId);
 * ```
 */
export function encodeExample(
  tokenizer: Tokenizer,
  config: { imageTokens: number },
  { prefix, suffix, maxLength }: Text & { maxLength?: number },
): TokenSequence {
  const characters = prefix.length + (suffix?.length ?? 0);
  if (characters > MAX_CHARACTERS) {
    throw new Error(
      `Expected a question and answer of at most ${MAX_CHARACTERS} characters, found ${characters}. Shorten them.`,
    );
  }
  const { body, answer } = textTokens(tokenizer, { prefix, suffix });
  if (body.includes(tokenizer.imageId) || answer.includes(tokenizer.imageId)) {
    throw new Error(
      `Expected text without "<image>" (image tokens are added here), found it in ${
        JSON.stringify({ prefix, suffix })
      }. Remove it from the question or answer.`,
    );
  }
  const whole = config.imageTokens + 1 + body.length + answer.length;
  if (maxLength === undefined && whole - config.imageTokens > MAX_TEXT_TOKENS) {
    throw new Error(
      `Expected a prompt of at most ${MAX_TEXT_TOKENS} tokens of text, which the model was trained for, found ` +
        `${whole - config.imageTokens} in "${prefix.slice(0, 60)}...". Ask a shorter question.`,
    );
  }
  const truncated = maxLength === undefined ? 0 : Math.max(0, whole - maxLength);
  if (truncated > body.length - 1) {
    throw new Error(
      `Expected maxLength >= ${
        whole - body.length + 1
      } (${config.imageTokens} image tokens, <bos>, line break, ` +
        `${answer.length} answer tokens), found ${maxLength}. Raise maxLength or shorten the answer.`,
    );
  }
  if (truncated) body.splice(body.length - 1 - truncated, truncated);
  const head = [...new Array<number>(config.imageTokens).fill(tokenizer.imageId), tokenizer.bosId, ...body];
  return {
    ids: [...head, ...answer],
    tokenTypes: [...head.map(() => 0), ...answer.map(() => 1)],
    labels: [...head.map(() => IGNORED_LABEL), ...answer],
    truncated,
  };
}

/**
 * Pads sequences to the longest, or to `length`. Padding: id 0 (<pad>), type 0, attention 0, label -100.
 * Left is what transformers does for PaliGemma in training and generation alike.
 * @throws if there is no sequence, or one is longer than `length`.
 */
export function padBatch(
  sequences: readonly TokenSequence[],
  { side, length }: { side: "left" | "right"; length?: number },
): TokenBatch {
  if (!sequences.length) throw new Error("Expected at least one sequence to make a batch, found none.");
  const longest = sequences.reduce((n, s) => Math.max(n, s.ids.length), 0);
  if (length !== undefined && longest > length) {
    throw new Error(
      `Expected sequences of at most ${length} tokens, found one of ${longest}. Pass maxLength to encodeExample.`,
    );
  }
  const L = length ?? longest, B = sequences.length;
  const ids = new Int32Array(B * L);
  const tokenTypes = new Int32Array(B * L);
  const attentionMask = new Int32Array(B * L);
  const labels = new Int32Array(B * L).fill(IGNORED_LABEL);
  sequences.forEach((s, b) => {
    const start = b * L + (side === "left" ? L - s.ids.length : 0);
    ids.set(s.ids, start);
    tokenTypes.set(s.tokenTypes, start);
    attentionMask.fill(1, start, start + s.ids.length);
    labels.set(s.labels, start);
  });
  return { ids, tokenTypes, attentionMask, labels, batch: B, length: L };
}
