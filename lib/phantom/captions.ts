import { placeOf } from "./names.ts";
import type { Findings } from "./questions.ts";

/** Number of caption templates. Template 0 is the answer to "open" questions. */
export const CAPTION_TEMPLATES = 4;

/**
 * A true one-sentence caption: modality, region and the lesion with its place, or its absence.
 * @param template 0..3, the wording
 */
export function captionFor(phantom: Findings, template = 0): string {
  const { modality, region, lesion } = phantom, place = placeOf(phantom);
  switch (template) {
    case 0:
      return lesion
        ? `${modality} of the ${region} with a ${lesion} in the ${place}`
        : `${modality} of the ${region} with no lesion`;
    case 1:
      return lesion
        ? `${region} ${modality} showing a ${lesion} in the ${place}`
        : `${region} ${modality} showing no lesion`;
    case 2:
      return lesion
        ? `a ${lesion} is seen in the ${place} on ${modality} of the ${region}`
        : `no lesion is seen on ${modality} of the ${region}`;
    case 3:
      return lesion
        ? `${modality} image of the ${region}, ${place} with a ${lesion}`
        : `${modality} image of the ${region}, normal`;
    default:
      throw new Error(`Expected a caption template 0..${CAPTION_TEMPLATES - 1}, found ${template}.`);
  }
}
