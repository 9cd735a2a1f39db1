import { rng } from "../config/mod.ts";
import { acquire } from "./acquisition.ts";
import { drawAnatomy } from "./anatomy.ts";
import { type Frame, newCanvas } from "./canvas.ts";
import { drawLesion, placeLesion } from "./lesions.ts";
import {
  type Label,
  type Lesion,
  LESIONS,
  type Modality,
  oppositeSide,
  type Organ,
  pick,
  type Region,
  type Side,
  type Style,
} from "./names.ts";

/** One drawn picture with everything that is true about it. */
export interface Phantom {
  seed: number;
  style: Style;
  /** Grey values [112 * 112], row by row. */
  pixels: Uint8Array;
  /** 1 on the lesion [112 * 112]; all 0 without one. */
  mask: Uint8Array;
  /** Index into LABELS per pixel [112 * 112]. */
  labels: Uint8Array;
  modality: Modality;
  region: Region;
  /** Visible structures (also spine and skull). */
  organs: Label[];
  lesion: Lesion | null;
  /** Organ that carries the lesion. */
  organ: Organ | null;
  /** Side of the lesion in the style's convention: the picture's (generic) or the patient's (shifted). */
  side: Side | null;
  /** Side of the lesion on screen, whatever the style. */
  imageSide: Side | null;
  /** Side of heart, liver and spleen where visible, in the style's convention. */
  organSide: Partial<Record<Organ, Side>>;
  frame: Frame;
}

/** X-ray has two of seven places: with one of six it is too rare to be learnt. */
const EXAMS: readonly [Modality, Region][] = [
  ["x-ray", "chest"],
  ["x-ray", "chest"],
  ["ct", "chest"],
  ["ct", "abdomen"],
  ["mri", "abdomen"],
  ["ct", "head"],
  ["mri", "head"],
];

/**
 * Draws the phantom of a seed. The same seed and style give the same bytes; the same seed in the other style gives
 * the same anatomy and lesion, acquired and named differently.
 *
 * 70 % of the phantoms carry one lesion; type and organ are drawn independently, and the anatomy is mirrored in half
 * of them, so no answer can be told from another one.
 *
 * @example The same patient in both styles
 * ```ts
 * import { drawPhantom } from "@lib/phantom/mod.ts";
 * const a = drawPhantom(42, "generic"), b = drawPhantom(42, "shifted");
 * console.log(a.modality, a.lesion, a.side, b.side);
 * ```
 */
export function drawPhantom(seed: number, style: Style): Phantom {
  const random = rng(`phantom/${seed}`);
  const uniform = (low: number, high: number) => low + (high - low) * random();
  const [modality, region] = pick(EXAMS, random);
  const frame: Frame = {
    shiftX: uniform(-0.06, 0.06),
    shiftY: uniform(-0.06, 0.06),
    scale: uniform(0.88, 1.04),
    rotation: uniform(-0.12, 0.12),
    mirror: random() < 0.5 ? 1 : -1,
  };
  const canvas = newCanvas(frame);
  const anatomy = drawAnatomy(canvas, modality, region, style, random);

  const onScreen = (bodyX: number): Side => bodyX * frame.mirror < 0 ? "left" : "right";
  const named = (side: Side): Side => style === "generic" ? side : oppositeSide(side);
  let lesion: Lesion | null = null, organ: Organ | null = null, imageSide: Side | null = null;
  let mask: Uint8Array = new Uint8Array(canvas.values.length);
  if (random() < 0.7) {
    lesion = pick(LESIONS, random);
    const carrier = pick(anatomy.carriers, random);
    const { x, y } = placeLesion(canvas, carrier, random);
    organ = carrier.organ;
    imageSide = onScreen(x);
    mask = drawLesion(canvas, lesion, x, y, random);
  }
  const organSide: Phantom["organSide"] = {};
  for (const [name, x] of Object.entries(anatomy.oneSided)) organSide[name as Organ] = named(onScreen(x));
  return {
    seed,
    style,
    pixels: acquire(canvas, modality, style, random, rng(`phantom noise/${seed}`)),
    mask,
    labels: canvas.labels,
    modality,
    region,
    organs: anatomy.organs,
    lesion,
    organ,
    side: imageSide && named(imageSide),
    imageSide,
    organSide,
    frame,
  };
}
