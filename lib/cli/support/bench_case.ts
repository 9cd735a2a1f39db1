/** The training step that `./lab bench step` measures, in each of its variants. */
import type { Tensor } from "@tensorflow/tfjs";
import { initAdapter, PROJECTOR, trainingFlops, visionFeatures } from "../../model/mod.ts";
import { jit, tf, tidy } from "../../tensor/mod.ts";
import { IGNORED_LABEL } from "../../text/mod.ts";
import {
  fit,
  type ImageValues,
  isByBlock,
  NANO_CONFIG,
  nextTokenObjective,
  TORCH_ADAMW,
  type TrainingBatch,
  trainingBatch,
  trainStep,
} from "../../training/mod.ts";
import type { PaliGemmaConfig, Params } from "../../weights/mod.ts";
import { BATCH, MODELS, PREFIX, RANK, type StepCase, type StepMeasurement, SUFFIX } from "./bench_cases.ts";
import { randomWeights, weightValues } from "./random_weights.ts";

/** 50.37 million parameters at 224 px: small enough for eager steps on any machine, large enough to be bound by compute. */
const SMALL_CONFIG: PaliGemmaConfig = {
  vision: {
    hiddenSize: 384,
    layers: 6,
    heads: 6,
    intermediateSize: 1536,
    imageSize: 224,
    patchSize: 14,
    layerNormEps: 1e-6,
  },
  text: {
    hiddenSize: 512,
    layers: 6,
    heads: 8,
    kvHeads: 1,
    headDim: 64,
    intermediateSize: 2048,
    rmsNormEps: 1e-6,
    ropeTheta: 10_000,
    vocabSize: 32_768,
  },
  imageTokenId: 32_767,
  bosId: 2,
  eosId: 1,
  padId: 0,
  imageTokens: 256,
};

/** Models by name. */
const CONFIGS: Record<StepCase["model"], PaliGemmaConfig> = { nano: NANO_CONFIG, "50m": SMALL_CONFIG };

const LEARNING_RATE = 1e-4;

/** Random numbers, uniform in [-1, 1]. */
function randomValues(count: number, config: PaliGemmaConfig): Float32Array {
  const values = new Float32Array(count);
  weightValues("pixels.weight", [1, 3], config)(values);
  return values;
}

/** What a step of a stage is given of random images, as lib/training's stages read it, and the milliseconds that took. */
function imagesOf(stage: StepCase["stage"], tower: (pixels: Tensor) => Tensor, config: PaliGemmaConfig) {
  const { imageSize, hiddenSize } = config.vision;
  if (stage === "stage 1, features kept") {
    const shape: [number, number, number] = [BATCH, config.imageTokens, hiddenSize];
    return { images: tf.tensor3d(randomValues(shape[0] * shape[1] * shape[2], config), shape), ms: 0 };
  }
  const pixels = randomValues(BATCH * 3 * imageSize ** 2, config);
  if (stage !== "stage 1") return { images: pixels, ms: 0 };
  const start = performance.now(), shape: [number, number, number, number] = [BATCH, 3, imageSize, imageSize];
  const images = tidy(() => tower(tf.tensor4d(pixels, shape)));
  return { images, ms: performance.now() - start };
}

/** Random tokens beside images: per row the image, 24 tokens of prefix and 16 of answer. */
function batchOf(config: PaliGemmaConfig, images: ImageValues): TrainingBatch {
  const length = config.imageTokens + PREFIX + SUFFIX, start = length - SUFFIX;
  const examples = Array.from({ length: BATCH }, (_, b) => {
    const text = (at: number) => 3 + ((b * length + at) * 7919) % (config.text.vocabSize - 4);
    const ids = Array.from({ length }, (_, at) => at < config.imageTokens ? config.imageTokenId : text(at));
    const tokenTypes = ids.map((_, at) => Number(at >= start));
    const labels = ids.map((id, at) => at >= start ? id : IGNORED_LABEL);
    return { sequence: { ids, tokenTypes, labels, truncated: 0 } };
  });
  return trainingBatch(examples, images, { length, labels: SUFFIX });
}

/** What a stage trains, at its start, and how, as lib/training's stages do. */
function stageOf({ stage, mode }: StepCase, config: PaliGemmaConfig, frozen: Params) {
  if (stage === "stage 1" || stage === "stage 1, features kept") {
    const initial = Object.fromEntries(PROJECTOR.map((name) => [name, frozen[name]]));
    const trained = { stage: 1, featuresKept: stage === "stage 1, features kept" } as const;
    return { initial, objective: nextTokenObjective(config), trained };
  }
  const { params: initial, config: { alpha, r } } = initAdapter(config, {
    r: RANK,
    alpha: 32,
    towers: "both",
    seed: 1,
  });
  const recompute = stage === "stage 2, recompute", byBlock = isByBlock(recompute, mode);
  const options = { loraScale: alpha / r, recompute, compiler: byBlock ? "xla" as const : undefined };
  const trained = { stage: 2, rank: RANK, recompute } as const;
  return { initial, objective: nextTokenObjective(config, options), trained, byBlock };
}

/** Runs one case by {@linkcode fit}. To be called once in a process, whose peak memory it reports. */
export async function measureStep(
  stepCase: StepCase,
  steps: number = MODELS[stepCase.model].steps,
): Promise<StepMeasurement> {
  const config = CONFIGS[stepCase.model], frozen = randomWeights(config);
  const { initial, objective, trained, byBlock = false } = stageOf(stepCase, config, frozen);
  const settings = {
    ...TORCH_ADAMW,
    maxGradientNorm: 1,
    compiler: stepCase.mode,
    byBlock,
  };
  const see = (frozen: Params, pixels: Tensor) => visionFeatures(frozen, pixels, config);
  const tower = stepCase.mode === "eager" ? see : jit(see, { compiler: stepCase.mode });
  const seconds: number[] = [];
  let start = 0;
  const { records } = await fit({
    initial,
    frozen,
    step: trainStep(objective, settings),
    steps: steps + 2,
    stepsPerEpoch: 1,
    examplesPerStep: BATCH,
    batch: () => {
      const { images, ms } = imagesOf(stepCase.stage, (pixels) => tower(frozen, pixels), config);
      const batch = batchOf(config, images);
      start = performance.now() - ms;
      return [batch];
    },
    describe: () => "random data",
    learningRate: () => LEARNING_RATE,
    onStep: () => void seconds.push((performance.now() - start) / 1000),
  });
  const losses = records.map(({ loss }) => loss);
  const status = await Deno.readTextFile("/proc/self/status");
  const peakMiB = Number(/VmHWM:\s+(\d+) kB/.exec(status)![1]) / 1024;
  const example = { tokens: config.imageTokens + PREFIX + SUFFIX, logits: SUFFIX };
  const flops = BATCH * trainingFlops(config, example, trained);
  return { firstSeconds: seconds[0], seconds: seconds.slice(2), flops, peakMiB, losses };
}

if (import.meta.main) {
  console.log(JSON.stringify(await measureStep(JSON.parse(Deno.args[0]))));
}
