import { type Fingerprint, THUMBNAIL } from "../image/mod.ts";
import { checkpoint } from "../jupyter/mod.ts";
import { agreement, type Fit, fitPlacement, type Placement } from "./align.ts";
import { addLandmarks, type Candidate, candidatesFor, newLandmarkIndex } from "./candidates.ts";
import { detailsOf } from "./details.ts";
import { landmarksOf } from "./landmarks.ts";
import { turnPicture } from "./turns.ts";

/**
 * From this score on, and up to this movement of parts, two images are said to show the same picture. Chosen on one half of
 * 109 radiographs and on slices of some scans, and measured on the other half and on other series (`./lab bench audit`).
 */
export const SAME_PICTURE = 0.9, STILL = 0.18;

/** How one picture shows another. */
export interface Alignment {
  /** Of TURN_NAMES: the second picture turned so shows the first. */
  turn: number;
  /** Whether one is the negative of the other. */
  negative: boolean;
  /** Where a point of the first one's thumbnail lies in the turned second one's. */
  placement: Placement;
  /** Correlation of details, tile by tile, that four fifths of what they show reach: -1 to 1. */
  score: number;
  /** How far parts of one lie from where they are in the other, in points of a thumbnail (align.ts). */
  moved: number;
}

/** Whether pictures that are aligned so are the same one. */
export const isSamePicture = ({ score, moved }: Pick<Alignment, "score" | "moved">): boolean =>
  score >= SAME_PICTURE && moved <= STILL;

/** Two images that show the same picture, `a` before `b` in the order in which they were given. */
export interface Copy extends Alignment {
  a: string;
  b: string;
}

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
 * @throws the signal's reason, once it is aborted
 */
export async function findCopies(
  prints: ReadonlyMap<string, Fingerprint>,
  { signal, onProgress }: {
    signal?: AbortSignal;
    onProgress?: (done: number, of: number) => void | Promise<void>;
  } = {},
): Promise<Copy[]> {
  const ids = [...prints.keys()], index = newLandmarkIndex(), found: Copy[] = [];
  const views: { picture: number; grey: Uint8Array; details?: Int8Array }[] = [];
  const details = (view: typeof views[number]) => view.details ??= detailsOf(view.grey);
  for (const [picture, id] of ids.entries()) {
    if (picture % 32 === 0) {
      await checkpoint(signal);
      await onProgress?.(picture, ids.length);
    }
    const own = prints.get(id)!.views.map((grey) => ({ view: { picture, grey }, marks: landmarksOf(grey) }));
    const best = new Map<number, Alignment>();
    for (const { view, marks } of own) {
      for (const candidate of candidatesFor(index, marks)) {
        const other = views[candidate.other];
        if (best.has(other.picture)) continue;
        const alignment = align(details(view), details(other), candidate);
        if (alignment && isSamePicture(alignment)) best.set(other.picture, alignment);
      }
    }
    for (const { view, marks } of own) {
      views.push(view);
      addLandmarks(index, marks);
    }
    for (const [other, alignment] of best) found.push({ a: ids[other], b: id, ...alignment });
  }
  await onProgress?.(ids.length, ids.length);
  return found;
}

/** How two pictures show the same; null when they do not, or have too little in common for a try. */
export function alignPictures(a: Fingerprint, b: Fingerprint): Alignment | null {
  const index = newLandmarkIndex();
  for (const view of a.views) addLandmarks(index, landmarksOf(view));
  const tried = b.views.flatMap((view) =>
    candidatesFor(index, landmarksOf(view)).map((candidate) =>
      align(detailsOf(view), detailsOf(a.views[candidate.other]), candidate)
    )
  ).filter((alignment) => alignment !== null);
  return tried.sort((x, y) => y.score - x.score)[0] ?? null;
}

/** Aligns a picture, turned as a candidate says, with the candidate. Both are given as details. */
function align(a: Int8Array, b: Int8Array, { turn, sign, placement: rough }: Candidate): Alignment | null {
  const turned = turnPicture(a, THUMBNAIL, turn);
  if (sign < 0) { for (let i = 0; i < turned.length; i++) turned[i] = -turned[i]; }
  const coarse = fitCoarse(turned, b, rough);
  if (coarse === null || coarse.correlation < ROUGHLY) return null;
  const fit = fitPlacement(turned, b, coarse.placement, THUMBNAIL, 2);
  if (fit === null) return null;
  const { placement } = fit, { correlation, moved } = agreement(turned, b, placement);
  return { turn, negative: sign < 0, placement, score: correlation, moved };
}

/** Points across a block of the coarse pictures on which a fit begins, and the correlation below which it ends there. */
const BLOCK = 3, ROUGHLY = 0.5;

function fitCoarse(a: Int8Array, b: Int8Array, { wide, high, right, down }: Placement): Fit | null {
  const middle = (BLOCK - 1) / 2;
  const start = {
    wide,
    high,
    right: (middle * (wide - 1) + right) / BLOCK,
    down: (middle * (high - 1) + down) / BLOCK,
  };
  const fit = fitPlacement(blocks(a), blocks(b), start, THUMBNAIL / BLOCK, 1);
  if (fit === null) return null;
  const { placement: found, correlation } = fit;
  const placement = {
    ...found,
    right: BLOCK * found.right - middle * (found.wide - 1),
    down: BLOCK * found.down - middle * (found.high - 1),
  };
  return { placement, correlation };
}

/** The means of blocks of BLOCK x BLOCK points. */
function blocks(picture: Int8Array): Int8Array {
  const side = THUMBNAIL / BLOCK, sums = new Int16Array(side * side);
  for (let y = 0, i = 0; y < THUMBNAIL; y++) {
    const row = Math.floor(y / BLOCK) * side;
    for (let x = 0; x < THUMBNAIL; x++, i++) sums[row + Math.floor(x / BLOCK)] += picture[i];
  }
  return Int8Array.from(sums, (sum) => sum / BLOCK ** 2);
}
