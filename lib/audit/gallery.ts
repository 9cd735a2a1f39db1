import { THUMBNAIL } from "../image/mod.ts";
import { detailsOf } from "./details.ts";
import { DESCRIPTORS, type Landmarks, landmarksOf, MARKS } from "./landmarks.ts";

/** Many views with their details and landmarks, in memory that threads share: 22 kB a view. */
export interface Gallery {
  /** Grey levels: [views, THUMBNAIL, THUMBNAIL] */
  grey: Uint8Array;
  /** Of the same shape. */
  details: Int8Array;
  /** Landmarks of each view: [views], up to MARKS. */
  count: Uint8Array;
  /** [views, MARKS] */
  x: Uint8Array;
  y: Uint8Array;
  sign: Int8Array;
  /** [views, MARKS, DESCRIPTORS] */
  descriptors: Int8Array;
}

/** A gallery of so many views, none of which is described yet. */
export function newGallery(views: number): Gallery {
  const shared = (bytes: number) => new SharedArrayBuffer(views * bytes);
  return {
    grey: new Uint8Array(shared(THUMBNAIL ** 2)),
    details: new Int8Array(shared(THUMBNAIL ** 2)),
    count: new Uint8Array(shared(1)),
    x: new Uint8Array(shared(MARKS)),
    y: new Uint8Array(shared(MARKS)),
    sign: new Int8Array(shared(MARKS)),
    descriptors: new Int8Array(shared(MARKS * DESCRIPTORS)),
  };
}

/** Enters what a view shows. */
export function describeView(gallery: Gallery, view: number, grey: Uint8Array): void {
  const { count, x, y, sign, descriptors } = landmarksOf(grey);
  gallery.grey.set(grey, view * THUMBNAIL ** 2);
  gallery.details.set(detailsOf(grey), view * THUMBNAIL ** 2);
  gallery.count[view] = count;
  gallery.x.set(x, view * MARKS);
  gallery.y.set(y, view * MARKS);
  gallery.sign.set(sign, view * MARKS);
  gallery.descriptors.set(descriptors, view * MARKS * DESCRIPTORS);
}

/** A view of the gallery, not a copy, with its details. */
export function viewIn({ grey, details }: Gallery, view: number): { grey: Uint8Array; details: Int8Array } {
  const from = view * THUMBNAIL ** 2, to = from + THUMBNAIL ** 2;
  return { grey: grey.subarray(from, to), details: details.subarray(from, to) };
}

/** The landmarks of a view; not copies. */
export function landmarksIn(gallery: Gallery, view: number): Landmarks {
  const count = gallery.count[view], from = view * MARKS, to = from + count;
  return {
    count,
    x: gallery.x.subarray(from, to),
    y: gallery.y.subarray(from, to),
    sign: gallery.sign.subarray(from, to),
    descriptors: gallery.descriptors.subarray(from * DESCRIPTORS, to * DESCRIPTORS),
  };
}
