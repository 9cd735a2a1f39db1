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
export type Label = typeof LABELS[number];

export const MODALITIES = ["x-ray", "ct", "mri"] as const;
export type Modality = typeof MODALITIES[number];

export const REGIONS = ["chest", "abdomen", "head"] as const;
export type Region = typeof REGIONS[number];

export const LESIONS = ["nodule", "cyst", "hemorrhage"] as const;
export type Lesion = typeof LESIONS[number];

/** Organs that questions ask about. */
export const ORGANS = ["lung", "heart", "liver", "spleen", "kidney", "brain"] as const;
export type Organ = typeof ORGANS[number];

/** Organs that may carry a lesion. Every lesion type occurs in each of them. */
export const LESION_ORGANS = ["lung", "liver", "spleen", "kidney", "brain"] as const;

export type Side = "left" | "right";

/**
 * "generic" is what the nano model is pre-trained on; "shifted" is the domain it is adapted to.
 * Shifted differs in two ways: how the picture is acquired (acquisition.ts) and what left and right mean:
 * generic sides are sides of the picture, shifted sides are the patient's, as radiologists report them.
 */
export type Style = "generic" | "shifted";

export const labelIndex = (label: Label): number => LABELS.indexOf(label);
export const oppositeSide = (side: Side): Side => side === "left" ? "right" : "left";
/** One of `items`, uniformly. */
export const pick = <T>(items: readonly T[], random: () => number): T =>
  items[Math.floor(random() * items.length)];
