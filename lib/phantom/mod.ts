/**
 * Phantom radiology data: pictures drawn from a seed together with everything that is true about them, and writers
 * for the official layouts of the four data sets. Knows no loader.
 */
export {
  isHeldOut,
  type Label,
  labelIndex,
  LABELS,
  type Lesion,
  LESIONS,
  MODALITIES,
  type Modality,
  type Organ,
  ORGANS,
  PHANTOM_SIZE,
  pick,
  placeOf,
  type Region,
  REGIONS,
  type Side,
  type Style,
} from "./names.ts";
export type { Frame } from "./canvas.ts";
export { drawPhantom, type Phantom } from "./draw.ts";
export { type PatchLabels, patchLabels } from "./patches.ts";
export {
  ANATOMY_TYPES,
  CHOICE_TYPES,
  choiceQuestionFor,
  type ChoiceType,
  type Findings,
  LESION_TYPES,
  type Question,
  QUESTION_TYPES,
  questionFor,
  type QuestionType,
  questionTypeOf,
  trueAnswer,
} from "./questions.ts";
export { CAPTION_TEMPLATES, captionFor } from "./captions.ts";
export {
  type GroundTruth,
  type PhantomDataset,
  phantomOf,
  type Split,
  type SplitCounts,
} from "./layouts/exams.ts";
export {
  type GroundTruthSummary,
  type PhantomCounts,
  readGroundTruth,
  writePhantomCorpora,
} from "./layouts/write.ts";
