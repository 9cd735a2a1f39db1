import { rng } from "../config/mod.ts";
import { acquire } from "./acquisition.ts";
import { drawAnatomy } from "./anatomy.ts";
import { type Frame, newCanvas } from "./canvas.ts";
import { drawLesion, placeLesion } from "./lesions.ts";
import {
  HELD_OUT,
  type Label,
  type Lesion,
  LESIONS,
  type Modality,
  type Organ,
  ORGAN_SIDE,
  pick,
  type Region,
  type Side,
  type Style,
} from "./names.ts";

/** One drawn picture with everything that is true about it. */
export interface Phantom {
  /** It is drawn from this seed alone. */
  seed: number;
  /** How it is drawn. */
  style: Style;
  /** Grey values [112 * 112], row by row. */
  pixels: Uint8Array;
  /** 1 on the lesion [112 * 112]; all 0 without one. */
  mask: Uint8Array;
  /** Index into LABELS per pixel [112 * 112]. */
  labels: Uint8Array;
  /** What kind of picture it is. */
  modality: Modality;
  /** Part of the body. */
  region: Region;
  /** Visible structures (also spine and skull). */
  organs: Label[];
  /** Its lesion; null if it has none. */
  lesion: Lesion | null;
  /** Organ that carries the lesion. */
  organ: Organ | null;
  /** The patient's side of a lesion in a lung, a kidney or the brain; null in an organ that the body has once. */
  side: Side | null;
  /** The patient's side of heart, liver and spleen, where visible. */
  organSide: Partial<Record<Organ, Side>>;
  /** Whether the heart (chest), the spleen (abdomen) or the ventricles (head) are larger than normal. */
  enlarged: boolean;
  /** Where it lies in the picture. */
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
 * 70 % of the phantoms carry one lesion. Its side and its type are drawn independently of everything else (but for the
 * combinations that are held out), its organ among those of the region: the region alone tells the organ of a lesion in
 * 86 % of them.
 *
 * @param options.combinations "trained" (the default): lesions keep to the combinations that training may show; "all": they
 * do not, as in test pictures
 *
 * @example The same patient in both styles
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { drawPhantom } from "@lib/phantom/mod.ts";
 *
 * const a = drawPhantom(42, "generic"), b = drawPhantom(42, "shifted");
 * assertEquals([a.modality, a.lesion, a.side], [b.modality, b.lesion, b.side]);
 * ```
 */
export function drawPhantom(
  seed: number,
  style: Style,
  { combinations = "trained" }: { combinations?: "trained" | "all" } = {},
): Phantom {
  const random = rng(`phantom/${seed}`);
  const uniform = (low: number, high: number) => low + (high - low) * random();
  const [modality, region] = pick(EXAMS, random);
  const frame: Frame = {
    shiftX: uniform(-0.06, 0.06),
    shiftY: uniform(-0.06, 0.06),
    scale: uniform(0.88, 1.04),
    rotation: uniform(-0.12, 0.12),
  };
  const canvas = newCanvas(frame);
  const enlarged = random() < 0.5;
  const anatomy = drawAnatomy(canvas, modality, region, style, enlarged, random);

  let lesion: Lesion | null = null, organ: Organ | null = null, side: Side | null = null;
  let mask: Uint8Array = new Uint8Array(canvas.values.length);
  if (random() < 0.7) {
    const carrier = pick(anatomy.carriers, random);
    const { x, y } = placeLesion(canvas, carrier, random);
    organ = carrier.organ;
    if (ORGAN_SIDE[organ] === undefined) side = x < 0 ? "right" : "left";
    const heldOut = combinations === "all" ? undefined : HELD_OUT[organ];
    lesion = pick(LESIONS.filter((kind) => kind !== heldOut), random);
    mask = drawLesion(canvas, lesion, x, y, random);
  }
  const organSide: Phantom["organSide"] = {};
  for (const [name, of] of Object.entries(ORGAN_SIDE)) {
    if (anatomy.organs.includes(name as Label)) organSide[name as Organ] = of;
  }
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
    side,
    organSide,
    enlarged,
    frame,
  };
}
