import type { Fingerprint } from "./fingerprint.ts";
import { inOrder, workerPool } from "../config/mod.ts";

/** What a pool tells of an image file. */
export interface ImageFacts {
  /** Of the file's bytes. */
  sha256: string;
  /** Pixels from left to right. */
  width: number;
  /** Pixels from top to bottom. */
  height: number;
  /** What decoding did: one of several frames, turned upright, scaled to 8 bits (`DecodedImage.notes`). */
  notes: readonly string[];
  /** What copies of the picture are found by. */
  fingerprint: Fingerprint;
}

/** An image as the vision tower's preprocessing leaves it before it becomes floats. */
export interface PreprocessedImage {
  /** RGB bytes [size, size, 3]. */
  rgb: Uint8Array<ArrayBuffer>;
}

/** What workers are asked for, and what they answer. */
export type ImageTask =
  | { kind: "inspect"; path: string }
  | { kind: "preprocess"; path: string; size: number };
export type ImageResult = ImageFacts | PreprocessedImage;

/**
 * Image files read, hashed, decoded and resized on other threads. Every promise is rejected with an Error that names the
 * file when something is wrong with it; the pool goes on.
 */
export interface ImagePool extends AsyncDisposable {
  /** Hash, size, notes and fingerprint of an image file. */
  inspect(path: string): Promise<ImageFacts>;
  /** An image file through {@link decodeImage} and {@link resizeBicubic}: the same bytes as on the main thread. */
  preprocess(path: string, size: number): Promise<PreprocessedImage>;
  /** `task` over many items: results in the items' order, no more in the making than keep the workers busy. */
  map<Item, Result>(items: Iterable<Item>, task: (item: Item) => Promise<Result>): AsyncGenerator<Result>;
  /** Ends the workers. What is not done is rejected, and so is what is asked for later. */
  close(): Promise<void>;
}

/**
 * A pool of image workers; each starts with the first task that finds no idle one.
 *
 * @param workers default: one per core, at most 8
 * @param options.signal closes the pool with its reason
 * @param options.held images that a worker is given at once, default 1; with more, work goes on while this thread computes
 *
 * @example Facts about many files
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { encodePng, imagePool } from "@lib/image/mod.ts";
 *
 * const path = await Deno.makeTempFile({ suffix: ".png" });
 * await Deno.writeFile(path, await encodePng({ width: 3, height: 2, data: new Uint8Array(18) }));
 * await using pool = imagePool(1);
 * for await (const { width, height } of pool.map([path], (path) => pool.inspect(path))) {
 *   assertEquals([width, height], [3, 2]);
 * }
 * ```
 */
export function imagePool(
  workers: number = Math.min(8, navigator.hardwareConcurrency),
  options: { signal?: AbortSignal; held?: number } = {},
): ImagePool {
  const script = new URL("./image_worker.ts", import.meta.url);
  const pool = workerPool<ImageTask, ImageResult>(script, workers, options);
  return {
    inspect: (path) => pool.run({ kind: "inspect", path }) as Promise<ImageFacts>,
    preprocess: (path, size) => pool.run({ kind: "preprocess", path, size }) as Promise<PreprocessedImage>,
    map: (items, task) => inOrder(items, 2 * workers, task),
    close: pool.close,
    [Symbol.asyncDispose]: pool.close,
  };
}
