import { kept } from "../artifacts/mod.ts";
import { sha256, writeFileAtomic } from "../config/mod.ts";
import {
  type Answer,
  type AnswerOptions,
  answerPrompts,
  imageState,
  type ImageStore,
  type Model,
  type Prompt,
} from "../model/mod.ts";
import type { Tokenizer } from "../text/mod.ts";

/** Batches whose answers are kept together: what a killed run may have to ask again. */
const TOGETHER = 32;

const vocabularies = new WeakMap<Tokenizer, string>();

/** Hash of what each id means. */
function vocabularySha256(tokenizer: Tokenizer): string {
  let known = vocabularies.get(tokenizer);
  if (!known) {
    const tokens = Array.from({ length: tokenizer.vocabSize }, (_, id) => tokenizer.idToToken(id) ?? null);
    vocabularies.set(tokenizer, known = sha256(JSON.stringify(tokens)));
  }
  return known;
}

/**
 * {@link answerPrompts}, or what it gave to the same prompts of the same model with the same settings, some batches at a
 * time: a run after one that was killed asks only for what is missing. The answers are the same, bit for bit, as those of
 * one call.
 *
 * @param weights names the model's weights: equal names, equal weights
 * @throws as answerPrompts
 */
export async function answerOrFind(
  weights: string,
  model: Model,
  tokenizer: Tokenizer,
  store: ImageStore,
  prompts: readonly Prompt[],
  options: AnswerOptions,
): Promise<Answer[][]> {
  const { onProgress, signal: _signal, onToken: _onToken, ...settings } = options;
  const answers: Answer[][] = [], size = TOGETHER * options.batchSize;
  for (let start = 0; start < prompts.length; start += size) {
    const some = prompts.slice(start, start + size);
    const state = options.blankImages ? () => "" : imageState;
    const key = {
      weights,
      model: [model.config, model.dtype, store.size],
      vocabulary: vocabularySha256(tokenizer),
      settings,
      prompts: some.map(({ imagePath, ...prompt }) => [imagePath, state(imagePath), prompt]),
    };
    const path = await kept("answers", "answers", key, async (path) => {
      const given = await answerPrompts(model, tokenizer, store, some, {
        ...options,
        onProgress: (done) => onProgress?.(start + done, prompts.length),
      });
      await writeFileAtomic(path, JSON.stringify(given));
    });
    answers.push(...JSON.parse(await Deno.readTextFile(path)) as Answer[][]);
    await onProgress?.(answers.length, prompts.length);
  }
  return answers;
}
