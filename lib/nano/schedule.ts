import { fit, type Objective, type StepSettings, trainStep } from "../training/mod.ts";
import type { Params } from "../weights/mod.ts";

/** Steps, batch and learning rate of one pre-training phase. */
export interface Schedule {
  steps: number;
  batchSize: number;
  learningRate: number;
  warmup: number;
  /** Phantoms are drawn from this seed on, each used once. */
  firstSeed: number;
  settings: StepSettings;
}

/** Learning rate of a step: linear warm-up, then a cosine down to 5 %. */
function warmupCosine(step: number, { steps, warmup, learningRate }: Schedule): number {
  const cosine = 0.5 * (1 + Math.cos(Math.PI * step / steps));
  return learningRate * Math.min(1, (step + 1) / warmup) * (0.05 + 0.95 * cosine);
}

/** What a phase trains, by name, and on which batches. */
interface Phase<Batch> {
  name: string;
  initial: Params;
  frozen: Params;
  objective: Objective<Batch>;
  /** The batch about the phantoms of these seeds; asked for in order. */
  batchOf: (seeds: readonly number[], step: number) => Batch;
}

/** Trains a phase by {@linkcode fit}, every batch on new phantoms. @returns the trained tensors, owned by the caller */
export async function pretrain<Batch>(
  { name, initial, frozen, objective, batchOf }: Phase<Batch>,
  schedule: Schedule,
  log: (line: string) => void,
): Promise<Params> {
  const { steps, batchSize, firstSeed, settings } = schedule;
  const seedsOf = (index: number) =>
    Array.from({ length: batchSize }, (_, i) => firstSeed + index * batchSize + i);
  let mean = 0;
  const { params } = await fit({
    initial,
    frozen,
    step: trainStep(objective, settings),
    steps,
    stepsPerEpoch: steps,
    examplesPerStep: batchSize,
    batch: (index) => [batchOf(seedsOf(index), index)],
    describe: (index) => `phantoms ${seedsOf(index)[0]} to ${seedsOf(index).at(-1)}`,
    learningRate: (index) => warmupCosine(index, schedule),
    onStep: ({ step, loss }) => {
      mean += loss / 100;
      if (step % 100 !== 0) return;
      log(`${name} ${step}/${steps}: loss ${mean.toFixed(3)}`);
      mean = 0;
    },
  });
  return params;
}
