/** The training step that `./lab bench step` measures, in each of its variants. */
import type { Tensor } from "@tensorflow/tfjs";
import { computing, workerPlace } from "@lib/config/mod.ts";
import { initAdapter, PROJECTOR, visionFeatures } from "@lib/model/mod.ts";
import { trainedNumbers, trainingFlops } from "@lib/model/cost.ts";
import { median } from "@lib/stats/mod.ts";
import {
  allReduceSum,
  asType,
  dispose,
  type Group,
  jit,
  joinGroup,
  leaveGroup,
  tf,
  tidy,
} from "@lib/tensor/mod.ts";
import { IGNORED_LABEL } from "@lib/text/mod.ts";
import {
  fit,
  type ImageValues,
  nextTokenObjective,
  TORCH_ADAMW,
  type TrainingBatch,
  trainingBatch,
  trainStep,
} from "@lib/training/mod.ts";
import { isByBlock } from "@lib/training/objective.ts";
import type { PaliGemmaConfig, Params } from "@lib/weights/mod.ts";
import { MODELS, PREFIX, RANK, type StepCase, type StepMeasurement } from "./cases.ts";
import { subjectOf } from "./models.ts";
import { randomWeights, weightValues } from "@lib/cli/support/random_weights.ts";

const LEARNING_RATE = 1e-4;

/** Random numbers, uniform in [-1, 1]. */
function randomValues(count: number, config: PaliGemmaConfig): Float32Array {
  const values = new Float32Array(count);
  weightValues("pixels.weight", [1, 3], config)(values);
  return values;
}

/** What a step of a stage is given of random images, as lib/training's stages read it, and the milliseconds that took. */
function imagesOf(stepCase: StepCase, tower: (pixels: Tensor) => Tensor) {
  const { stage } = stepCase, { config, batch, dtype } = subjectOf(stepCase);
  const { imageSize, hiddenSize } = config.vision;
  if (stage === "stage 1, features kept") {
    const shape: [number, number, number] = [batch, config.imageTokens, hiddenSize];
    const values = randomValues(shape[0] * shape[1] * shape[2], config);
    return { images: tidy(() => asType(tf.tensor3d(values, shape), dtype)), ms: 0 };
  }
  const pixels = randomValues(batch * 3 * imageSize ** 2, config);
  if (stage !== "stage 1") return { images: pixels, ms: 0 };
  const start = performance.now(), shape: [number, number, number, number] = [batch, 3, imageSize, imageSize];
  const images = tidy(() => tower(tf.tensor4d(pixels, shape)));
  return { images, ms: performance.now() - start };
}

/** Random tokens beside images: per row the image, a prefix and an answer. */
function batchOf(stepCase: StepCase, images: ImageValues, workers: number): TrainingBatch {
  const { config, batch, suffix } = subjectOf(stepCase);
  const length = config.imageTokens + PREFIX + suffix, start = length - suffix;
  const examples = Array.from({ length: batch }, (_, b) => {
    const text = (at: number) => 3 + ((b * length + at) * 7919) % (config.imageTokenId - 3);
    const ids = Array.from({ length }, (_, at) => at < config.imageTokens ? config.imageTokenId : text(at));
    const tokenTypes = ids.map((_, at) => Number(at >= start));
    const labels = ids.map((id, at) => at >= start ? id : IGNORED_LABEL);
    return { sequence: { ids, tokenTypes, labels, truncated: 0 } };
  });
  return trainingBatch(examples, images, { length, labels: suffix }, workers * batch * suffix);
}

/** Whether a case computes its activations again: of the 3 B model all but "stage 2", as at full scale. */
const isRecomputed = ({ model, stage }: StepCase): boolean =>
  stage === "stage 2, recompute" || (model === "3b" && stage !== "stage 2");

/** What a stage trains, at its start, and how, as lib/training's stages do. */
function stageOf(stepCase: StepCase, config: PaliGemmaConfig, frozen: Params) {
  const { stage, mode } = stepCase, recompute = isRecomputed(stepCase), byBlock = isByBlock(recompute, mode);
  const options = { recompute, compiler: byBlock ? "xla" as const : undefined };
  if (stage === "stage 1" || stage === "stage 1, features kept") {
    const initial = Object.fromEntries(PROJECTOR.map((name) => [name, asType(frozen[name], "float32")]));
    const trained = { stage: 1, featuresKept: stage === "stage 1, features kept", recompute } as const;
    return { initial, objective: nextTokenObjective(config, options), trained, byBlock };
  }
  const { params: initial, config: { alpha, r } } = initAdapter(config, {
    r: RANK,
    alpha: 32,
    towers: "both",
    seed: 1,
  });
  const trained = { stage: 2, rank: RANK, recompute } as const;
  return {
    initial,
    objective: nextTokenObjective(config, { loraScale: alpha / r, ...options }),
    trained,
    byBlock,
  };
}

/** Bytes that this machine has sent to itself so far. */
function loopbackBytes(): number {
  const lo = /^\s*lo:\s*(.*)$/m.exec(Deno.readTextFileSync("/proc/net/dev"))?.[1];
  return Number(lo?.split(/\s+/)[8] ?? NaN); // after eight numbers of what was received
}

/** Medians of adding up what a group's processes have of `numbers` numbers: milliseconds, and bytes that each process sends. */
async function sumCost(group: Group, numbers: number): Promise<{ ms: number; sentBytes: number }> {
  const own = tf.zeros([numbers]), times: number[] = [], sent: number[] = [];
  for (let i = 0; i < 12; i++) {
    const start = performance.now(), before = loopbackBytes(), sums = await allReduceSum(group, [own]);
    await sums[0].data();
    dispose(sums);
    if (i < 2) continue;
    times.push(performance.now() - start);
    sent.push((loopbackBytes() - before) / group.size);
  }
  own.dispose();
  return { ms: median(times), sentBytes: median(sent) };
}

/**
 * Runs one case by {@linkcode fit}. To be called once in a process, whose peak memory it reports.
 * @param group processes that have a batch each in every step
 */
export async function measureStep(
  stepCase: StepCase,
  steps: number = MODELS[stepCase.model].steps,
  group?: Group,
): Promise<StepMeasurement> {
  const { config, batch: size, suffix, dtype } = subjectOf(stepCase);
  const frozen = randomWeights(config, dtype), startMiB = computing.memory()!.peakBytes / 2 ** 20;
  const { initial, objective, trained, byBlock } = stageOf(stepCase, config, frozen);
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
    examplesPerStep: size * (group?.size ?? 1),
    group,
    batch: () => {
      const { images, ms } = imagesOf(stepCase, (pixels) => tower(frozen, pixels));
      const batch = batchOf(stepCase, images, group?.size ?? 1);
      start = performance.now() - ms;
      return [batch];
    },
    describe: () => "random data",
    learningRate: () => LEARNING_RATE,
    onStep: () => void seconds.push((performance.now() - start) / 1000),
  });
  const losses = records.map(({ loss }) => loss);
  const peakMiB = computing.memory()!.peakBytes / 2 ** 20;
  const example = { tokens: config.imageTokens + PREFIX + suffix, logits: suffix };
  const flops = size * trainingFlops(config, example, trained);
  const numbers = trainedNumbers(config, trained);
  const sum = group ? await sumCost(group, numbers) : { ms: 0, sentBytes: 0 };
  return {
    ...{ firstSeconds: seconds[0], seconds: seconds.slice(2), flops, peakMiB, startMiB, losses, numbers },
    ...{ reduceMs: sum.ms, sentBytes: sum.sentBytes },
  };
}

if (import.meta.main) {
  const place = workerPlace(), group = place ? await joinGroup(place) : undefined;
  console.log(JSON.stringify(await measureStep(JSON.parse(Deno.args[0]), undefined, group)));
  if (group) await leaveGroup(group);
}
