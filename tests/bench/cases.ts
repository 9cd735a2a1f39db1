/** What `./lab bench step` and `./lab bench generate` compare; loads nothing. */

/** Models by name: timed steps of one process, examples of a batch, tokens of an answer. The last one needs a GPU. */
export const MODELS = {
  nano: { steps: 20, batch: 4, suffix: 16, dtype: "float32" },
  "50m": { steps: 5, batch: 4, suffix: 16, dtype: "float32" },
  "3b": { steps: 5, batch: 6, suffix: 24, dtype: "bfloat16" },
} as const;
export type BenchModel = keyof typeof MODELS;

/**
 * What is trained: the projector, with the vision tower's features computed in each step or read from a file; LoRA on both
 * towers; the same with recomputation of each block.
 */
export const STAGES = ["stage 1", "stage 1, features kept", "stage 2", "stage 2, recompute"] as const;

/** How it is run: op by op, as one function of TensorFlow's graph executor, or compiled by XLA. */
export const MODES = ["eager", "graph", "xla"] as const;

/** Tokens of a prefix, rank of the adapter. */
export const PREFIX = 24, RANK = 12;

/** A model and a batch in place of a named model's: `./lab bench growth` changes one number at a time. */
export interface Size {
  /** Of each tower. */
  layers: number;
  /** Of each tower, a multiple of 64: a head for every 64, MLPs four times as wide. */
  width: number;
  /** Of the image; a square number. */
  tokens: number;
  /** Examples, or prompts. */
  batch: number;
}

/** Prompts of a batch, answers to each, tokens of an answer, batches timed. */
export const ANSWERS = { items: 8, samples: 5, tokens: 32, timed: 3 } as const;

/** How answers are generated; the last is not ours and runs where it is given a Python that has it. */
export const WAYS = ["graph, a call a token", "graph", "xla, a call a token", "xla", "transformers"] as const;

export interface GenerateCase {
  model: BenchModel;
  size?: Size;
  way: typeof WAYS[number];
}

/** What one process measured. */
export interface GenerateMeasurement {
  /** Of the first batch: tracing, compiling, running. */
  firstSeconds: number;
  /** Of each later batch, and up to its first token (of a batch of its own). */
  seconds: number[];
  toFirstToken: number[];
  /** Least bytes read for a further token of all rows (lib/model/cost.ts); of ours only. */
  tokenBytes?: number;
  peakMiB: number;
  /** The same before the first batch, with the weights; of ours only. */
  startMiB?: number;
  /** Those of transformers, where it is that. */
  versions?: Record<string, string>;
}

export interface StepCase {
  model: BenchModel;
  size?: Size;
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
  /** Peak of the resident memory of the whole process, libraries and weights included; of the GPU's where there is one. */
  peakMiB: number;
  /** The same before the first step, with the weights. */
  startMiB: number;
  /** Mean loss before each step: the same in every mode but for rounding. */
  losses: number[];
  /** How many numbers are trained. */
  numbers: number;
  /** Medians of adding up so many over a group's processes: milliseconds, and bytes that each sends; 0 for one process. */
  reduceMs: number;
  sentBytes: number;
}
