import { type LandmarkIndex } from "./candidates.ts";
import { describeView, type Gallery } from "./gallery.ts";
import { type Alignment, alignView, isSamePicture } from "./same_picture.ts";

/** What each thread of a search is given: pictures to describe, or a range of pictures to look for in the earlier ones. */
export type SearchTask =
  | { kind: "describe"; gallery: Gallery; firstView: number; views: readonly Uint8Array[] }
  | {
    kind: "search";
    gallery: Gallery;
    index: LandmarkIndex;
    /** First view of each picture, and the number of views. */
    firstViews: Int32Array;
    from: number;
    to: number;
  };

/** Two pictures, by number, that show the same; `a` is the earlier one. */
export interface FoundPair {
  a: number;
  b: number;
  alignment: Alignment;
}

/** What a task finds; a description finds nothing and is written into the gallery. */
export function perform(task: SearchTask): FoundPair[] {
  if (task.kind === "search") return search(task);
  task.views.forEach((grey, i) => describeView(task.gallery, task.firstView + i, grey));
  return [];
}

function search({ gallery, index, firstViews, from, to }: SearchTask & { kind: "search" }): FoundPair[] {
  const found: FoundPair[] = [];
  for (let b = from; b < to; b++) {
    const earlier = new Set<number>();
    for (let view = firstViews[b]; view < firstViews[b + 1]; view++) {
      for (const { other, ...alignment } of alignView(gallery, index, view, firstViews[b])) {
        const a = pictureOf(firstViews, other);
        if (earlier.has(a) || !isSamePicture(alignment)) continue;
        earlier.add(a);
        found.push({ a, b, alignment });
      }
    }
  }
  return found;
}

/** The picture that a view is of. */
function pictureOf(firstViews: Int32Array, view: number): number {
  let low = 0, high = firstViews.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (firstViews[middle] <= view) low = middle;
    else high = middle;
  }
  return low;
}
