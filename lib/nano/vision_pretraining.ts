import type { Tensor } from "@tensorflow/tfjs";
import { drawPhantom, labelIndex, LABELS, MODALITIES, patchLabels, type Phantom } from "../phantom/mod.ts";
import { visionFeatures } from "../model/mod.ts";
import { dispose, matMul, oneHot, tf, upload, valueAndGradients } from "../tensor/mod.ts";
import type { PaliGemmaConfig, Params } from "../weights/mod.ts";
import type { TrainingBatch } from "../training/mod.ts";
import { pretrain, type Schedule } from "./schedule.ts";

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

/** Images, and what each patch and each image is; float32 and int32 `[B * N]`, `modality` `[B]`. */
type PatchBatch = TrainingBatch<
  { pixelValues: Tensor },
  { classes: Tensor; weights: Tensor; left: Tensor; modality: Tensor }
>;

function patchBatch(seeds: readonly number[], config: PaliGemmaConfig): PatchBatch {
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
    inputs: { pixelValues: tf.tensor4d(pixels, [batch, 3, imageSize, imageSize]) },
    labels: {
      classes: tf.tensor1d(classes, "int32"),
      weights: tf.tensor1d(weights),
      left: tf.tensor1d(left),
      modality: tf.tensor1d(modality, "int32"),
    },
  };
}

const HEAD = "patch_head.weight", HEAD_BIAS = "patch_head.bias";

/** Per-patch outputs `[B, N, OUTPUTS]` of the vision tower under the dense head. */
function patchOutputs(params: Params, pixelValues: Tensor, config: PaliGemmaConfig): Tensor {
  const features = visionFeatures(params, pixelValues, config), [batch, n, width] = features.shape;
  const flat = tf.reshape(features, [batch * n, width]);
  return tf.reshape(tf.add(matMul(flat, params[HEAD]), params[HEAD_BIAS]), [batch, n, OUTPUTS]);
}

const crossEntropy = (logits: Tensor, targets: Tensor, depth: number): Tensor =>
  tf.sub(tf.logSumExp(logits, -1), tf.sum(tf.mul(logits, oneHot(targets, depth)), -1));

function patchLoss(params: Params, { inputs, labels }: PatchBatch, config: PaliGemmaConfig): Tensor {
  const out = patchOutputs(params, inputs.pixelValues, config), [size, n] = out.shape;
  const classLogits = tf.reshape(tf.slice(out, [0, 0, 0], [size, n, CLASSES]), [size * n, CLASSES]);
  const side = tf.reshape(tf.slice(out, [0, 0, CLASSES], [size, n, 1]), [size * n]);
  const modality = tf.mean<Tensor>(tf.slice(out, [0, 0, CLASSES + 1], [size, n, MODALITIES.length]), 1);
  const classLoss = tf.div(
    tf.sum(tf.mul(labels.weights, crossEntropy(classLogits, labels.classes, CLASSES))),
    tf.sum(labels.weights),
  );
  const sideLoss = tf.mean(tf.sub(tf.softplus(side), tf.mul(side, labels.left)));
  const modalityLoss = tf.mean(crossEntropy(modality, labels.modality, MODALITIES.length));
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
  const trained = await pretrain(
    {
      name: "vision",
      initial,
      frozen: {},
      objective: (params, _, batch: PatchBatch) => {
        const { value, gradients } = valueAndGradients((p) => patchLoss(p, batch, config), params);
        return { loss: value, gradients };
      },
      batchOf: (seeds) => patchBatch(seeds, config),
    },
    schedule,
    log,
  );
  const { [HEAD]: head, [HEAD_BIAS]: bias, ...learned } = trained;
  dispose([initial[HEAD], initial[HEAD_BIAS], head, bias]);
  return { ...params, ...learned };
}
