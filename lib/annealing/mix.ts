import { rng, shuffle } from "../config/mod.ts";

/** Share of enrichment pairs over a run: from `start` at the first step to `end` at the last. */
export interface Schedule {
  shape: "constant" | "linear" | "cosine";
  /** In [0, 1]; `constant` uses only `start`. */
  start: number;
  end: number;
}

/**
 * The share that a schedule asks for at a step.
 *
 * @param step 0..steps-1
 */
export function ratioAt(schedule: Schedule, step: number, steps: number): number {
  const { shape, start, end } = schedule;
  const t = steps > 1 ? step / (steps - 1) : 0;
  if (shape === "constant") return start;
  return start + (end - start) * (shape === "linear" ? t : (1 - Math.cos(Math.PI * t)) / 2);
}

export interface MixOptions<T> {
  base: readonly T[];
  enrich: readonly T[];
  schedule: Schedule;
  seed: number;
  steps: number;
  /** Pairs per step (default 1). */
  batchSize?: number;
}

export interface Draw<T> {
  pair: T;
  step: number;
  source: "base" | "enrich";
  /** How often this source had been gone through completely before this draw. */
  epoch: number;
}

export interface PoolAccount {
  size: number;
  draws: number;
  /** draws / size; 0 for an empty pool. */
  epochs: number;
  /** Fewest and most uses of one item; they differ by one at most. */
  minUses: number;
  maxUses: number;
}

export interface Mixture<T> {
  /** steps * batchSize draws in training order. */
  draws: Draw<T>[];
  /** Per step: the share asked for and the share drawn. */
  ratios: { step: number; asked: number; measured: number }[];
  /** Over the whole run. */
  asked: number;
  measured: number;
  base: PoolAccount;
  enrich: PoolAccount;
}

/**
 * Mixes a base set with a small enrichment set by a schedule (annealing, paper section 4.3).
 *
 * At every step the number of enrichment pairs so far is the schedule's running sum rounded, so asked and drawn shares
 * never part by more than half a pair. Each set is gone through in a new random order per epoch, without repeats within
 * one. The result depends on the arguments alone.
 *
 * @throws if a ratio is outside [0, 1], a count is not a positive integer, or a set that is asked for is empty
 */
export function mix<T>(options: MixOptions<T>): Mixture<T> {
  const { base, enrich, schedule, seed, steps, batchSize = 1 } = options;
  for (const [name, value] of Object.entries({ steps, batchSize })) {
    if (!Number.isInteger(value) || value < 1) throw new Error(`mix: expected ${name} >= 1, found ${value}`);
  }
  for (const [name, value] of Object.entries({ start: schedule.start, end: schedule.end })) {
    if (!(value >= 0 && value <= 1)) {
      throw new Error(`mix: expected the schedule's ${name} in 0..1, found ${value}`);
    }
  }
  const pools = { base: pool(base, `mix/${seed}/base`), enrich: pool(enrich, `mix/${seed}/enrich`) };
  const order = rng(`mix/${seed}/order`);
  const draws: Draw<T>[] = [];
  const ratios: Mixture<T>["ratios"] = [];
  let due = 0, given = 0;
  for (let step = 0; step < steps; step++) {
    const asked = ratioAt(schedule, step, steps);
    due += asked * batchSize;
    const count = Math.min(batchSize, Math.round(due + 1e-9) - given); // the nudge keeps 0.1 + 0.2 from rounding down
    given += count;
    const sources = Array.from(
      { length: batchSize },
      (_, i) => i < count ? "enrich" as const : "base" as const,
    );
    for (const source of shuffle(sources, order)) draws.push({ ...pools[source].next(source), step, source });
    ratios.push({ step, asked, measured: count / batchSize });
  }
  const total = steps * batchSize;
  return {
    draws,
    ratios,
    asked: due / total,
    measured: given / total,
    base: pools.base.account(),
    enrich: pools.enrich.account(),
  };
}

function pool<T>(items: readonly T[], seed: string) {
  let order: T[] = [];
  let drawn = 0;
  return {
    next(name: string): { pair: T; epoch: number } {
      if (items.length === 0) {
        throw new Error(`mix: expected pairs in "${name}", found none, but the schedule asks for some`);
      }
      const epoch = Math.floor(drawn / items.length);
      if (drawn % items.length === 0) order = shuffle(items, rng(`${seed}/${epoch}`));
      return { pair: order[drawn++ % items.length], epoch };
    },
    account(): PoolAccount {
      const epochs = items.length > 0 ? drawn / items.length : 0;
      return {
        size: items.length,
        draws: drawn,
        epochs,
        minUses: Math.floor(epochs),
        maxUses: Math.ceil(epochs),
      };
    },
  };
}
