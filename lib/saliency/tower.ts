import { type ImageStore, type Model, modelWeights, pixelValuesOf, visionTower } from "../model/mod.ts";
import { tf, tidy } from "../tensor/mod.ts";
import { startRollout } from "./rollout.ts";

/**
 * Rollout of the vision tower: row p tells how much of each patch of the picture is in the feature that the language model
 * reads at patch p. Each layer's attention is reduced when the forward pass reaches it, and freed: at 448 px all 27 would be
 * 1.8 GB, one is 67 MB. With random weights of that size the process had 4.5 GiB at its peak on a CPU, 1.9 of them weights.
 *
 * @returns [patches, patches]
 */
export async function towerRollout(
  model: Model,
  store: ImageStore,
  imagePath: string,
): Promise<Float32Array> {
  const { config } = model, side = store.size, stream = startRollout(config.imageTokens);
  const pixels = await pixelValuesOf([imagePath], store);
  tidy(() => {
    visionTower(modelWeights(model), tf.tensor4d(pixels, [1, 3, side, side]), config, {
      onLayer: ({ attention }) => stream.add(tf.mean(attention, [0, 1])),
    });
  });
  return stream.result();
}

/** A map over the features that the language model reads as a map over the picture's patches, `[patches]`. */
export function throughTower(map: Float32Array, tower: Float32Array): Float32Array {
  const out = new Float32Array(map.length);
  map.forEach((weight, p) => {
    for (let from = 0; from < out.length; from++) out[from] += weight * tower[p * out.length + from];
  });
  return out;
}

/**
 * How local features are: the share of a patch's feature that comes from the patch itself and the (up to eight) patches around
 * it, mean over the patches. Skip connections alone keep a share of 2^-n in place after n layers.
 *
 * @param tower [rows * columns, rows * columns], rows of sum 1 (`towerRollout`)
 */
export function locality(
  tower: Float32Array,
  { rows, columns }: { rows: number; columns: number },
): number {
  const patches = rows * columns;
  let inside = 0;
  for (let p = 0; p < patches; p++) {
    const [row, column] = [Math.floor(p / columns), p % columns];
    for (let y = Math.max(0, row - 1); y <= Math.min(rows - 1, row + 1); y++) {
      for (let x = Math.max(0, column - 1); x <= Math.min(columns - 1, column + 1); x++) {
        inside += tower[p * patches + y * columns + x];
      }
    }
  }
  return inside / patches;
}
