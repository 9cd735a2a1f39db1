import { ensureDir } from "@std/fs";
import { join } from "@std/path";
import { writeFileAtomic } from "../config/mod.ts";

/** A token that no merge makes, as tokenizer.json lists it. */
export interface AddedToken {
  /** Its id. */
  id: number;
  /** Its text. */
  content: string;
  /** It may lie within a word. */
  single_word: false;
  /** White space before it stays. */
  lstrip: false;
  /** White space after it stays. */
  rstrip: false;
  /** It is looked for in the text as it came. */
  normalized: false;
  /** Left out when ids become text. */
  special: boolean;
}

/** The part of Hugging Face's tokenizer.json that a Gemma-style tokenizer uses. */
export interface TokenizerJson {
  /** Of the format. */
  version: "1.0";
  /** None. */
  truncation: null;
  /** None. */
  padding: null;
  /** Special tokens, which no merge makes. */
  added_tokens: AddedToken[];
  /** Spaces become "▁". */
  normalizer: { type: "Replace"; pattern: { String: " " }; content: "▁" };
  /** None: merges alone say where tokens end. */
  pre_tokenizer: null;
  /** None. */
  post_processor: null;
  /** How tokens become text again. */
  decoder: { type: "Sequence"; decoders: Record<string, unknown>[] };
  /** Tokens with their ids, and merges in order. */
  model: {
    type: "BPE";
    dropout: null;
    unk_token: "<unk>";
    continuing_subword_prefix: null;
    end_of_word_suffix: null;
    fuse_unk: true;
    byte_fallback: true;
    ignore_merges: false;
    vocab: Record<string, number>;
    merges: [string, string][];
  };
}

const SPECIAL = ["<pad>", "<eos>", "<bos>", "<unk>"];
const BYTES = Array.from({ length: 256 }, (_, b) => `<0x${b.toString(16).toUpperCase().padStart(2, "0")}>`);
const ASCII = Array.from({ length: 0x7f - 0x21 }, (_, i) => String.fromCharCode(0x21 + i));
/** Merges stay inside a word (with the "▁" before it) or a run of punctuation; digits and line breaks stay alone. */
const WORDS = /▁?[\p{L}\p{M}]+|[^\p{L}\p{M}\p{N}\s▁]+|▁|[\p{N}\s]/gu;

/**
 * Trains a Gemma-style BPE: <pad> 0, <eos> 1, <bos> 2, <unk> 3, 256 byte tokens, "\n", the characters (all printable
 * ASCII, "▁", those of `texts`), merges, "<unusedN>" where merges run out, and <image> last, at `vocabSize` - 1.
 * Deterministic, and independent of the order of `texts`: the most frequent pair first, ties by the lower ids.
 * @throws if `vocabSize` has no room for specials, bytes and characters.
 *
 * @example A word that comes often becomes a token
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { trainBpe } from "@lib/nano/bpe_train.ts";
 *
 * const { model } = trainBpe(["nodule nodule nodule"], 400);
 * assertEquals("▁nodule" in model.vocab, true);
 * ```
 */
export function trainBpe(texts: readonly string[], vocabSize: number): TokenizerJson {
  const counts = new Map<string, number>();
  for (const text of texts) {
    for (const [word] of text.toWellFormed().replaceAll(" ", "▁").matchAll(WORDS)) {
      counts.set(word, (counts.get(word) ?? 0) + 1);
    }
  }
  const characters = new Set([...ASCII, "▁"]);
  for (const word of counts.keys()) for (const c of word) characters.add(c);
  characters.delete("\n");
  const sorted = [...characters].sort((a, b) => a.codePointAt(0)! - b.codePointAt(0)!);
  const tokens = [...SPECIAL, ...BYTES, "\n", ...sorted];
  if (tokens.length + 1 > vocabSize) {
    throw new Error(
      `Expected a vocabulary of at least ${
        tokens.length + 1
      } tokens (specials, bytes and the ${sorted.length} ` +
        `characters of the texts), found ${vocabSize}. Raise vocabSize.`,
    );
  }
  const merges = learnMerges(counts, tokens, vocabSize - 1);
  for (let i = 0; tokens.length < vocabSize - 1; i++) tokens.push(`<unused${i}>`);
  tokens.push("<image>");
  return tokenizerJson(tokens, merges);
}

/** Appends the tokens that merging makes to `tokens`, up to `limit` of them, and returns the merges in order. */
function learnMerges(counts: Map<string, number>, tokens: string[], limit: number): [string, string][] {
  const idOf = new Map(tokens.map((t, i) => [t, i]));
  const words = [...counts].map(([word, count]) => ({ ids: Array.from(word, (c) => idOf.get(c)!), count }));
  const merges: [string, string][] = [];
  while (tokens.length < limit) {
    const pairs = new Map<number, number>(); // key: left id * limit + right id, so that lower ids have lower keys
    for (const { ids, count } of words) {
      for (let i = 0; i + 1 < ids.length; i++) {
        const key = ids[i] * limit + ids[i + 1];
        pairs.set(key, (pairs.get(key) ?? 0) + count);
      }
    }
    let best = -1, most = 1; // a pair seen once is not a pattern
    for (const [key, count] of pairs) {
      if (count > most || (count === most && best >= 0 && key < best)) [best, most] = [key, count];
    }
    if (best < 0) break;
    const left = Math.floor(best / limit), right = best % limit;
    const made = tokens[left] + tokens[right];
    // Two merges can spell the same token; it keeps its first id, as in Hugging Face's trainer.
    if (!idOf.has(made)) idOf.set(made, tokens.push(made) - 1);
    merges.push([tokens[left], tokens[right]]);
    for (const word of words) mergeIn(word.ids, left, right, idOf.get(made)!);
  }
  return merges;
}

/** Replaces each `left, right` in `ids` by `made`, from left to right, in place. */
function mergeIn(ids: number[], left: number, right: number, made: number): void {
  for (let i = 0; i + 1 < ids.length; i++) {
    if (ids[i] === left && ids[i + 1] === right) ids.splice(i, 2, made);
  }
}

function tokenizerJson(tokens: readonly string[], merges: [string, string][]): TokenizerJson {
  const special = [...SPECIAL, "<image>"];
  return {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: tokens.flatMap((content, id) =>
      special.includes(content)
        ? [{
          id,
          content,
          single_word: false,
          lstrip: false,
          rstrip: false,
          normalized: false,
          special: true,
        }]
        : []
    ),
    normalizer: { type: "Replace", pattern: { String: " " }, content: "▁" },
    pre_tokenizer: null,
    post_processor: null,
    decoder: {
      type: "Sequence",
      decoders: [
        { type: "Replace", pattern: { String: "▁" }, content: " " },
        { type: "ByteFallback" },
        { type: "Fuse" },
      ],
    },
    model: {
      type: "BPE",
      dropout: null,
      unk_token: "<unk>",
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: true,
      byte_fallback: true,
      ignore_merges: false,
      vocab: Object.fromEntries(tokens.map((t, i) => [t, i])),
      merges,
    },
  };
}

/** Writes tokenizer.json and the tokenizer_config.json that lets transformers' PaliGemmaProcessor open it. */
export async function writeTokenizer(dir: string, json: TokenizerJson): Promise<void> {
  await ensureDir(dir);
  const config = {
    tokenizer_class: "PreTrainedTokenizerFast",
    pad_token: "<pad>",
    eos_token: "<eos>",
    bos_token: "<bos>",
    unk_token: "<unk>",
    image_token: "<image>",
    extra_special_tokens: { image_token: "<image>" },
    padding_side: "left",
    clean_up_tokenization_spaces: false,
  };
  for (const [name, value] of [["tokenizer.json", json], ["tokenizer_config.json", config]] as const) {
    await writeFileAtomic(join(dir, name), JSON.stringify(value, null, 1) + "\n");
  }
}
