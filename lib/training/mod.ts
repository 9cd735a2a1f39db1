/** Batches, AdamW, the training loop and the two fine-tuning stages. */
export { adamW, type AdamWSettings, type AdamWState, initAdamW, TORCH_ADAMW } from "./adamw.ts";
export {
  type BatchShape,
  batchShape,
  type ImageValues,
  labelCount,
  type ReadImages,
  type Tokenised,
  type TrainingBatch,
  trainingBatch,
} from "./batches.ts";
export { cellChecks, lifelessCells, trainCell, type TrainedCell } from "./cell.ts";
export type { Checkpoint, Checkpoints } from "./checkpoints.ts";
export { epochBatches, type Example, type Pair, toExamples } from "./examples.ts";
export { type FeatureFile, featuresText, towerFeatures } from "./features.ts";
export type { KeepOptions } from "./kept_training.ts";
export { exampleLosses, type LossOptions } from "./loss.ts";
export { fit, type Run, type TrainingRecord } from "./fit.ts";
export { stage1Data, trainProjector } from "./projector.ts";
export { lossFall, type Stage1, type Stage1Options, type StageOptions, trainStage2 } from "./stages.ts";
export { nextTokenObjective } from "./objective.ts";
export {
  type Objective,
  type Stepped,
  type StepSettings,
  type TrainState,
  type TrainStep,
  trainStep,
} from "./step.ts";
export { maskOf, parameterShares, tokenColours, whatModelSees } from "./inspect.ts";
export { type CellData, cellData, gridData, pairsOfDataset, readablePairs, type SplitPair } from "./grid.ts";
export { type ImageGain, imageGain } from "./image_gain.ts";
