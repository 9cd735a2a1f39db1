/** Text: tokenizer.json readers, PaliGemma prompts, and token sequences with labels and types. */
export { loadTokenizer, type Tokenizer } from "./tokenizer.ts";
export { captionPrefix, type Language, questionPrefix } from "./prompt.ts";
export {
  encodeExample,
  fitsSequence,
  IGNORED_LABEL,
  padBatch,
  type Text,
  type TokenBatch,
  type TokenSequence,
} from "./sequence.ts";
