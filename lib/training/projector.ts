import type { Config } from "../config/mod.ts";
import type { Model } from "../model/mod.ts";
import type { Tokenizer } from "../text/mod.ts";
import { type Example, toExamples } from "./examples.ts";
import type { SplitPair } from "./grid.ts";
import { examplesSha256, type Hooks, type KeepOptions, keptTraining, modelKey } from "./kept_training.ts";
import { type Stage1, type Stage1Options, trainStage1 } from "./stages.ts";

/** The questions of SLAKE, on which stage 1 is trained and validated, in the order in which they come. */
export function stage1Data(
  pairs: readonly SplitPair[],
  tokenizer: Tokenizer,
  model: Model,
): { train: Example[]; validation: Example[] } {
  const examples = (split: string) =>
    toExamples(
      pairs.filter((pair) => pair.dataset === "slake" && pair.split === split),
      tokenizer,
      model.config,
    );
  return { train: examples("train"), validation: examples("validation") };
}

/**
 * Stage 1: the projector, trained on anatomy. One that was kept calls `onStep` for its last step alone.
 *
 * @returns as {@linkcode trainStage1}
 * @throws as {@linkcode trainStage1}; and when another process trains the same projector
 */
export async function trainProjector(
  model: Model,
  { train, validation }: ReturnType<typeof stage1Data>,
  config: Config,
  options: Omit<Stage1Options, "validation" | "checkpoints" | "keepFeatures"> & KeepOptions,
): Promise<Stage1> {
  const { keepFeatures, ...settings } = config.stage1;
  const trained = (hooks: Hooks) =>
    trainStage1(model, train, config, {
      ...options,
      validation,
      keepFeatures: options.keep && keepFeatures,
      ...hooks,
    });
  if (!options.keep) return await trained({ onStep: options.onStep });
  const key = {
    model: modelKey(model, config),
    data: examplesSha256([train, validation]),
    settings: {
      ...settings,
      seed: config.seed,
      limit: config.limit,
      recompute: config.stage2.recompute,
    },
  };
  let features: Stage1["features"] = null;
  const { params: projector, rest } = await keptTraining(
    "projectors",
    "stage1",
    key,
    async (hooks) => {
      const { projector: params, records, ...made } = await trained(hooks);
      features = made.features;
      return { params, rest: { records } };
    },
    ({ records }) => records,
    options,
  );
  return { projector, ...rest, features };
}
