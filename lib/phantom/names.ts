/** Names and sizes that the whole room shares. */

/** Width and height of a phantom in pixels. */
export const PHANTOM_SIZE = 112;

/** Per-pixel classes, by index. The last three are lesions; "air" is 0. */
export const LABELS = [
  "air",
  "tissue",
  "lung",
  "heart",
  "liver",
  "spleen",
  "kidney",
  "brain",
  "spine",
  "skull",
  "ventricle",
  "nodule",
  "cyst",
  "hemorrhage",
] as const;
/** One of {@linkcode LABELS}. */
export type Label = typeof LABELS[number];

/** Kinds of pictures. */
export const MODALITIES = ["x-ray", "ct", "mri"] as const;
/** One of {@linkcode MODALITIES}. */
export type Modality = typeof MODALITIES[number];

/** Parts of the body. */
export const REGIONS = ["chest", "abdomen", "head"] as const;
/** One of {@linkcode REGIONS}. */
export type Region = typeof REGIONS[number];

/** Kinds of lesions. */
export const LESIONS = ["nodule", "cyst", "hemorrhage"] as const;
/** One of {@linkcode LESIONS}. */
export type Lesion = typeof LESIONS[number];

/** Organs that questions ask about. */
export const ORGANS = ["lung", "heart", "liver", "spleen", "kidney", "brain"] as const;
/** One of {@linkcode ORGANS}. */
export type Organ = typeof ORGANS[number];

/** Organs that may carry a lesion. Every lesion type occurs in each of them. */
export const LESION_ORGANS = ["lung", "liver", "spleen", "kidney", "brain"] as const;

/**
 * Lesions that no picture for training shows in that organ, whether in pre-training or in a stage; test pictures do. Each
 * organ and each lesion is trained on in other combinations.
 */
export const HELD_OUT: Readonly<Partial<Record<Organ, Lesion>>> = {
  lung: "hemorrhage",
  spleen: "cyst",
  kidney: "nodule",
};

/** Whether a picture's lesion and organ are one of the combinations that are held out from training. */
export const isHeldOut = ({ lesion, organ }: { lesion: Lesion | null; organ: Organ | null }): boolean =>
  lesion !== null && organ !== null && HELD_OUT[organ] === lesion;

/**
 * The patient's left or right, as radiologists report it: pictures are displayed as if one faced the patient, so the
 * patient's right is on the picture's left, in both styles.
 */
export type Side = "left" | "right";

/** Where a lesion is, "left lung" or "liver"; null without a lesion. */
export const placeOf = ({ organ, side }: { organ: Organ | null; side: Side | null }): string | null =>
  side === null ? organ : `${side} ${organ}`;

/** Where organs lie that the body has once, on one side. Of a lesion in them no side is named. */
export const ORGAN_SIDE: Readonly<Partial<Record<Organ, Side>>> = {
  heart: "left",
  liver: "right",
  spleen: "left",
};

/** The structure of each region whose size is asked about; half of the phantoms have it enlarged. */
export const MEASURED: Readonly<Record<Region, Label>> = {
  chest: "heart",
  abdomen: "spleen",
  head: "ventricle",
};

/**
 * "generic" is what the nano model is pre-trained on; "shifted" is the domain it is adapted to. They differ in how the
 * picture is acquired (acquisition.ts), and in nothing else.
 */
export type Style = "generic" | "shifted";

/** Place of a label among {@linkcode LABELS}. */
export const labelIndex = (label: Label): number => LABELS.indexOf(label);
/** One of `items`, uniformly. */
export const pick = <T>(items: readonly T[], random: () => number): T =>
  items[Math.floor(random() * items.length)];
