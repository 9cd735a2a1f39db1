import { checkpoint } from "../jupyter/mod.ts";
import { forward, type ImageStore, lossOf, type Model, modelWeights } from "../model/mod.ts";
import { jit, tf } from "../tensor/mod.ts";
import type { Params } from "../weights/mod.ts";
import { type BatchShape, labelCount, trainingBatch, unpack } from "./batches.ts";
import type { Example } from "./examples.ts";

/** Traced loss functions by configuration; the weights are arguments, so one trace serves all adapters of a kind. */
const traced = new Map<string, ReturnType<typeof trace>>();

function trace(model: Model, loraScale: number, compiler: "graph" | "xla") {
  return jit((tensors: Params, part: Params) => {
    const { inputs, labels } = unpack(part);
    const adapter = { config: { r: 1, alpha: loraScale, targets: "" }, params: {} };
    const { logits } = forward(tensors, inputs, model.config, { adapter, logitsAt: labels.rows });
    return lossOf(logits, labels);
  }, { compiler });
}

/**
 * Mean cross entropy (nats) over all label tokens of `examples`.
 *
 * @param options.shape shape of the batches; give the training's own so that nothing is padded twice
 * @throws the signal's reason between two batches, once it is aborted
 */
export async function meanLoss(
  model: Model,
  examples: readonly Example[],
  store: ImageStore,
  options: { batchSize: number; shape: BatchShape; compiler: "graph" | "xla"; signal?: AbortSignal },
): Promise<number> {
  const { tensors, loraScale } = modelWeights(model);
  const key = JSON.stringify([model.config, loraScale, options.compiler]);
  if (!traced.has(key)) traced.set(key, trace(model, loraScale, options.compiler));
  const f = traced.get(key)!, total = labelCount(examples);
  let sum = 0;
  for (let start = 0; start < examples.length; start += options.batchSize) {
    await checkpoint(options.signal);
    const batch = examples.slice(start, start + options.batchSize);
    const part = await trainingBatch(batch, store, options.shape, total);
    const loss = f(tensors, part);
    sum += (await loss.data())[0];
    tf.dispose([part, loss] as never);
  }
  return sum;
}
