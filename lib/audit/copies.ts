import { inOrder, workerPool } from "../config/mod.ts";
import type { Fingerprint } from "../image/mod.ts";
import { checkpoint } from "../jupyter/mod.ts";
import { indexLandmarks } from "./candidates.ts";
import { newGallery } from "./gallery.ts";
import { type FoundPair, perform, type SearchTask } from "./search.ts";
import type { Alignment } from "./same_picture.ts";

/** Two images that show the same picture, `a` before `b` in the order in which they were given. */
export interface Copy extends Alignment {
  /** Id of one image. */
  a: string;
  /** Id of the other. */
  b: string;
}

/** Pictures of one task, and pictures for which it pays to start another worker. */
const PORTION = 16, WORTH_A_WORKER = 100;

/**
 * Finds images that show the same picture: re-encoded, resized, stretched, cut on any side, within bars, mirrored, turned
 * by a multiple of 90 degrees, as a negative, with a text on them, lighter or darker, or several of these.
 *
 * Candidates have alike landmarks in the same places (landmarks.ts, candidates.ts); each is then aligned with the picture
 * and compared by its details (align.ts). Every pair that is returned was compared itself: nothing follows from others.
 * Not found: pictures of one grey, turns by other angles, and some copies of pictures of a few soft shapes (phantoms) after
 * JPEG of quality 10 or a reduction to a quarter. Slices of a scan that lie so close that no border moves from one to the
 * next are said to be the same picture: they cannot be told from copies that were compressed again.
 *
 * @param prints fingerprints by image id
 * @param options.onProgress called now and then; awaited
 * @param options.workers threads; default: one per core, at most 8, and for few pictures this thread alone. The result does
 * not depend on it.
 * @throws the signal's reason, once it is aborted
 */
export async function findCopies(
  prints: ReadonlyMap<string, Fingerprint>,
  { signal, onProgress, workers = workersFor(prints.size) }: {
    signal?: AbortSignal;
    onProgress?: (done: number, of: number) => void | Promise<void>;
    workers?: number;
  } = {},
): Promise<Copy[]> {
  const ids = [...prints.keys()], pictures = [...prints.values()].map(({ views }) => views);
  const firstViews = new Int32Array(pictures.length + 1);
  pictures.forEach(({ length }, i) => firstViews[i + 1] = firstViews[i] + length);
  const gallery = newGallery(firstViews[pictures.length]);
  await using pool = workers > 1
    ? workerPool<SearchTask, FoundPair[]>(new URL("./search_worker.ts", import.meta.url), workers, {
      signal,
      nameOf: ({ kind }) => `a search for copies (${kind})`,
    })
    : null;
  const portions = Array.from({ length: Math.ceil(ids.length / PORTION) }, (_, i) => i * PORTION);
  /** One of the two passes over all pictures: first they are described, then each is looked for in the earlier ones. */
  const pass = async (first: boolean, taskOf: (from: number, to: number) => SearchTask) => {
    const found: FoundPair[] = [];
    const tell = (done: number) =>
      onProgress?.(Math.floor((done + (first ? 0 : ids.length)) / 2), ids.length);
    const run = async (from: number) => {
      const task = taskOf(from, Math.min(ids.length, from + PORTION));
      if (pool !== null) return await pool.run(task);
      await checkpoint(signal);
      return perform(task);
    };
    if (first) await tell(0);
    let done = 0;
    for await (const pairs of inOrder(portions, pool === null ? 1 : 2 * workers, run)) {
      found.push(...pairs);
      await checkpoint(signal);
      await tell(done = Math.min(done + PORTION, ids.length));
    }
    return found;
  };
  await pass(true, (from, to) => ({
    kind: "describe",
    gallery,
    firstView: firstViews[from],
    views: pictures.slice(from, to).flat(),
  }));
  const index = indexLandmarks(gallery);
  const found = await pass(false, (from, to) => ({ kind: "search", gallery, index, firstViews, from, to }));
  return found.map(({ a, b, alignment }) => ({ a: ids[a], b: ids[b], ...alignment }));
}

const workersFor = (pictures: number) =>
  Math.max(1, Math.min(8, navigator.hardwareConcurrency, Math.floor(pictures / WORTH_A_WORKER)));
