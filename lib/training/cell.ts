import type { Config, GridCell } from "../config/mod.ts";
import type { Model, Towers } from "../model/mod.ts";
import { type Adapter, type LoraConfig, type Params, paramsSha256 } from "../weights/mod.ts";
import type { CellData } from "./grid.ts";
import { type ImageGain, imageGain } from "./image_gain.ts";
import { examplesSha256, type Hooks, type KeepOptions, keptTraining, modelKey } from "./kept_training.ts";
import { median } from "../stats/mod.ts";
import { copyOf, tf } from "../tensor/mod.ts";
import type { TrainingRecord } from "./fit.ts";
import { lossFall, type StageOptions, trainStage2 } from "./stages.ts";

/** What training a cell of the grid gives. */
export interface TrainedCell {
  /** The trained adapter. */
  adapter: Adapter;
  /** The curve, a row per step, under the cell's name. */
  curve: (TrainingRecord & { cell: string })[];
  /** Validation loss with the right image and with another one (see `imageGain`); null without validation pairs. */
  gain: ImageGain & { cell: string } | null;
}

/**
 * Cells whose adapter is still the untrained one (B is zero, so that it changes nothing) or is not finite: none, where
 * training works.
 */
export function lifelessCells(cells: readonly TrainedCell[]): string[] {
  const alive = ({ adapter }: TrainedCell) =>
    Object.entries(adapter.params).every(([name, x]) => {
      const size = tf.tidy(() => tf.sum(tf.abs(x)).dataSync()[0]);
      return Number.isFinite(size) && (size > 0 || !name.includes("lora_B"));
    });
  return cells.filter((cell) => !alive(cell)).map(({ curve }) => curve[0].cell);
}

/**
 * The median of the cells' falls of the loss (`lossFall`), and the least of the lower ends of what the right image brings, in
 * nats per token; null where no cell has validation pairs. Not the least of the falls: a cell of few cases after stage 1
 * begins near its best loss and then learns its cases by heart.
 */
export function cellChecks(cells: readonly TrainedCell[]): { fall: number | null; gain: number | null } {
  const falls = cells.map(({ curve }) => lossFall(curve)).filter((fall) => fall !== null);
  const lows = cells.flatMap(({ gain }) => gain ? [gain.low] : []);
  return {
    fall: falls.length > 0 ? median(falls) : null,
    gain: lows.length > 0 ? Math.min(...lows) : null,
  };
}

/** What a kept cell says beside its tensors. */
type Rest = Pick<TrainedCell, "curve" | "gain"> & { config: LoraConfig };

/** All that a trained cell depends on, but for the code and the machine. */
function cellKey(
  model: Model,
  cell: GridCell,
  data: CellData,
  projector: Params,
  config: Config,
  towers: Towers,
): unknown {
  const { cells: _cells, steps: _steps, ...settings } = config.stage2;
  const { batches, validation, stepsPerEpoch, shape, learningRateScale } = data;
  const rates = batches.map((_, step) => learningRateScale?.(step) ?? 1);
  return {
    cell,
    towers,
    model: modelKey(model, config),
    projector: cell.stage1 ? paramsSha256(projector) : null,
    data: examplesSha256([...batches, validation], stepsPerEpoch, shape, rates),
    settings: { ...settings, seed: config.seed, limit: config.limit },
  };
}

/**
 * Stage 2 for one cell of the grid: LoRA from the projector of stage 1, or from the base model's. A cell that was kept
 * calls `onStep` for its last step alone.
 *
 * @param projector of stage 1; used where the cell has stage 1
 * @param options.towers which get adapters, default both
 */
export async function trainCell(
  model: Model,
  cell: GridCell,
  data: CellData,
  projector: Params,
  config: Config,
  options: Omit<StageOptions, "validation" | "checkpoints"> & KeepOptions & { towers?: Towers },
): Promise<TrainedCell> {
  const train = async (hooks: Hooks): Promise<TrainedCell> => {
    const { batches, ...rest } = data;
    const start = cell.stage1 ? projector : null;
    const { adapter, records } = await trainStage2(model, start, batches, config, {
      ...options,
      ...rest,
      ...hooks,
    });
    const gain = options.group && options.group.rank > 0
      ? null // rank 0 measures it
      : await imageGain(
        { ...model, adapter },
        data.validation,
        options.store,
        data.shape,
        config,
        options,
      );
    return {
      adapter,
      curve: records.map((record) => ({ cell: cell.name, ...record })),
      gain: gain && { cell: cell.name, ...gain },
    };
  };
  if (!options.keep) return await train({ onStep: options.onStep });
  let trained: TrainedCell | undefined;
  const { params, rest: { config: lora, curve, gain } } = await keptTraining<Rest>(
    "cells",
    cell.name,
    cellKey(model, cell, data, projector, config, options.towers ?? "both"),
    async (hooks) => {
      const { adapter, curve, gain } = trained = await train(hooks);
      return { params: adapter.params, rest: { config: adapter.config, curve, gain } };
    },
    ({ curve }) => curve,
    options,
  );
  if (trained) return trained;
  const adapter = { config: lora, params };
  return { adapter: cell.stage1 ? { ...adapter, projector: copyOf(projector) } : adapter, curve, gain };
}
