import type { TrainerSettings } from "../trainer.ts";

/** Steps, batch and learning rate of one pre-training phase. */
export interface Schedule {
  steps: number;
  batchSize: number;
  learningRate: number;
  warmup: number;
  /** Phantoms are drawn from this seed on, each used once. */
  firstSeed: number;
  trainer: TrainerSettings;
}

/** Learning rate of a step: linear warm-up, then a cosine down to 5 %. */
export function warmupCosine(step: number, { steps, warmup, learningRate }: Schedule): number {
  const cosine = 0.5 * (1 + Math.cos(Math.PI * step / steps));
  return learningRate * Math.min(1, (step + 1) / warmup) * (0.05 + 0.95 * cosine);
}
