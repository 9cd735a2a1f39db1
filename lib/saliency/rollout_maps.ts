import { imageState, type ImageStore, keptItems, type Model } from "../model/mod.ts";
import { questionPrefix, type Tokenizer } from "../text/mod.ts";
import { rolloutMap } from "./answer_maps.ts";
import { captureAnswer } from "./capture.ts";

/** Answers whose maps are kept together. */
const TOGETHER = 32;

/** A question about an image, and what was answered to it. */
export interface GivenAnswer {
  /** Path of the image. */
  imagePath: string;
  /** What was asked. */
  question: string;
  /** The options; null without. */
  choices: readonly string[] | null;
  /** The answer, of this model or of any other. */
  answer: string;
}

/**
 * Where a model looks for given answers: attention rollout over the image's patches, `[rows * columns]` each, row by row from the
 * top left.
 *
 * @param system whose maps are kept, and used when they are kept, where its weights have a name
 * @throws the signal's reason between two answers, once it is aborted
 */
export async function rolloutMaps(
  { model, weights }: { model: Model; weights?: string },
  tokenizer: Tokenizer,
  store: ImageStore,
  asked: readonly GivenAnswer[],
  { signal }: { signal?: AbortSignal } = {},
): Promise<Float32Array[]> {
  const named = weights === undefined ? undefined : { model, tokenizer, store, weights };
  const maps = await keptItems(
    { room: "saliency", kind: "answer_maps", together: TOGETHER, named },
    asked,
    (some) => some.map((one) => [questionPrefix(one), one.answer, one.imagePath, imageState(one.imagePath)]),
    (own) =>
      Array.fromAsync(own, async (one) => {
        const prompt = { imagePath: one.imagePath, prefix: questionPrefix(one) };
        const answerIds = tokenizer.encode(one.answer);
        return Array.from(
          rolloutMap(await captureAnswer(model, tokenizer, store, prompt, { answerIds, signal })),
        );
      }),
  );
  return maps.map((map) => Float32Array.from(map));
}
