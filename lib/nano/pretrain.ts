import process from "node:process";
import { join } from "@std/path";
import type { Model } from "../model/mod.ts";
import { loadTokenizer } from "../text/mod.ts";
import { trainBpe, writeTokenizer } from "./bpe_train.ts";
import { saveCheckpoint } from "../weights/mod.ts";
import { type StepSettings, TORCH_ADAMW } from "../training/mod.ts";
import { cardText, type NanoMeasurement } from "./card.ts";
import { NANO_CONFIG, NANO_VOCABULARY } from "./config.ts";
import { initialWeights } from "./init.ts";
import { pretrainLanguage, sampleTexts } from "./language_pretraining.ts";
import { accuracyByType, greedyRight, phantomItems } from "./measure.ts";
import { pretrainVision } from "./vision_pretraining.ts";

/** Decay on matrices only, as is usual for pre-training. */
const settings: StepSettings = {
  ...TORCH_ADAMW,
  beta2: 0.99,
  weightDecay: (name) => name.endsWith(".bias") || name.includes("norm") ? 0 : 0.01,
  maxGradientNorm: 1,
  compiler: "xla",
};

/** Seeds: pre-training from 1,000,000; its held-out questions from 4,000,000. */
const VISION_SEED = 1_000_000, LANGUAGE_SEED = 2_000_000, TEXT_SEED = 3_000_000, TEST_SEED = 4_000_000;

/**
 * Makes the nano base checkpoint in `dir` (Hugging Face layout): tokenizer, pre-training of the vision tower, then of
 * the rest, measurement on held-out questions, card. Deterministic but for rounding between machines.
 */
export async function pretrainNano(
  dir: string,
  log: (line: string) => void,
  steps: { vision: number; language: number } = { vision: 1500, language: 2500 },
): Promise<NanoMeasurement> {
  await Deno.mkdir(dir, { recursive: true });
  const texts = sampleTexts(4000, TEXT_SEED).flatMap(({ prefix, suffix }) => [prefix, suffix]);
  await writeTokenizer(dir, trainBpe([...texts, ...GENERAL_TEXTS], NANO_VOCABULARY));
  const tokenizer = await loadTokenizer(dir);

  const start = performance.now();
  const minutes = () => (performance.now() - start) / 60_000;
  const cpu = process.cpuUsage();
  const initial = initialWeights(NANO_CONFIG, 1);
  const seen = await pretrainVision(initial, NANO_CONFIG, {
    steps: steps.vision,
    batchSize: 32,
    learningRate: 2e-3,
    warmup: 50,
    firstSeed: VISION_SEED,
    settings,
  }, (line) => log(`${minutes().toFixed(1)} min  ${line}`));
  const visionMinutes = minutes();
  const params = await pretrainLanguage(seen, NANO_CONFIG, tokenizer, {
    steps: steps.language,
    batchSize: 32,
    learningRate: 2e-3,
    warmup: 100,
    firstSeed: LANGUAGE_SEED,
    settings,
  }, (line) => log(`${minutes().toFixed(1)} min  ${line}`));
  const languageMinutes = minutes() - visionMinutes;

  const model: Model = { params, config: NANO_CONFIG, dtype: "float32" };
  const items = phantomItems(50, TEST_SEED, "generic"), shifted = phantomItems(50, TEST_SEED, "shifted");
  const accuracyOf = async (set: typeof items, blankImages: boolean) =>
    accuracyByType(set, await greedyRight(model, tokenizer, set, { blankImages }));
  const measurement: NanoMeasurement = {
    parameters: Object.values(params).reduce((sum, x) => sum + x.size, 0),
    steps,
    visionMinutes,
    languageMinutes,
    cpuMinutes: Object.values(process.cpuUsage(cpu)).reduce((sum, x) => sum + x, 0) / 60e6,
    generic: await accuracyOf(items, false),
    blank: await accuracyOf(items, true),
    shifted: await accuracyOf(shifted, false),
  };
  await saveCheckpoint(dir, params, NANO_CONFIG);
  await Deno.writeTextFile(join(dir, "README.md"), cardText(measurement));
  await Deno.writeTextFile(join(dir, "measurement.json"), JSON.stringify(measurement, null, 1) + "\n");
  return measurement;
}

/**
 * Sentences that give the nano tokenizer whole words for what a teacher model writes about phantoms. Pre-training never
 * shows them, so their tokens start untrained; single characters and bytes cover everything else.
 */
const GENERAL_TEXTS: readonly string[] = [
  "the patient has a cyst in the right kidney, seen on the mri of the abdomen.",
  "this is an x-ray image of the chest. the image shows a nodule in the left lung.",
  "yes, there is a hemorrhage in the left side of the brain.",
  "no, the image does not show a lesion. it appears normal.",
  "the lesion is located in the spleen. the affected organ is the liver.",
  "what is the location of the nodule? the nodule is located in the upper lobe.",
  "where was the cyst found? it was found in the left lung on the ct scan of the chest.",
  "which imaging modality shows the hemorrhage? magnetic resonance imaging of the head.",
  "computed tomography scan, magnetic resonance image, radiograph, ultrasound.",
  "what abnormality is visible in this image? a small mass with a bright rim.",
  "is this finding normal or abnormal? the findings are consistent with a cyst.",
];
