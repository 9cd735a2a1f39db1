import { join } from "@std/path";
import { diskError, makeFolder, sha256 } from "../config/mod.ts";
import { IMAGE_ENDINGS, imageFormat } from "../image/mod.ts";
import { checkpoint } from "../jupyter/mod.ts";

/** Collects image paths and then checks them all at once. */
export interface ImageCheck {
  wanted: Map<string, string>;
  /** Ends the check. */
  signal?: AbortSignal;
}

export const newImageCheck = (signal?: AbortSignal): ImageCheck => ({ wanted: new Map(), signal });

/** Remembers that the row `where` needs the image. */
export function wantImage(check: ImageCheck, path: string, where: string): void {
  if (!check.wanted.has(path)) check.wanted.set(path, where);
}

/** Files looked at at a time: MIMIC-CXR has 377,110. */
const AT_ONCE = 64;

/**
 * @throws naming the first image that is missing, empty, a folder or not readable, its row, and how many are; the reason of
 * the check's signal
 */
export async function requireAllImages(check: ImageCheck, hint: string): Promise<void> {
  const wanted = [...check.wanted], faults: [string, string, string][] = [];
  for (let k = 0; k < wanted.length; k += AT_ONCE) {
    await checkpoint(check.signal);
    await Promise.all(
      wanted.slice(k, k + AT_ONCE).map(async ([path, where], i) => {
        const fault = await faultOf(path);
        if (fault) faults[k + i] = [path, where, fault];
      }),
    );
  }
  const found = faults.filter(() => true); // without the holes
  if (found.length === 0) return;
  const [path, where, fault] = found[0];
  throw new Error(
    `${where}: expected the image ${path}; it is ${fault} (${found.length} of ${wanted.length} images are not ` +
      `there). ${hint} To use the text alone, load with requireImages: false.`,
  );
}

async function faultOf(path: string): Promise<string | null> {
  try {
    const { isFile, size } = await Deno.stat(path);
    return !isFile ? "a folder" : size === 0 ? "empty" : null;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return "missing";
    return `not readable (${(error as Error).message})`;
  }
}

/** Why a row whose image cacheImage does not take is dropped. */
export const UNKNOWN_FORMAT = "the image is of no known format";

/** A folder of images by hash, for data sets that carry them inside parquet files. */
export interface ImageCache {
  folder: string;
  /** Paths by hash of what this run has looked at. */
  paths: Map<string, string>;
}

export async function openImageCache(folder: string): Promise<ImageCache> {
  await makeFolder(folder);
  return { folder, paths: new Map() };
}

/**
 * Writes an image to the cache, once, as its SHA-256 and the ending of its format.
 * @returns null for bytes that are not a picture
 */
export async function cacheImage(
  cache: ImageCache,
  bytes: Uint8Array,
): Promise<{ path: string; sha256: string } | null> {
  const format = imageFormat(bytes);
  if (format === null) return null;
  const hash = sha256(bytes), known = cache.paths.get(hash);
  if (known) return { path: known, sha256: hash };
  const path = join(cache.folder, hash + IMAGE_ENDINGS[format]);
  const size = await Deno.stat(path).then((about) => about.size, () => -1);
  if (size !== bytes.length) { // not synced, as writeFileAtomic does: there are 100,000 of them, and they can be made again
    try {
      await Deno.writeFile(`${path}.tmp`, bytes);
      await Deno.rename(`${path}.tmp`, path);
    } catch (error) {
      await Deno.remove(`${path}.tmp`).catch(() => {});
      throw diskError(error, path);
    }
  }
  cache.paths.set(hash, path);
  return { path, sha256: hash };
}
