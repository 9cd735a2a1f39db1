/** Raw attention, rollout and gradient x attention in both directions, sinks, and measures of whether maps are faithful. */
export {
  ANSWER_MAPS,
  type AnswerMap,
  answerMaps,
  type AttentionMap,
  gradientMap,
  meanOverAnswer,
  readMask,
} from "./answer_maps.ts";
export { type Baseline, BASELINES } from "./baselines.ts";
export { answerSequence, captureAnswer, type CapturedAnswer, type CaptureOptions } from "./capture.ts";
export { type AttentionShares, responseToImage, type SequenceLayout } from "./directions.ts";
export {
  type ExplorerExample,
  explorerExample,
  type ExplorerMap,
  type ExplorerMethod,
  type ExplorerModel,
  type ExplorerOptions,
  type Sinks,
} from "./explorer.ts";
export { explorerPage } from "./explorer_page.ts";
export {
  faithfulness,
  type FaithfulnessRow,
  meanCurves,
  PATCH_ORDERS,
  type PatchCurve,
  type PatchCurveOptions,
  patchCurves,
  type PatchOrder,
} from "./faithfulness.ts";
export {
  type AnswerMatrices,
  IMAGE_TO_RESPONSE,
  type ImageToResponse,
  imageToResponse,
  type ImageToResponseSummary,
  summariseImageToResponse,
} from "./image_to_response.ts";
export {
  LESION_STUDY,
  type LesionQuestion,
  lesionQuestions,
  type StudiedQuestion,
  studyLesions,
  type StudyMap,
  type StudyOptions,
} from "./lesion_study.ts";
export {
  type LocalisationExample,
  type LocalisationRow,
  patchCoverage,
  pointingGame,
} from "./localisation.ts";
export {
  attentionError,
  type HeadFusion,
  type LayerAttention,
  mapDistance,
  prefixLmMask,
  rawAttention,
} from "./matrices.ts";
export { type PaintedChange, paintedChanges } from "./painted.ts";
export { areaUnder, type Perturbation, shownPatches, strongestFirst } from "./perturbation.ts";
export {
  isAhead,
  type PointingGain,
  pointingGains,
  type PointingGame,
  pointingGames,
  shareRows,
} from "./pointing.ts";
export { sampleRadiograph } from "./radiograph.ts";
export type { ReducedAttention } from "./reduction.ts";
export { rollout, type RolloutOptions } from "./rollout.ts";
export { type GivenAnswer, rolloutMaps } from "./rollout_maps.ts";
export { locality, towerRollout } from "./tower.ts";
