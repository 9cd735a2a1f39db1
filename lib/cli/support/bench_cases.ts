/** What `./lab bench step` compares; loads nothing. */

/** Models by name, with the timed steps of one process. */
export const MODELS = { nano: { steps: 20 }, "50m": { steps: 5 } } as const;

/**
 * What is trained: the projector, with the vision tower's features computed in each step or read from a file; LoRA on both
 * towers; the same with recomputation of each block.
 */
export const STAGES = ["stage 1", "stage 1, features kept", "stage 2", "stage 2, recompute"] as const;

/** How it is run: op by op, as one function of TensorFlow's graph executor, or compiled by XLA. */
export const MODES = ["eager", "graph", "xla"] as const;

/** Examples of a batch, tokens of prefix and answer in each, rank of the adapter. */
export const BATCH = 4, PREFIX = 24, SUFFIX = 16, RANK = 12;

export interface StepCase {
  model: keyof typeof MODELS;
  stage: typeof STAGES[number];
  mode: typeof MODES[number];
}

/** What one process measured. */
export interface StepMeasurement {
  /** Of the first step: tracing, compiling, running. */
  firstSeconds: number;
  /** Of every later step but the second. */
  seconds: number[];
  /** Floating-point operations of a step's matrix products (lib/model/cost.ts). */
  flops: number;
  /** Peak of the resident memory of the whole process, libraries and weights included. */
  peakMiB: number;
  /** Mean loss before each step: the same in every mode but for rounding. */
  losses: number[];
}
