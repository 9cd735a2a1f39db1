import type { Tensor } from "@tensorflow/tfjs";
import { kept, mapFile } from "../artifacts/mod.ts";
import { type Config, writeAllSync } from "../config/mod.ts";
import { checkpoint } from "../jupyter/mod.ts";
import {
  imageState,
  type ImageStore,
  type Model,
  modelWeights,
  pixelValuesOf,
  readAhead,
  visionFeatures,
} from "../model/mod.ts";
import { allocTensor, jit, tf } from "../tensor/mod.ts";
import { BYTES, fromFloat32, type Params, paramsSha256 } from "../weights/mod.ts";

/** A larger file is not made: it would push out half of what is kept. */
const MOST_BYTES = 2 * 2 ** 30;

/** Images read ahead, computed and written together. */
const AT_ONCE = 8;

/** A model's tensors below the projector. */
function towerOf(model: Model): { tensors: Params; loraScale: number } {
  const { tensors, loraScale } = modelWeights(model);
  const own = Object.entries(tensors).filter(([name]) => name.startsWith("vision_tower."));
  return { tensors: Object.fromEntries(own), loraScale };
}

/** Traced towers by configuration; the weights are arguments. */
const traced = new Map<string, ReturnType<typeof trace>>();

function trace({ config }: Model, loraScale: number, compiler: "graph" | "xla") {
  const adapter = { config: { r: 1, alpha: loraScale, targets: "" }, params: {} };
  return jit(
    (tensors: Params, pixelValues: Tensor) => visionFeatures(tensors, pixelValues, config, { adapter }),
    { compiler },
  );
}

/**
 * Computes the vision tower's features `[B, N, Dv]` of images, one after another: in a batch the last bits of an image's
 * would depend on its place.
 */
export function towerFeatures(
  model: Model,
  store: ImageStore,
  compiler: "graph" | "xla",
): (paths: readonly string[]) => Promise<Tensor> {
  const { tensors, loraScale } = towerOf(model), key = JSON.stringify([model.config, loraScale, compiler]);
  const tower = traced.get(key) ?? trace(model, loraScale, compiler);
  traced.set(key, tower);
  return async (paths) => {
    const pixels = await pixelValuesOf(paths, store), each = pixels.length / paths.length;
    return tf.tidy(() =>
      tf.concat(paths.map((_, i) => {
        const own = pixels.subarray(i * each, (i + 1) * each);
        return tower(tensors, tf.tensor4d(own, [1, 3, store.size, store.size]));
      }))
    );
  };
}

/** A file of features, as far as it is told. */
export interface FeatureFile {
  /** Images whose features it holds. */
  images: number;
  /** Its size. */
  bytes: number;
  /** Time it took to compute and write them; 0 where they were there. */
  seconds: number;
}

/** "320 images, 24.1 MB, computed in 3.1 s". */
export const featuresText = ({ images, bytes, seconds }: FeatureFile): string =>
  `Features of the vision tower: ${images} ${images === 1 ? "image" : "images"}, ${
    (bytes / 1e6).toPrecision(3)
  } MB, ${seconds > 0 ? `computed in ${seconds.toFixed(1)} s` : "kept before"}.`;

/** Features that are read from a file. */
export interface KeptFeatures extends Disposable {
  file: FeatureFile;
  /** `[B, N, Dv]` of images that are in the file. */
  read(paths: readonly string[]): Promise<Tensor>;
}

/**
 * The vision tower's features of images in a file that is read by memory map: computed once for the same tower, images and
 * settings, kept as {@linkcode kept} keeps results, and bit for bit those that are computed for a batch.
 *
 * @param compute gives the features of some images
 * @returns null where the file would be larger than 2 GiB
 * @throws Error with one sentence when the disk is full; the reason of `signal`
 */
export async function keptFeatures(
  model: Model,
  store: ImageStore,
  imagePaths: readonly string[],
  compute: (paths: readonly string[]) => Promise<Tensor>,
  { model: { compiler, matmulPrecision } }: Config,
  { signal, onFeatures }: {
    signal?: AbortSignal;
    onFeatures?: (done: number, total: number) => void | Promise<void>;
  },
): Promise<KeptFeatures | null> {
  const { dtype, config: { vision, imageTokens } } = model, paths = [...new Set(imagePaths)];
  const size = imageTokens * vision.hiddenSize, width = size * BYTES[dtype], bytes = paths.length * width;
  if (bytes > MOST_BYTES) return null;
  const { tensors, loraScale } = towerOf(model);
  const key = {
    tower: [paramsSha256(tensors), loraScale, vision],
    settings: { dtype, compiler, matmulPrecision, size: store.size },
    images: paths.map((path) => [path, imageState(path)]),
  };
  let seconds = 0;
  const path = await kept("training", "features", key, async (path) => {
    const start = performance.now();
    using file = Deno.openSync(path, { write: true, createNew: true });
    await using ahead = readAhead(store);
    for (let at = 0; at < paths.length; at += AT_ONCE) {
      await checkpoint(signal);
      const some = paths.slice(at, at + AT_ONCE);
      ahead.start(paths.slice(at + AT_ONCE, at + 2 * AT_ONCE));
      const features = await compute(some);
      const values = await features.data<"float32">() as Float32Array<ArrayBuffer>;
      features.dispose();
      writeAllSync(file, fromFloat32(values, dtype));
      await onFeatures?.(at + some.length, paths.length);
    }
    seconds = (performance.now() - start) / 1000;
  });
  const mapped = await mapFile(path), places = new Map(paths.map((path, i) => [path, i * width]));
  return {
    file: { images: paths.length, bytes, seconds },
    read(paths) {
      let at = 0;
      return Promise.resolve(
        allocTensor([paths.length, imageTokens, vision.hiddenSize], dtype, (piece) => {
          for (let filled = 0; filled < piece.length;) {
            const within = at % width, n = Math.min(width - within, piece.length - filled);
            const place = places.get(paths[(at - within) / width])! + within;
            piece.set(mapped.bytes.subarray(place, place + n), filled);
            filled += n, at += n;
          }
        }),
      );
    },
    [Symbol.dispose]: () => mapped.close(),
  };
}
