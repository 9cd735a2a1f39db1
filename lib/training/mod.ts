/** Batches, AdamW, the training loop, the two fine-tuning stages, and the pre-training of the nano model. */
export * from "./adamw.ts";
export * from "./batches.ts";
export * from "./cell.ts";
export { type Checkpoint, checkpointFile, type Checkpoints, type TrainingKey } from "./checkpoints.ts";
export * from "./examples.ts";
export { type FeatureFile, featuresText } from "./features.ts";
export type { KeepOptions } from "./kept_training.ts";
export * from "./loss.ts";
export * from "./nano/mod.ts";
export * from "./fit.ts";
export * from "./projector.ts";
export * from "./stages.ts";
export * from "./objective.ts";
export * from "./step.ts";
export * from "./inspect.ts";
export * from "./grid.ts";
export * from "./image_gain.ts";
