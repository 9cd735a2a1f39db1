/**
 * Phantom radiology data: pictures drawn from a seed together with everything that is true about them, and writers
 * for the official layouts of the four data sets. Knows no loader.
 */
export * from "./names.ts";
export { type Frame, isImageLeft } from "./canvas.ts";
export { drawPhantom, type Phantom } from "./draw.ts";
export { type PatchLabels, patchLabels } from "./patches.ts";
export * from "./questions.ts";
export { CAPTION_TEMPLATES, captionFor } from "./captions.ts";
export { type GroundTruth, type PhantomDataset, phantomOf, type SplitCounts } from "./layouts/exams.ts";
export {
  type GroundTruthSummary,
  type PhantomCounts,
  readGroundTruth,
  TINY_COUNTS,
  writePhantomCorpora,
} from "./layouts/write.ts";
