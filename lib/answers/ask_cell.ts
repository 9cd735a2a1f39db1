import { join } from "@std/path";
import type { Config } from "../config/mod.ts";
import { type CellAnswers, type EvaluatedCell, type GridItems, withOtherImages } from "../evaluation/mod.ts";
import { type ImageStore, mergeAdapter, type Model, weightsName } from "../model/mod.ts";
import type { QaPair } from "../synthesis/mod.ts";
import { dispose, tf } from "../tensor/mod.ts";
import type { Tokenizer } from "../text/mod.ts";
import { loadAdapter, type Params, paramsSha256 } from "../weights/mod.ts";
import { askModel, type AskOptions } from "./ask_model.ts";

/** A system ready to be asked. */
export interface ReadySystem {
  /** The model, with its adapter where it has one. */
  model: Model;
  /** Names the weights, where answers are kept. */
  weights?: string;
}

/**
 * Gives `body` one system, its adapter merged into the weights, so that all systems share the traced functions.
 *
 * @param stage1 the projector of stage 1
 * @param adapters folder of the adapters of stage 2
 * @param keep whether the weights get a name under which answers are kept
 */
export async function withSystem<T>(
  cell: EvaluatedCell,
  base: Model,
  stage1: Params,
  adapters: string,
  keep: boolean,
  body: (system: ReadySystem) => Promise<T>,
): Promise<T> {
  const { params } = base;
  let own: Params = cell.stage1 ? { ...params, ...stage1 } : params;
  const names = keep && cell.stage1 ? [paramsSha256(stage1)] : [];
  if (cell.adapter) {
    const adapter = await loadAdapter(join(adapters, cell.adapter), base.config);
    own = mergeAdapter(own, adapter);
    if (keep) names.push(weightsName({ params, adapter }));
    dispose([adapter.params, adapter.projector]);
  } else if (keep) names.push(weightsName(base));
  try {
    return await body({ model: { ...base, params: own }, weights: keep ? names.join() : undefined });
  } finally {
    const shared = new Set([...Object.values(params), ...Object.values(stage1)]);
    tf.dispose(Object.values(own).filter((tensor) => !shared.has(tensor)));
  }
}

/**
 * Asks one system everything.
 *
 * @param all the questions of every test set; those of its own are asked
 * @param options.keep keep the answers, and use those that are kept of the same weights to the same items
 * @param options.group processes that share the items; all get all answers
 * @throws the signal's reason between two batches, once it is aborted
 */
export async function askCell(
  cell: EvaluatedCell,
  { model, tokenizer, store }: { model: Model; tokenizer: Tokenizer; store: ImageStore },
  all: GridItems,
  stage1: Params,
  adapters: string,
  config: Config,
  { keep = false, ...options }: Pick<AskOptions, "signal" | "group" | "onProgress"> & { keep?: boolean } = {},
): Promise<CellAnswers> {
  const items = all[cell.testSet], { runs } = config.evaluation;
  return await withSystem(cell, model, stage1, adapters, keep, async (system) => {
    const ask = (list: readonly QaPair[], runs: number, blankImages = false) =>
      askModel(system.model, tokenizer, store, list, config, {
        runs,
        blankImages,
        weights: system.weights,
        ...options,
      });
    return {
      cell,
      short: await ask(items.short, runs),
      blank: await ask(items.short, runs, true),
      shuffled: await ask(withOtherImages(items.short, config.seed), runs),
      open: await ask(items.open, 1),
    };
  });
}
