import { rng } from "../config/mod.ts";
import { resizeBicubic } from "../image/mod.ts";
import { answerPrompts, type ImageStore, type Model } from "../model/mod.ts";
import {
  drawPhantom,
  PHANTOM_SIZE,
  QUESTION_TYPES,
  questionFor,
  type QuestionType,
  type Style,
} from "../phantom/mod.ts";
import { mean, wilsonInterval } from "../stats/mod.ts";
import { questionPrefix, type Tokenizer } from "../text/mod.ts";

/** A question about the phantom of a seed. */
export interface PhantomItem {
  /** Of the phantom. */
  seed: number;
  /** How it is drawn. */
  style: Style;
  /** Whether its lesion may be one that is held out from training ("all"); not, where nothing is said. */
  combinations?: "trained" | "all";
  /** What is asked about. */
  type: QuestionType;
  /** The question. */
  question: string;
  /** The true answer. */
  answer: string;
}

/** Share of right answers with its 95 % Wilson interval. */
export interface Accuracy {
  /** Items that are right. */
  right: number;
  /** Items asked. */
  total: number;
  /** right / total. */
  accuracy: number;
  /** Lower end of the interval. */
  low: number;
  /** Upper end. */
  high: number;
}

/**
 * Equal numbers of each question type about phantoms from `firstSeed` on, each phantom used once.
 *
 * @example Two questions of each of two types
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { phantomItems } from "@lib/nano/mod.ts";
 *
 * const items = phantomItems(2, 9_000_000, "generic", ["modality", "side"]);
 * assertEquals(items.map(({ type }) => type), ["modality", "modality", "side", "side"]);
 * ```
 */
export function phantomItems(
  perType: number,
  firstSeed: number,
  style: Style,
  types: readonly QuestionType[] = QUESTION_TYPES,
): PhantomItem[] {
  const random = rng(`phantom items/${firstSeed}`), items: PhantomItem[] = [];
  let seed = firstSeed;
  for (const type of types) {
    for (let found = 0; found < perType; seed++) {
      const question = questionFor(drawPhantom(seed, style), type, random);
      if (!question) continue;
      items.push({ seed, style, type, question: question.question, answer: question.answer });
      found++;
    }
  }
  return items;
}

/** Where `phantomStore` has an item's picture. */
export const phantomPath = ({ style, seed, combinations = "trained" }: PhantomItem): string =>
  combinations === "trained" ? `${style}/${seed}` : `${style}/${seed}/${combinations}`;

/**
 * Images drawn on demand, in the size that the model takes (default: as drawn); a path is `STYLE/SEED`, or `STYLE/SEED/all` with
 * the combinations of lesion and organ that are held out from training.
 */
export function phantomStore(size = PHANTOM_SIZE): ImageStore {
  return {
    size,
    get(path) {
      const [style, seed, all] = path.split("/"), combinations = all === "all" ? "all" : "trained";
      const { pixels } = drawPhantom(Number(seed), style as Style, { combinations });
      const data = Uint8Array.from({ length: pixels.length * 3 }, (_, i) => pixels[Math.floor(i / 3)]);
      const drawn = { width: PHANTOM_SIZE, height: PHANTOM_SIZE, data };
      return Promise.resolve(size === PHANTOM_SIZE ? data : resizeBicubic(drawn, size, size).data);
    },
    fill: () => Promise.resolve(),
  };
}

/** Whether each item is answered word for word by free greedy generation. */
export async function greedyRight(
  model: Model,
  tokenizer: Tokenizer,
  items: readonly PhantomItem[],
  options: { blankImages?: boolean; batchSize?: number; signal?: AbortSignal } = {},
): Promise<boolean[]> {
  const answers = await answerPrompts(
    model,
    tokenizer,
    phantomStore(model.config.vision.imageSize),
    items.map((item) => ({ imagePath: phantomPath(item), prefix: questionPrefix(item) })),
    { batchSize: 50, maxNewTokens: 24, ...options },
  );
  return items.map((item, i) => answers[i][0].text === item.answer);
}

/**
 * What the picture does to the greedy answers: mean change of their log-probability, in nats, when the model is shown a
 * grey picture instead. Zero of a model that no picture reaches, whatever it was trained on.
 */
export async function pictureEffect(
  model: Model,
  tokenizer: Tokenizer,
  items: readonly PhantomItem[],
  options: { batchSize?: number; signal?: AbortSignal } = {},
): Promise<number> {
  const prompts = items.map((item) => ({ imagePath: phantomPath(item), prefix: questionPrefix(item) }));
  const settings = { batchSize: 50, maxNewTokens: 24, ...options };
  const store = phantomStore(model.config.vision.imageSize);
  const seen = await answerPrompts(model, tokenizer, store, prompts, settings);
  const grey = await answerPrompts(model, tokenizer, store, prompts, {
    ...settings,
    blankImages: true,
  });
  return mean(seen.map(([answer], i) => Math.abs(answer.logprob - grey[i][0].logprob)));
}

/** Accuracy per question type, and over all under "all". */
export function accuracyByType(
  items: readonly PhantomItem[],
  right: readonly boolean[],
): Record<string, Accuracy> {
  const result: Record<string, Accuracy> = {};
  for (const type of ["all", ...new Set(items.map((item) => item.type))]) {
    const of = right.filter((_, i) => type === "all" || items[i].type === type);
    const hits = of.filter(Boolean).length, { low, high } = wilsonInterval(hits, of.length);
    result[type] = { right: hits, total: of.length, accuracy: hits / of.length, low, high };
  }
  return result;
}
