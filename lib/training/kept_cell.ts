import { kept, unfinishedPath } from "../artifacts/mod.ts";
import { type Config, type GridCell, sha256 } from "../config/mod.ts";
import { imageState, type Model } from "../model/mod.ts";
import {
  type LoraConfig,
  type Params,
  paramsSha256,
  readHeader,
  readSafetensors,
  writeSafetensors,
} from "../weights/mod.ts";
import { copyOf } from "../tensor/mod.ts";
import type { TrainedCell } from "./cell.ts";
import { checkpointFile, type Checkpoints } from "./checkpoints.ts";
import type { Example } from "./examples.ts";
import type { CellData } from "./grid.ts";

/** What a kept cell's file says beside its tensors. */
type Rest = Pick<TrainedCell, "curve" | "gain"> & { config: LoraConfig };

/** What an example is; of its image the file and the state that this is in. */
function exampleKey({ id, imagePath, sequence }: Example, states: Map<string, string>): unknown {
  if (!states.has(imagePath)) states.set(imagePath, imageState(imagePath));
  return [id, imagePath, states.get(imagePath), sequence];
}

/** Hash of the examples and of the order in which they come. */
function dataSha256({ batches, validation, stepsPerEpoch, shape, learningRateScale }: CellData): string {
  const states = new Map<string, string>(), known = new Map<Example, string>();
  const hash = (example: Example) => {
    if (!known.has(example)) known.set(example, sha256(JSON.stringify(exampleKey(example, states))));
    return known.get(example)!;
  };
  const rates = batches.map((_, step) => learningRateScale?.(step) ?? 1);
  return sha256(JSON.stringify([
    batches.map((batch) => sha256(batch.map(hash).join())),
    validation.map(hash),
    stepsPerEpoch,
    shape,
    rates,
  ]));
}

/**
 * What `train` gives (from its last checkpoint, if it was stopped or killed), or gave when it was called the last time with
 * the same model, data, projector and settings.
 *
 * @throws as `train`
 */
export async function keptCell(
  model: Model,
  cell: GridCell,
  data: CellData,
  projector: Params,
  config: Config,
  train: (checkpoints: Checkpoints) => Promise<TrainedCell>,
): Promise<TrainedCell> {
  const { cells: _cells, sweepRank: _rank, steps: _steps, ...settings } = config.stage2;
  const key = {
    cell,
    model: [paramsSha256(model.params), model.config, config.model.dtype, config.model.compiler],
    projector: cell.stage1 ? paramsSha256(projector) : null,
    data: dataSha256(data),
    settings: { ...settings, seed: config.seed, limit: config.limit },
  };
  let trained: TrainedCell | undefined;
  const path = await kept("cells", key, async (path) => {
    const unfinished = await unfinishedPath(key);
    trained = await train(checkpointFile(unfinished));
    const { adapter, curve, gain } = trained, rest: Rest = { curve, gain, config: adapter.config };
    writeSafetensors(path, adapter.params, { metadata: { rest: JSON.stringify(rest) } });
    await Deno.remove(unfinished).catch(() => {}); // it is there if that took long
  });
  if (trained) return trained;
  const { curve, gain, config: lora } = JSON.parse(readHeader(path).metadata.rest) as Rest;
  const adapter = { config: lora, params: await readSafetensors(path) };
  return { adapter: cell.stage1 ? { ...adapter, projector: copyOf(projector) } : adapter, curve, gain };
}
