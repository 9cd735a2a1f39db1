import { rng } from "../config/mod.ts";
import {
  ANATOMY_TYPES,
  CAPTION_TEMPLATES,
  captionFor,
  CHOICE_TYPES,
  choiceQuestionFor,
  drawPhantom,
  type Phantom,
  pick,
  questionFor,
  type QuestionType,
} from "../phantom/mod.ts";
import { captionPrefix, encodeExample, questionPrefix, type Tokenizer } from "../text/mod.ts";
import type { PaliGemmaConfig, Params } from "../weights/mod.ts";
import { batchShape, nextTokenObjective, type TrainingBatch, trainingBatch } from "../training/mod.ts";
import { pretrain, type Schedule } from "./schedule.ts";
import { writePhantomPixels } from "./vision_pretraining.ts";

/** How often each kind of text is drawn. Lesion questions are harder and get more. */
const MIX: readonly [QuestionType | "caption", number][] = [
  ["caption", 5],
  ["open", 3],
  ...ANATOMY_TYPES.map((type) =>
    [type, type === "organ_yn" || type === "enlarged" ? 2 : 1] as [QuestionType, number]
  ),
  ["presence", 2],
  ["side", 3],
  ["type", 3],
  ["organ", 2],
];
const TOTAL = MIX.reduce((sum, [, weight]) => sum + weight, 0);

/** Every fourth batch is multiple choice: those prompts are three times as long, so they get batches of their own. */
const CHOICE_EVERY = 4;

interface Text {
  prefix: string;
  suffix: string;
}

function textOf(phantom: Phantom, random: () => number): Text {
  let rest = random() * TOTAL;
  const kind = MIX.find(([, weight]) => (rest -= weight) < 0)?.[0] ?? "caption";
  const question = kind === "caption" ? null : questionFor(phantom, kind, random);
  if (!question) {
    return {
      prefix: captionPrefix("en"),
      suffix: captionFor(phantom, Math.floor(random() * CAPTION_TEMPLATES)),
    };
  }
  return { prefix: questionPrefix(question), suffix: question.answer };
}

function choiceText(phantom: Phantom, random: () => number): Text {
  const question = choiceQuestionFor(phantom, pick(CHOICE_TYPES, random), random) ??
    choiceQuestionFor(phantom, "type", random)!;
  return { prefix: questionPrefix(question), suffix: question.answer };
}

/** Random texts about generic phantoms, for the tokenizer's vocabulary and for the fixed shapes of the batches. */
export function sampleTexts(count: number, firstSeed: number): Text[] {
  const random = rng(`sample texts/${firstSeed}`);
  return Array.from({ length: count }, (_, i) => {
    const phantom = drawPhantom(firstSeed + i, "generic");
    return i % CHOICE_EVERY === 0 ? choiceText(phantom, random) : textOf(phantom, random);
  });
}

/**
 * Pre-trains projector and language model on captions, questions and multiple choice about generic phantoms, with the
 * vision tower frozen.
 */
export async function pretrainLanguage(
  params: Params,
  config: PaliGemmaConfig,
  tokenizer: Tokenizer,
  schedule: Schedule,
  log: (line: string) => void,
): Promise<Params> {
  const trained = Object.fromEntries(
    Object.entries(params).filter(([name]) => !name.startsWith("vision_tower.")),
  );
  const frozen = Object.fromEntries(
    Object.entries(params).filter(([name]) => name.startsWith("vision_tower.")),
  );
  const random = rng(`language pretraining/${schedule.firstSeed}`);
  const image = 3 * config.vision.imageSize ** 2;
  const batchOf = (seeds: readonly number[], step: number): TrainingBatch => {
    const choice = step % CHOICE_EVERY === CHOICE_EVERY - 1, pixels = new Float32Array(seeds.length * image);
    const examples = seeds.map((seed, b) => {
      const phantom = drawPhantom(seed, "generic");
      writePhantomPixels(phantom, pixels, b * image);
      const text = choice ? choiceText(phantom, random) : textOf(phantom, random);
      return { sequence: encodeExample(tokenizer, config, text) };
    });
    return trainingBatch(examples, pixels, batchShape(examples, 16));
  };
  const learned = await pretrain(
    {
      name: "language",
      initial: trained,
      frozen,
      objective: nextTokenObjective(config),
      batchOf,
    },
    schedule,
    log,
  );
  return { ...params, ...learned };
}
