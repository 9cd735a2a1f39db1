import { rng } from "../../config/mod.ts";
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
} from "../../phantom/mod.ts";
import {
  captionPrefix,
  encodeExample,
  padBatch,
  questionPrefix,
  type Tokenizer,
  type TokenSequence,
} from "../../text/mod.ts";
import { labelRows, lossAndGradients, weightsOf } from "../../model/mod.ts";
import { tf, upload } from "../../tensor/mod.ts";
import type { PaliGemmaConfig, Params } from "../../weights/mod.ts";
import { unpack } from "../batches.ts";
import { createTrainer, trainStep } from "../trainer.ts";
import { type Schedule, warmupCosine } from "./schedule.ts";
import { writePhantomPixels } from "./vision_pretraining.ts";

/** How often each kind of text is drawn. Lesion questions are harder and get more. */
const MIX: readonly [QuestionType | "caption", number][] = [
  ["caption", 5],
  ["open", 3],
  ...ANATOMY_TYPES.map((type) => [type, type.startsWith("organ") ? 2 : 1] as [QuestionType, number]),
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
  const names = Object.keys(trained), random = rng(`language pretraining/${schedule.firstSeed}`);
  const traced = trainStep((p, rest, part) => {
    const { inputs, labels } = unpack(part);
    return lossAndGradients(weightsOf({ ...rest, ...p }), names, inputs, labels, config);
  }, schedule.trainer);
  const trainer = createTrainer(trained, frozen, traced);
  const { imageSize } = config.vision, image = 3 * imageSize ** 2;
  let mean = 0;
  for (let step = 0; step < schedule.steps; step++) {
    const choice = step % CHOICE_EVERY === CHOICE_EVERY - 1;
    const pixels = new Float32Array(schedule.batchSize * image), sequences: TokenSequence[] = [];
    for (let b = 0; b < schedule.batchSize; b++) {
      const phantom = drawPhantom(schedule.firstSeed + step * schedule.batchSize + b, "generic");
      writePhantomPixels(phantom, pixels, b * image);
      sequences.push(
        encodeExample(tokenizer, config, choice ? choiceText(phantom, random) : textOf(phantom, random)),
      );
    }
    const longest = Math.max(...sequences.map((s) => s.ids.length));
    const { ids, tokenTypes, attentionMask, labels, batch, length } = padBatch(sequences, {
      side: "right",
      length: Math.ceil(longest / 16) * 16,
    });
    const most = Math.max(...sequences.map((s) => s.labels.filter((l) => l >= 0).length));
    const int = (values: Int32Array) => tf.tensor2d(values, [batch, length], "int32");
    const part: Params = {
      pixelValues: tf.tensor4d(pixels, [batch, 3, imageSize, imageSize]),
      ids: int(ids),
      tokenTypes: int(tokenTypes),
      attentionMask: int(attentionMask),
      ...labelRows(labels, batch, length, { capacity: batch * Math.ceil(most / 16) * 16 }),
    };
    upload(Object.values(part));
    const { loss } = await trainer.step([part], warmupCosine(step, schedule));
    mean += loss / 100;
    if ((step + 1) % 100 === 0) {
      log(`language ${step + 1}/${schedule.steps}: loss ${mean.toFixed(3)}`);
      mean = 0;
    }
  }
  const result = { ...params };
  for (const [name, x] of Object.entries(trainer.params())) result[name] = tf.keep(tf.clone(x));
  trainer.dispose();
  return result;
}
