/** Copies, look-alikes and leaks: one notion of "the same picture", found by candidates and verified by alignment. */
export { type Placement } from "./align.ts";
export { type Alignment, alignPictures } from "./same_picture.ts";
export { type Copy, findCopies } from "./copies.ts";
export {
  type ImagePair,
  type Lookalikes,
  lookalikesOf,
  type PictureOf,
  picturesOf,
  representatives,
} from "./pictures.ts";
export { type Overlap, overlapAudit, splitErrors } from "./shared.ts";
export { findLeaks, hideInTraining, type Leak, leakingItems, type LeakItem, type LeakKind } from "./leaks.ts";
export { copyRows, readCopies, writeCopies } from "./table.ts";
export { partAccepted } from "./accepted.ts";
export { TURN_NAMES } from "./turns.ts";
