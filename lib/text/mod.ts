/** Text: tokenizer.json readers, PaliGemma prompts, token sequences with labels and types, and a small BPE trainer. */
export { loadTokenizer, type Tokenizer, tokenizerFrom } from "./tokenizer.ts";
export { captionPrefix, type Language, questionPrefix } from "./prompt.ts";
export {
  encodeExample,
  fitsSequence,
  IGNORED_LABEL,
  MAX_TEXT_TOKENS,
  padBatch,
  type TokenBatch,
  type TokenSequence,
} from "./sequence.ts";
export { type TokenizerJson, trainBpe, writeTokenizer } from "./bpe_train.ts";
