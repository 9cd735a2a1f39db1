import {
  type Answer,
  type AnswerOptions,
  answerPrompts,
  imageState,
  keptResult,
  type NamedModel,
  type Prompt,
} from "../model/mod.ts";

/** Batches whose answers are kept together: what a killed run may have to ask again. */
const TOGETHER = 32;

/**
 * {@link answerPrompts}, or what it gave to the same prompts of the same model with the same settings, some batches at a
 * time: a run after one that was killed asks only for what is missing. The answers are the same, bit for bit, as those of
 * one call.
 *
 * @throws as answerPrompts
 */
export async function answerOrFind(
  named: NamedModel,
  prompts: readonly Prompt[],
  options: AnswerOptions,
): Promise<Answer[][]> {
  const { onProgress, signal: _signal, onText: _onText, group, ...settings } = options;
  const answers: Answer[][] = [], size = TOGETHER * options.batchSize;
  for (let start = 0; start < prompts.length; start += size) {
    const some = prompts.slice(start, start + size);
    const state = options.blankImages ? () => "" : imageState;
    const key = {
      settings,
      prompts: some.map(({ imagePath, ...prompt }) => [imagePath, state(imagePath), prompt]),
    };
    const make = () =>
      answerPrompts(named.model, named.tokenizer, named.store, some, {
        ...options,
        onProgress: (done) => onProgress?.(start + done, prompts.length),
      });
    answers.push(...await keptResult("answers", "answers", named, key, make, group));
    await onProgress?.(answers.length, prompts.length);
  }
  return answers;
}
