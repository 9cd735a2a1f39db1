import { decodeImage, imagePool, resizeBicubic, writePixelValues } from "../image/mod.ts";

/** Reads and resizes an image to RGB bytes [size, size, 3]. */
export type LoadImage = (path: string) => Promise<Uint8Array>;

/** What an image store keeps at most, in bytes. */
const MAX_BYTES = 512 * 2 ** 20;

/** Preprocessed images by path, kept while they fit into the store. */
export interface ImageStore {
  /** Side of the square images in pixels. */
  readonly size: number;
  /** RGB bytes [size, size, 3], resized as the checkpoint's image processor does. */
  get(path: string): Promise<Uint8Array>;
  /** Keeps what `load` reads of an image, unless it is there already; a store without files has no use for it. */
  fill(path: string, load: LoadImage): Promise<void>;
}

/**
 * Decodes and resizes images on demand; the oldest ones are dropped when the store is full.
 * @param load reads an image in another way
 */
export function imageStore(
  size: number,
  load: LoadImage = async (path) => resizeBicubic(await decodeImage(path), size, size).data,
): ImageStore {
  const kept = new Map<string, Promise<Uint8Array>>();
  const most = Math.max(1, Math.floor(MAX_BYTES / (size * size * 3)));
  function keep(path: string, load: LoadImage): Promise<Uint8Array> {
    let found = kept.get(path);
    if (!found) {
      found = load(path);
      kept.set(path, found);
      found.catch(() => kept.delete(path)); // so that a file that was mended is read again
      if (kept.size > most) kept.delete(kept.keys().next().value!);
    }
    return found;
  }
  return {
    size,
    get: (path) => keep(path, load),
    fill: async (path, load) => void await keep(path, load),
  };
}

/** What tells one state of an image file from another without reading it; "" for an image that is drawn, not read. */
export function imageState(path: string): string {
  try {
    const { size, mtime } = Deno.statSync(path);
    return `${size} bytes, ${mtime?.toISOString()}`;
  } catch {
    return "";
  }
}

/** Reads images on other threads before they are asked for. */
export interface ReadAhead extends AsyncDisposable {
  /** Starts reading what the store does not hold. What is wrong with a file is told when the store is asked for it. */
  start(paths: readonly string[]): void;
}

/**
 * Fills a store while the model computes: on a GPU a step leaves the cores idle, and the next batch's images are then
 * there when it ends.
 *
 * @example Read the next batch while this one is computed with
 * ```ts ignore
 * await using reader = readAhead(store);
 * for (const [i, batch] of batches.entries()) {
 *   const pixels = await pixelValuesOf(batch, store);
 *   reader.start(batches[i + 1] ?? []);
 *   compute(pixels);
 * }
 * ```
 */
export function readAhead(store: ImageStore): ReadAhead {
  const pool = imagePool(undefined, { held: Infinity });
  const load: LoadImage = async (path) => (await pool.preprocess(path, store.size)).rgb;
  const reading = new Set<Promise<unknown>>();
  return {
    start(paths) {
      for (const path of paths) {
        const done = store.fill(path, load).catch(() => {}).finally(() => reading.delete(done));
        reading.add(done);
      }
    },
    async [Symbol.asyncDispose]() {
      await pool.close();
      await Promise.all(reading); // what was not read is out of the store then
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
