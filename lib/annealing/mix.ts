import { rng, shuffle } from "../config/mod.ts";
import { ratioAt, type Schedule } from "./schedule.ts";

/** What is mixed, and how. */
export interface MixOptions<T> {
  /** The larger set. */
  base: readonly T[];
  /** The small set that is blended in. */
  enrich: readonly T[];
  /** Its share at each step. */
  schedule: Schedule;
  /** Of the order of both sets. */
  seed: number;
  /** Steps of the training. */
  steps: number;
  /** Pairs per step (default 1). */
  batchSize?: number;
}

/** One drawn pair. */
export interface Draw<T> {
  /** The pair. */
  pair: T;
  /** Its step, from 0. */
  step: number;
  /** The set it comes from. */
  source: "base" | "enrich";
  /** How often this source had been gone through completely before this draw. */
  epoch: number;
}

/** How a set was used. */
export interface PoolAccount {
  /** Pairs in the set. */
  size: number;
  /** Pairs drawn from it. */
  draws: number;
  /** draws / size; 0 for an empty pool. */
  epochs: number;
  /** Fewest and most uses of one item; they differ by one at most. */
  minUses: number;
  /** See `minUses`. */
  maxUses: number;
}

/** What a schedule draws. */
export interface Mixture<T> {
  /** steps * batchSize draws in training order. */
  draws: Draw<T>[];
  /** Per step: the share asked for and the share drawn. */
  ratios: { step: number; asked: number; measured: number }[];
  /** Over the whole run. */
  asked: number;
  /** Share of enrichment pairs that was drawn over the whole run. */
  measured: number;
  /** How the base set was used. */
  base: PoolAccount;
  /** How the enrichment set was used. */
  enrich: PoolAccount;
}

/**
 * Mixes a base set with a small enrichment set by a schedule (annealing, paper section 4.3).
 *
 * At every step the number of enrichment pairs so far is the schedule's running sum rounded, so asked and drawn shares
 * never part by more than half a pair. Each set is gone through in a new random order per epoch, without repeats within
 * one. The result depends on the sets, schedule, seed, steps and batch size alone, and not on the order in which the
 * pairs are given: a loader that lists the same pairs otherwise gives the same training run.
 *
 * @throws if a ratio is outside [0, 1], a count is not a positive integer, an id comes twice, or a set that is asked for
 * is empty
 *
 * @example A quarter from a small set
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { mix } from "@lib/annealing/mod.ts";
 *
 * const { draws, enrich } = mix({
 *   base: [{ id: "a" }, { id: "b" }, { id: "c" }],
 *   enrich: [{ id: "rare" }],
 *   schedule: { shape: "constant", start: 0.25, end: 0.25, endPhase: 0.1 },
 *   seed: 7,
 *   steps: 8,
 * });
 * assertEquals([draws.length, enrich.draws, enrich.epochs], [8, 2, 2]);
 * ```
 */
export function mix<T extends { id: string }>(options: MixOptions<T>): Mixture<T> {
  const { base, enrich, schedule, seed, steps, batchSize = 1 } = options;
  for (const [name, value] of Object.entries({ steps, batchSize })) {
    if (!Number.isInteger(value) || value < 1) throw new Error(`mix: expected ${name} >= 1, found ${value}`);
  }
  for (const name of ["start", "end", "endPhase"] as const) {
    const value = schedule[name];
    if (!(value >= 0 && value <= 1)) {
      throw new Error(`mix: expected the schedule's ${name} in 0..1, found ${value}`);
    }
  }
  const ids = new Set<string>();
  for (const { id } of [...base, ...enrich]) {
    if (ids.has(id)) throw new Error(`mix: expected every pair once, found ${id} twice`);
    ids.add(id);
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

function pool<T extends { id: string }>(items: readonly T[], seed: string) {
  const sorted = items.toSorted((a, b) => (a.id < b.id ? -1 : 1));
  let order: T[] = [];
  let drawn = 0;
  return {
    next(name: string): { pair: T; epoch: number } {
      if (sorted.length === 0) {
        throw new Error(`mix: expected pairs in "${name}", found none, but the schedule asks for some`);
      }
      const epoch = Math.floor(drawn / sorted.length);
      if (drawn % sorted.length === 0) order = shuffle(sorted, rng(`${seed}/${epoch}`));
      return { pair: order[drawn++ % sorted.length], epoch };
    },
    account(): PoolAccount {
      const epochs = sorted.length > 0 ? drawn / sorted.length : 0;
      return {
        size: sorted.length,
        draws: drawn,
        epochs,
        minUses: Math.floor(epochs),
        maxUses: Math.ceil(epochs),
      };
    },
  };
}
