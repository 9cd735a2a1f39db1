import type { Tokenizer } from "../../lib/text/mod.ts";
import { phantomItems } from "../../lib/nano/mod.ts";
import { type Example, toExamples } from "../../lib/training/mod.ts";
import type { PaliGemmaConfig } from "../../lib/weights/mod.ts";

/** Questions of some types about phantoms of a style, for a `phantomStore`: `count` of each type. */
export const phantomExamples = (
  count: number,
  seed: number,
  style: Parameters<typeof phantomItems>[2],
  types: Parameters<typeof phantomItems>[3],
  tokenizer: Tokenizer,
  config: PaliGemmaConfig,
): Example[] =>
  toExamples(
    phantomItems(count, seed, style, types).map((item, i) => ({
      id: `${i}`,
      imagePath: `${style}/${item.seed}`,
      imageId: `${item.seed}`,
      question: item.question,
      answer: item.answer,
      choices: null,
    })),
    tokenizer,
    config,
  );
