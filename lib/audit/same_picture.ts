import { type Fingerprint, THUMBNAIL } from "../image/mod.ts";
import { agreement, type Fit, fitPlacement, movement, type Placement } from "./align.ts";
import { type Candidate, candidatesFor, indexLandmarks, type LandmarkIndex } from "./candidates.ts";
import { describeView, type Gallery, landmarksIn, newGallery, viewIn } from "./gallery.ts";
import { turnPicture } from "./turns.ts";

/**
 * From this score on, and up to this movement of parts, two images are said to show the same picture. Chosen on one half of
 * 109 radiographs and on slices of some scans, and measured on the other half and on other series (`./lab bench audit`), which
 * were looked at when the grain at which movement is judged was chosen (align.ts COARSE).
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
  /**
   * How far parts of one lie from where they are in the other, in points of a thumbnail (align.ts); Infinity where the
   * score says already that the pictures are two.
   */
  moved: number;
}

/** Whether pictures that are aligned so are the same one. */
export const isSamePicture = ({ score, moved }: Pick<Alignment, "score" | "moved">): boolean =>
  score >= SAME_PICTURE && moved <= STILL;

/** How a view shows the same as an earlier one of the gallery. */
export interface ViewAlignment extends Alignment {
  other: number;
}

/** The candidates for a view of a gallery that could be aligned with it, those with most landmarks in common first. */
export function* alignView(
  gallery: Gallery,
  index: LandmarkIndex,
  view: number,
  end: number,
): Generator<ViewAlignment> {
  for (const candidate of candidatesFor(index, gallery, end, landmarksIn(gallery, view))) {
    const alignment = align(viewIn(gallery, view), viewIn(gallery, candidate.other), candidate);
    if (alignment !== null) yield { ...alignment, other: candidate.other };
  }
}

/** How two pictures show the same; null when they do not, or have too little in common for a try. */
export function alignPictures(a: Fingerprint, b: Fingerprint): Alignment | null {
  const views = [...a.views, ...b.views], end = a.views.length, gallery = newGallery(views.length);
  views.forEach((grey, view) => describeView(gallery, view, grey));
  const index = indexLandmarks(gallery);
  const tried = b.views.flatMap((_, i) => [...alignView(gallery, index, end + i, end)]);
  const best = tried.sort((x, y) => y.score - x.score)[0];
  if (best === undefined) return null;
  const { other: _, ...alignment } = best;
  return alignment;
}

interface View {
  grey: Uint8Array;
  details: Int8Array;
}

/** Aligns a view, turned as a candidate says, with the candidate. */
function align(a: View, b: View, { turn, sign, placement: rough }: Candidate): Alignment | null {
  const turned = turnPicture(a.details, THUMBNAIL, turn);
  if (sign < 0) { for (let i = 0; i < turned.length; i++) turned[i] = -turned[i]; }
  const coarse = fitCoarse(turned, b.details, rough);
  if (coarse === null || coarse.correlation < ROUGHLY) return null;
  const fit = fitPlacement(turned, b.details, coarse.placement, THUMBNAIL, 2);
  if (fit === null) return null;
  const { placement } = fit, score = agreement(turned, b.details, placement);
  if (score < SAME_PICTURE) return { turn, negative: sign < 0, placement, score, moved: Infinity };
  const grey = turnPicture(a.grey, THUMBNAIL, turn),
    seen = sign < 0 ? grey.map((level) => 255 - level) : grey;
  return { turn, negative: sign < 0, placement, score, moved: movement(seen, b.grey, placement) };
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
