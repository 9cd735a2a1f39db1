/** The training step that `./lab bench step` measures, in each of its variants. */
import { initAdapter, labelRows, lossAndGradients, weightsOf } from "../../model/mod.ts";
import { tf, upload } from "../../tensor/mod.ts";
import {
  adamW,
  createTrainer,
  initAdamW,
  NANO_CONFIG,
  type Objective,
  TORCH_ADAMW,
  trainStep,
  unpack,
} from "../../training/mod.ts";
import type { PaliGemmaConfig, Params } from "../../weights/mod.ts";
import { BATCH, MODELS, PREFIX, RANK, type StepCase, type StepMeasurement, SUFFIX } from "./bench_cases.ts";
import { randomWeights, weightValues } from "./bench_weights.ts";

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

/** Random images and tokens: per row the image, 24 tokens of prefix and 16 of answer. */
function batchOf(config: PaliGemmaConfig): Params {
  const { imageSize } = config.vision, length = config.imageTokens + PREFIX + SUFFIX;
  const pixels = new Float32Array(BATCH * 3 * imageSize ** 2);
  weightValues("pixels.weight", [1, 3], config)(pixels); // uniform in [-1, 1]
  const ids = new Int32Array(BATCH * length), types = new Int32Array(BATCH * length);
  const labels = new Int32Array(BATCH * length).fill(-100), start = length - SUFFIX;
  for (let i = 0; i < ids.length; i++) {
    const at = i % length;
    ids[i] = at < config.imageTokens ? config.imageTokenId : 3 + (i * 7919) % (config.text.vocabSize - 4);
    if (at >= start) [types[i], labels[i]] = [1, ids[i]];
  }
  const int = (values: Int32Array) => tf.tensor2d(values, [BATCH, length], "int32");
  const part: Params = {
    pixelValues: tf.tensor4d(pixels, [BATCH, 3, imageSize, imageSize]),
    ids: int(ids),
    tokenTypes: int(types),
    attentionMask: int(new Int32Array(ids.length).fill(1)),
    ...labelRows(labels, BATCH, length),
  };
  upload(Object.values(part));
  return part;
}

/** What a stage trains, at its start, what it does not, and its loss with gradients, as lib/training's stages have them. */
interface Stage {
  initial: Params;
  frozen: Params;
  objective: Objective;
}

function stageOf({ stage }: StepCase, config: PaliGemmaConfig): Stage {
  const frozen = randomWeights(config);
  if (stage === "stage 1") {
    const names = ["multi_modal_projector.linear.weight", "multi_modal_projector.linear.bias"];
    return {
      initial: Object.fromEntries(names.map((name) => [name, frozen[name]])),
      frozen,
      objective: (trained, frozen, part) => {
        const { inputs, labels } = unpack(part);
        return lossAndGradients(weightsOf({ ...frozen, ...trained }), names, inputs, labels, config);
      },
    };
  }
  const adapter = initAdapter(config, { r: RANK, alpha: 32, towers: "both", seed: 1 });
  return {
    initial: adapter.params,
    frozen,
    objective: (trained, frozen, part) => {
      const { inputs, labels } = unpack(part);
      const weights = weightsOf(frozen, { ...adapter, params: trained });
      return lossAndGradients(weights, Object.keys(trained), inputs, labels, config, {
        recompute: stage === "stage 2, recompute",
      });
    },
  };
}

/** A step op by op: what lib/training's trainer does inside of its traced function. Takes the batch, gives the loss. */
function eagerStep({ initial, frozen, objective }: Stage): (part: Params) => Promise<number> {
  let params: Params = Object.fromEntries(Object.entries(initial).map(([n, x]) => [n, tf.keep(tf.clone(x))]));
  let state = initAdamW(params);
  return async (part) => {
    const next = tf.tidy(() => {
      const { loss, gradients } = objective(params, frozen, part);
      const norm = tf.sqrt(tf.addN(Object.values(gradients).map((g) => tf.sum(tf.square(g)))));
      const factor = tf.minimum(1, tf.div(1, tf.add(norm, 1e-6)));
      const clipped = Object.fromEntries(Object.entries(gradients).map(([n, g]) => [n, tf.mul(g, factor)]));
      return { loss, ...adamW(params, clipped, state, LEARNING_RATE, TORCH_ADAMW) } as never;
    }) as { loss: Params[string] } & ReturnType<typeof adamW>;
    const loss = (await next.loss.data())[0];
    tf.dispose([params, state, part, next.loss] as never);
    ({ params, state } = next);
    return loss;
  };
}

/** Runs one case. To be called once in a process, whose peak memory it reports. */
export async function measureStep(
  stepCase: StepCase,
  steps: number = MODELS[stepCase.model].steps,
): Promise<StepMeasurement> {
  const config = CONFIGS[stepCase.model];
  const stage = stageOf(stepCase, config);
  let step: (part: Params) => Promise<number>;
  if (stepCase.mode === "eager") step = eagerStep(stage);
  else {
    const settings = { ...TORCH_ADAMW, maxGradientNorm: 1, compiler: stepCase.mode };
    const trainer = createTrainer(stage.initial, stage.frozen, trainStep(stage.objective, settings));
    step = async (part) => (await trainer.step([part], LEARNING_RATE)).loss;
  }
  const seconds: number[] = [], losses: number[] = [];
  for (let i = 0; i < steps + 2; i++) {
    const part = batchOf(config), start = performance.now();
    losses.push(await step(part));
    seconds.push((performance.now() - start) / 1000);
  }
  const status = await Deno.readTextFile("/proc/self/status");
  const peakMiB = Number(/VmHWM:\s+(\d+) kB/.exec(status)![1]) / 1024;
  return { firstSeconds: seconds[0], seconds: seconds.slice(2), peakMiB, losses };
}

if (import.meta.main) {
  console.log(JSON.stringify(await measureStep(JSON.parse(Deno.args[0]))));
}
