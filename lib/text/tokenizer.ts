import { join } from "@std/path";
import { Tokenizer as JsonTokenizer } from "@huggingface/tokenizers";
import { z } from "zod";

/** Sixteen times PaliGemma's vocabulary. */
const MAX_TOKENS = 2 ** 22;
const isId = (x: unknown): boolean => Number.isInteger(x) && Number(x) >= 0 && Number(x) < MAX_TOKENS;

// The two big tables are looked through by hand: zod would take seconds.
function isVocabulary(x: unknown): boolean {
  if (typeof x !== "object" || x === null || Array.isArray(x)) return false;
  const ids = Object.values(x);
  return ids.length > 0 && ids.every(isId) && new Set(ids).size === ids.length;
}
const isMerge = (x: unknown): boolean => {
  const pair = typeof x === "string" ? x.split(" ") : x;
  return Array.isArray(pair) && pair.length === 2 &&
    pair.every((part) => typeof part === "string" && part !== "");
};

/**
 * Steps before the merges, as far as they are of PaliGemma's kind. A regular expression would be run by JavaScript, which
 * some of them can hang.
 */
const literally = z.looseObject({ String: z.string("expected a string, not a regular expression").min(1) });
const Step: z.ZodType = z.lazy(() =>
  z.discriminatedUnion("type", [
    z.looseObject({ type: z.literal("Replace"), pattern: literally, content: z.string() }),
    z.looseObject({ type: z.literal("Split"), pattern: literally, behavior: z.string() }),
    z.looseObject({ type: z.literal("Prepend"), prepend: z.string() }),
    z.looseObject({ type: z.enum(["NFC", "NFD", "NFKC", "NFKD"]) }),
    z.looseObject({
      type: z.literal("Sequence"),
      normalizers: z.array(Step).optional(),
      pretokenizers: z.array(Step).optional(),
    }),
  ], "is a step that Gemma's tokenizers do not have, and is not supported here")
);

/** What every checkpoint of this project must have in its tokenizer.json. */
const TokenizerFile = z.looseObject({
  added_tokens: z.array(
    z.looseObject({
      id: z.custom<number>(isId, `expected an id from 0 to ${MAX_TOKENS - 1}`),
      content: z.string().min(1),
    }),
  ),
  normalizer: Step.nullish(),
  pre_tokenizer: Step.nullish(),
  model: z.looseObject({
    type: z.literal("BPE"),
    vocab: z.custom<Record<string, number>>(
      isVocabulary,
      `expected an object that gives each token an id of its own from 0 to ${MAX_TOKENS - 1}`,
    ),
    merges: z.custom<unknown[]>(
      (x) => Array.isArray(x) && x.length <= MAX_TOKENS && x.every(isMerge),
      "expected a list of pairs of tokens",
    ),
    byte_fallback: z.literal(true),
  }),
});

/** Text to token ids and back, for Gemma's and PaliGemma's byte-fallback BPE. */
export interface Tokenizer {
  /** Ids of `text`; no special token is added, special tokens spelt out in it ("<eos>") are recognised. */
  encode(text: string): number[];
  /** Text of `ids`; ids without a token (padding rows of the embedding) are left out, as in transformers. */
  decode(ids: readonly number[], options?: { skipSpecial?: boolean }): string;
  /** Id of a token; undefined if there is none. */
  tokenToId(token: string): number | undefined;
  /** Token of an id; undefined if there is none. */
  idToToken(id: number): string | undefined;
  /** Id of <pad>. */
  padId: number;
  /** Id of <eos>. */
  eosId: number;
  /** Id of <bos>. */
  bosId: number;
  /** Id of "<image>", which stands for one image patch. */
  imageId: number;
  /** Greatest id + 1; a checkpoint's embedding may have more rows, never fewer. */
  vocabSize: number;
}

/**
 * Reads `tokenizer.json` of a checkpoint folder.
 * Same ids as Hugging Face transformers' fast tokenizer (tests/text/tokenizer_test.ts).
 * @throws if the file is missing, is not a byte-fallback BPE, or lacks <pad>, <eos>, <bos> or <image>.
 */
export async function loadTokenizer(dir: string): Promise<Tokenizer> {
  const path = join(dir, "tokenizer.json");
  let text: string;
  try {
    text = await Deno.readTextFile(path);
  } catch (cause) {
    throw new Error(
      `Expected a tokenizer at ${path}, but it cannot be read. Download the checkpoint again.`,
      {
        cause,
      },
    );
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new Error(`${path} is not valid JSON (${text.length} characters). Download it again.`, { cause });
  }
  return tokenizerFrom(json, path);
}

/** What the reader itself still finds wrong is told in one sentence. */
function opened(parts: object, where: string): JsonTokenizer {
  try {
    return new JsonTokenizer(parts, { clean_up_tokenization_spaces: false });
  } catch (cause) {
    throw new Error(`${where} is not a tokenizer that can be read. Download the checkpoint again.`, {
      cause,
    });
  }
}

/** The tokenizer described by a parsed tokenizer.json; `where` names it in errors. */
export function tokenizerFrom(json: unknown, where = "tokenizer.json"): Tokenizer {
  const parsed = TokenizerFile.safeParse(json);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new Error(
      `${where}: expected a byte-fallback BPE tokenizer; key "${issue.path.join(".")}": ${issue.message}.`,
    );
  }
  const file = parsed.data;
  const parts = { normalizer: null, pre_tokenizer: null, post_processor: null, decoder: null, ...file };
  const inner = opened(parts, where);
  const id = (token: string) => {
    const found = inner.token_to_id(token);
    if (found === undefined) {
      throw new Error(`${where}: expected a token "${token}", found none. Is this a PaliGemma tokenizer?`);
    }
    return found;
  };
  let vocabSize = 0;
  for (const i of Object.values(file.model.vocab)) vocabSize = Math.max(vocabSize, i + 1);
  for (const token of file.added_tokens) vocabSize = Math.max(vocabSize, token.id + 1);
  const special = new Set(file.added_tokens.filter((t) => t.special === true).map((t) => t.id));

  return {
    encode: (text) => inner.encode(text.toWellFormed(), { add_special_tokens: false }).ids,
    decode(ids, { skipSpecial = false } = {}) {
      const tokens = [];
      for (const i of ids) {
        const token = inner.id_to_token(i);
        if (token !== undefined && !(skipSpecial && special.has(i))) tokens.push(token);
      }
      return decodeTokens(tokens);
    },
    tokenToId: (token) => inner.token_to_id(token),
    idToToken: (i) => inner.id_to_token(i),
    padId: id("<pad>"),
    eosId: id("<eos>"),
    bosId: id("<bos>"),
    imageId: id("<image>"),
    vocabSize,
  };
}

/**
 * Gemma's decoder: Replace("▁", " "), ByteFallback, Fuse. A run of byte tokens that is not valid UTF-8 becomes one
 * U+FFFD per byte, as in Hugging Face tokenizers (its JavaScript port merges them, and drops a byte-order mark).
 */
function decodeTokens(tokens: readonly string[]): string {
  const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  let text = "";
  let bytes: number[] = [];
  const flush = () => {
    try {
      text += strict.decode(Uint8Array.from(bytes));
    } catch {
      text += "\ufffd".repeat(bytes.length);
    }
    bytes = [];
  };
  for (const token of tokens) {
    const byte = /^<0x([0-9A-Fa-f]{2})>$/.exec(token);
    if (byte) bytes.push(parseInt(byte[1], 16));
    else {
      flush();
      text += token.replaceAll("▁", " ");
    }
  }
  flush();
  return text;
}
