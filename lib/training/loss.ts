import { checkpoint } from "../jupyter/mod.ts";
import { forward, type Model, modelWeights, tokenLosses } from "../model/mod.ts";
import { dispose, type Group, jit, ownItems } from "../tensor/mod.ts";
import type { Params } from "../weights/mod.ts";
import { type BatchShape, labelCount, readBatch, type ReadImages, type TrainingBatch } from "./batches.ts";
import type { Example } from "./examples.ts";
import { sumOver } from "./workers.ts";

/** Traced losses of label tokens by configuration; the weights are arguments, so one trace serves all adapters of a kind. */
const traced = new Map<string, ReturnType<typeof trace>>();

function trace(model: Model, loraScale: number, compiler: "graph" | "xla") {
  return jit((tensors: Params, { inputs, labels }: TrainingBatch) => {
    const adapter = { config: { r: 1, alpha: loraScale, targets: "" }, params: {} };
    const { logits } = forward(tensors, inputs, model.config, { adapter, logitsAt: labels.rows });
    return tokenLosses(logits, labels);
  }, { compiler });
}

/** How examples are read: the training's own shape, so that nothing is padded twice. */
export interface LossOptions {
  /** Examples of a batch. */
  batchSize: number;
  /** Shape of every batch. */
  shape: BatchShape;
  /** What runs the function. */
  compiler: "graph" | "xla";
  /** Ends the work between two batches. */
  signal?: AbortSignal;
}

/**
 * Cross entropy of each example, in nats, summed over its label tokens.
 *
 * @throws the signal's reason between two batches, once it is aborted
 */
export async function exampleLosses(
  model: Model,
  examples: readonly Example[],
  read: ReadImages,
  options: LossOptions,
): Promise<number[]> {
  const { tensors, loraScale } = modelWeights(model);
  const key = JSON.stringify([model.config, loraScale, options.compiler]);
  if (!traced.has(key)) traced.set(key, trace(model, loraScale, options.compiler));
  const f = traced.get(key)!, sums: number[] = [];
  for (let start = 0; start < examples.length; start += options.batchSize) {
    await checkpoint(options.signal);
    const batch = examples.slice(start, start + options.batchSize);
    const part = await readBatch(batch, read, options.shape, 1), losses = f(tensors, part);
    const values = await losses.data();
    dispose([part, losses]);
    let at = 0; // label tokens come example by example
    for (const example of batch) {
      const end = at + labelCount([example]);
      let sum = 0;
      while (at < end) sum += values[at++];
      sums.push(sum);
    }
  }
  return sums;
}

/**
 * Mean cross entropy in nats over all label tokens of `examples`, which the processes of a group share.
 * @throws as {@linkcode exampleLosses}
 */
export async function meanLoss(
  model: Model,
  examples: readonly Example[],
  read: ReadImages,
  { group, ...options }: LossOptions & { group?: Group },
): Promise<number> {
  const own = group ? ownItems(examples, group) : examples;
  const losses = await exampleLosses(model, own, read, options);
  const sum = losses.reduce((sum, loss) => sum + loss, 0);
  return (group ? await sumOver(group, sum) : sum) / labelCount(examples);
}
