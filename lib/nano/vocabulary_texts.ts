/**
 * Sentences that give the nano tokenizer whole words for what a teacher model writes about phantoms. Pre-training never
 * shows them, so their tokens start untrained; single characters and bytes cover everything else.
 */
export const GENERAL_TEXTS: readonly string[] = [
  "the patient has a cyst in the right kidney, seen on the mri of the abdomen.",
  "this is an x-ray image of the chest. the image shows a nodule in the left lung.",
  "yes, there is a hemorrhage in the left side of the brain.",
  "no, the image does not show a lesion. it appears normal.",
  "the lesion is located in the spleen. the affected organ is the liver.",
  "what is the location of the nodule? the nodule is located in the upper lobe.",
  "where was the cyst found? it was found in the left lung on the ct scan of the chest.",
  "which imaging modality shows the hemorrhage? magnetic resonance imaging of the head.",
  "computed tomography scan, magnetic resonance image, radiograph, ultrasound.",
  "what abnormality is visible in this image? a small mass with a bright rim.",
  "is this finding normal or abnormal? the findings are consistent with a cyst.",
];
