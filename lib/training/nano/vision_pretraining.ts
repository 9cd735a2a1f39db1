import { drawPhantom, labelIndex, LABELS, MODALITIES, type Phantom } from "../../phantom/mod.ts";
import { visionFeatures } from "../../model/mod.ts";
import { tf, upload } from "../../tensor/mod.ts";
import type { PaliGemmaConfig, Params } from "../../weights/mod.ts";
import { patchLabels } from "../../phantom/mod.ts";
import { createTrainer, trainStep } from "../trainer.ts";
import { type Schedule, warmupCosine } from "./schedule.ts";

/** Outputs of the dense head per patch: the classes, the side of the midline, the modality. */
const CLASSES = LABELS.length, OUTPUTS = CLASSES + 1 + MODALITIES.length;
const FIRST_LESION = labelIndex("nodule");

/** Grey pixels of a phantom as three equal channels in [-1, 1]. */
export function writePhantomPixels(phantom: Phantom, out: Float32Array, offset: number): void {
  const n = phantom.pixels.length;
  for (let i = 0; i < n; i++) {
    const value = Math.fround(phantom.pixels[i] / 127.5) - 1;
    out[offset + i] = out[offset + n + i] = out[offset + 2 * n + i] = value;
  }
}

function patchBatch(seeds: readonly number[], config: PaliGemmaConfig): Params {
  const { imageSize, patchSize } = config.vision, batch = seeds.length, n = config.imageTokens;
  const pixels = new Float32Array(batch * 3 * imageSize ** 2), classes = new Int32Array(batch * n);
  const weights = new Float32Array(batch * n),
    left = new Float32Array(batch * n),
    modality = new Int32Array(batch);
  seeds.forEach((seed, b) => {
    const phantom = drawPhantom(seed, "generic"), labels = patchLabels(phantom, patchSize);
    writePhantomPixels(phantom, pixels, b * 3 * imageSize ** 2);
    modality[b] = MODALITIES.indexOf(phantom.modality);
    for (let i = 0; i < n; i++) {
      const kind = labels.classes[i];
      classes[b * n + i] = kind;
      // Lesions cover one patch in a hundred, air more than a third.
      weights[b * n + i] = kind >= FIRST_LESION ? 4 : kind === 0 ? 0.3 : 1;
      left[b * n + i] = labels.imageLeft[i];
    }
  });
  return {
    pixelValues: tf.tensor4d(pixels, [batch, 3, imageSize, imageSize]),
    classes: tf.tensor1d(classes, "int32"),
    weights: tf.tensor1d(weights),
    left: tf.tensor1d(left),
    modality: tf.tensor1d(modality, "int32"),
  };
}

const HEAD = "patch_head.weight", HEAD_BIAS = "patch_head.bias";

/** Per-patch outputs [B, N, OUTPUTS] of the vision tower under the dense head. */
function patchOutputs(params: Params, pixelValues: Params[string], config: PaliGemmaConfig) {
  const features = visionFeatures(params, pixelValues, config);
  const [batch, n, width] = features.shape as [number, number, number];
  const flat = tf.reshape(features, [batch * n, width]) as ReturnType<typeof tf.tensor2d>;
  const out = tf.add(tf.matMul(flat, params[HEAD] as typeof flat), params[HEAD_BIAS]);
  return tf.reshape(out, [batch, n, OUTPUTS]) as ReturnType<typeof tf.tensor3d>;
}

const crossEntropy = (logits: Params[string], targets: Params[string], depth: number) =>
  tf.sub(tf.logSumExp(logits, -1), tf.sum(tf.mul(logits, tf.oneHot(targets as never, depth)), -1));

function patchLoss(params: Params, batch: Params, config: PaliGemmaConfig) {
  const out = patchOutputs(params, batch.pixelValues, config), [size, n] = out.shape;
  const classLogits = tf.reshape(tf.slice(out, [0, 0, 0], [size, n, CLASSES]), [size * n, CLASSES]);
  const side = tf.reshape(tf.slice(out, [0, 0, CLASSES], [size, n, 1]), [size * n]);
  const modality = tf.mean(tf.slice(out, [0, 0, CLASSES + 1], [size, n, MODALITIES.length]), 1);
  const classLoss = tf.div(
    tf.sum(tf.mul(batch.weights, crossEntropy(classLogits, batch.classes, CLASSES))),
    tf.sum(batch.weights),
  );
  const sideLoss = tf.mean(tf.sub(tf.softplus(side), tf.mul(side, batch.left)));
  const modalityLoss = tf.mean(crossEntropy(modality, batch.modality, MODALITIES.length));
  return tf.add(classLoss, tf.add(tf.mul(sideLoss, 0.5), tf.mul(modalityLoss, 0.3)));
}

/**
 * Pre-trains the vision tower on patch labels, the midline's side and the modality of generic phantoms: the stand-in
 * for SigLIP's own training. The dense head is thrown away afterwards.
 *
 * @param params all weights; the vision tower's are replaced in the result, the others shared
 */
export async function pretrainVision(
  params: Params,
  config: PaliGemmaConfig,
  schedule: Schedule,
  log: (line: string) => void,
): Promise<Params> {
  const width = config.vision.hiddenSize;
  const tower = Object.fromEntries(
    Object.entries(params).filter(([name]) => name.startsWith("vision_tower.")),
  );
  const initial: Params = {
    ...tower,
    [HEAD]: tf.truncatedNormal([width, OUTPUTS], 0, 0.05, "float32", 7),
    [HEAD_BIAS]: tf.zeros([OUTPUTS]),
  };
  upload(Object.values(initial));
  const names = Object.keys(initial);
  const traced = trainStep((p, _, batch) => {
    const f = (...values: Params[string][]) =>
      patchLoss(Object.fromEntries(names.map((name, i) => [name, values[i]])), batch, config) as never;
    const { value, grads } = tf.valueAndGrads(f)(names.map((name) => p[name]));
    return { loss: value, gradients: Object.fromEntries(names.map((name, i) => [name, grads[i]])) };
  }, schedule.trainer);
  const trainer = createTrainer(initial, {}, traced);
  let mean = 0;
  for (let step = 0; step < schedule.steps; step++) {
    const seeds = Array.from(
      { length: schedule.batchSize },
      (_, i) => schedule.firstSeed + step * schedule.batchSize + i,
    );
    const { loss } = await trainer.step([patchBatch(seeds, config)], warmupCosine(step, schedule));
    mean += loss / 100;
    if ((step + 1) % 100 === 0) {
      log(`vision ${step + 1}/${schedule.steps}: loss ${mean.toFixed(3)}`);
      mean = 0;
    }
  }
  const trained = { ...params };
  for (const [name, x] of Object.entries(trainer.params())) {
    if (name.startsWith("vision_tower.")) trained[name] = tf.keep(tf.clone(x));
  }
  trainer.dispose();
  return trained;
}
