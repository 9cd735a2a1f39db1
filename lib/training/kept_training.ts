import { join } from "@std/path";
import { holdUnfinished, kept, type Unfinished } from "../artifacts/mod.ts";
import { canonicalJson, type Config, paths, sha256 } from "../config/mod.ts";
import { imageState, type Model } from "../model/mod.ts";
import { broadcast, dispose } from "../tensor/mod.ts";
import { type Params, paramsSha256, readHeader, readSafetensors, writeSafetensors } from "../weights/mod.ts";
import { checkpointFile, otherTrainings } from "./checkpoints.ts";
import { curveLog } from "./curve_log.ts";
import type { Example } from "./examples.ts";
import type { Run, TrainingRecord } from "./fit.ts";

/** Trained tensors, and what else is known of them, which becomes JSON. */
export interface Training<Rest> {
  params: Params;
  rest: Rest;
}

/** How a training is kept. */
export interface KeepOptions {
  /**
   * Keep what was trained, and use what is kept for the same model, data and settings: a run after one that was killed goes
   * on from its last checkpoint; a changed setting trains only what depends on it.
   */
  keep?: boolean;
  /** Time between two checkpoints; a minute. */
  checkpointSeconds?: number;
}

/** What an example is; of its image the file and the state that this is in. */
function exampleKey({ id, imagePath, sequence }: Example, states: Map<string, string>): unknown {
  if (!states.has(imagePath)) states.set(imagePath, imageState(imagePath));
  return [id, imagePath, states.get(imagePath), sequence];
}

/** Hash of lists of examples, of the order in which they come, and of what goes with them. */
export function examplesSha256(lists: readonly (readonly Example[])[], ...rest: unknown[]): string {
  const states = new Map<string, string>(), known = new Map<Example, string>();
  const hash = (example: Example) => {
    if (!known.has(example)) known.set(example, sha256(JSON.stringify(exampleKey(example, states))));
    return known.get(example)!;
  };
  return sha256(JSON.stringify([lists.map((list) => sha256(list.map(hash).join())), ...rest]));
}

/** What a model is to a training that begins from it. */
export const modelKey = (
  { params, config: shape }: Model,
  { model: { dtype, compiler, matmulPrecision } }: Config,
): unknown => ({
  weights: paramsSha256(params),
  shape,
  dtype,
  compiler,
  matmulPrecision,
});

/** What {@linkcode keptTraining} gives to a training. */
export type Hooks = Pick<Run<never>, "checkpoints" | "onStep">;

/**
 * What `train` gives (from its last checkpoint, if it was stopped or killed), or gave when it was called the last time with
 * the same key; then `onStep` is called for the last step alone. While it trains, TensorBoard finds its curves in
 * results/local/tensorboard, in a folder that begins with the name.
 *
 * With a group, rank 0 alone looks for what is kept and keeps it; the others train when it trains. How many they are is not
 * in the key: a run goes on with fewer or more, and what they trained differs from one process's by rounding alone.
 *
 * @param kind a word that names a folder
 * @param name of what is trained: "roco_v2__with"
 * @param records of a training, in what is known of it
 * @returns the training, whose tensors belong to the caller
 * @throws as `train`; and when another process trains the same
 */
export async function keptTraining<Rest>(
  kind: string,
  name: string,
  key: unknown,
  train: (hooks: Hooks) => Promise<Training<Rest>>,
  records: (rest: Rest) => readonly TrainingRecord[],
  { checkpointSeconds, onStep, group }: KeepOptions & Pick<Run<never>, "onStep" | "group">,
): Promise<Training<Rest>> {
  if (group && group.rank > 0) {
    const { tensors, text } = await broadcast(group, null);
    return text === "" ? await train({}) : { params: tensors, rest: JSON.parse(text) };
  }
  let trained: Training<Rest> | undefined, unfinished: Unfinished | undefined;
  using log = curveLog(
    join(paths.results, "tensorboard", `${name}-${sha256(canonicalJson(key)).slice(0, 8)}`),
  );
  try {
    const path = await kept("training", kind, key, async (path) => {
      const place = unfinished = await holdUnfinished("training", key, `The training of ${name}`);
      const about = { name, key }, checkpoints = checkpointFile(place.path, checkpointSeconds, about);
      if (group) await broadcast(group, { tensors: {}, text: "" });
      trained = await train({
        checkpoints: {
          ...checkpoints,
          async load() {
            const last = await checkpoints.load();
            const others = last ? null : otherTrainings(await place.others(), about);
            if (others) console.error(others);
            return last;
          },
        },
        onStep: async (record, total) => {
          log.write(record);
          await onStep?.(record, total);
        },
      });
      writeSafetensors(path, trained.params, { metadata: { rest: JSON.stringify(trained.rest) } });
    });
    await unfinished?.finish(); // not before the result is there
    if (trained) return trained;
    const rest = JSON.parse(readHeader(path).metadata.rest) as Rest, curve = records(rest);
    await onStep?.(curve.at(-1)!, curve.length);
    const params = await readSafetensors(path);
    if (group) dispose((await broadcast(group, { tensors: params, text: JSON.stringify(rest) })).tensors);
    return { params, rest };
  } finally {
    unfinished?.[Symbol.dispose]();
  }
}
