import { isImageLeft } from "./canvas.ts";
import type { Phantom } from "./draw.ts";
import { labelIndex, LABELS, PHANTOM_SIZE } from "./names.ts";

/** A patch counts as lesion when more than this share of its pixels does. */
const LESION_SHARE = 0.15;

/** Dense targets for pre-training the vision tower, one per patch, row by row. */
export interface PatchLabels {
  /** Index into LABELS: the lesion if it covers more than 15 % of the patch, else the most frequent class. */
  classes: Uint8Array;
  /** 1 where the patch's centre lies left of the body's midline on screen. */
  imageLeft: Uint8Array;
  /** Patches per row and column. */
  grid: number;
}

/**
 * Patch-wise ground truth of a phantom.
 * @param patch patch width in pixels; must divide 112
 */
export function patchLabels(phantom: Phantom, patch = 14): PatchLabels {
  const grid = PHANTOM_SIZE / patch;
  if (!Number.isInteger(grid)) {
    throw new Error(`Expected a patch width that divides ${PHANTOM_SIZE}, found ${patch}.`);
  }
  const kinds = LABELS.length, firstLesion = labelIndex("nodule");
  const counts = new Uint16Array(grid * grid * kinds);
  for (let y = 0, i = 0; y < PHANTOM_SIZE; y++) {
    const row = Math.floor(y / patch) * grid;
    for (let x = 0; x < PHANTOM_SIZE; x++, i++) {
      counts[(row + Math.floor(x / patch)) * kinds + phantom.labels[i]]++;
    }
  }
  const classes = new Uint8Array(grid * grid), imageLeft = new Uint8Array(grid * grid);
  for (let p = 0; p < grid * grid; p++) {
    let best = 0;
    for (let k = 1; k < kinds; k++) if (counts[p * kinds + k] > counts[p * kinds + best]) best = k;
    for (let k = firstLesion; k < kinds; k++) {
      if (counts[p * kinds + k] > LESION_SHARE * patch * patch) best = k;
    }
    classes[p] = best;
    const cx = (p % grid + 0.5) * patch, cy = (Math.floor(p / grid) + 0.5) * patch;
    imageLeft[p] = isImageLeft(phantom.frame, cx, cy) ? 1 : 0;
  }
  return { classes, imageLeft, grid };
}
