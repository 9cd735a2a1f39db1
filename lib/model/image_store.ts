import { decodeImage, resizeBicubic, writePixelValues } from "../image/mod.ts";

/** Preprocessed images by path, kept while they fit into `maxBytes`. */
export interface ImageStore {
  readonly size: number;
  /** RGB bytes [size, size, 3], resized as the checkpoint's image processor does. */
  get(path: string): Promise<Uint8Array>;
}

/** Decodes and resizes images on demand; the oldest ones are dropped when the store is full. */
export function imageStore(size: number, maxBytes = 512 * 2 ** 20): ImageStore {
  const kept = new Map<string, Promise<Uint8Array>>();
  const most = Math.max(1, Math.floor(maxBytes / (size * size * 3)));
  const load = async (path: string) => resizeBicubic(await decodeImage(path), size, size).data;
  return {
    size,
    get(path) {
      let found = kept.get(path);
      if (!found) {
        found = load(path);
        kept.set(path, found);
        if (kept.size > most) kept.delete(kept.keys().next().value!);
      }
      return found;
    },
  };
}

/** Pixel values float32 [B, 3, S, S] of images. */
export async function pixelValuesOf(paths: readonly string[], store: ImageStore): Promise<Float32Array> {
  const each = 3 * store.size * store.size;
  const out = new Float32Array(paths.length * each);
  const images = await Promise.all(paths.map((path) => store.get(path)));
  images.forEach((rgb, i) => writePixelValues(rgb, out, i * each));
  return out;
}
