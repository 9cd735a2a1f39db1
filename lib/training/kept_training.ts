import { holdUnfinished, kept, type Unfinished } from "../artifacts/mod.ts";
import { type Config, sha256 } from "../config/mod.ts";
import { imageState, type Model } from "../model/mod.ts";
import { type Params, paramsSha256, readHeader, readSafetensors, writeSafetensors } from "../weights/mod.ts";
import { checkpointFile, type Checkpoints } from "./checkpoints.ts";
import type { Example } from "./examples.ts";

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
export const modelKey = ({ params, config: shape }: Model, { model }: Config): unknown => [
  paramsSha256(params),
  shape,
  model.dtype,
  model.compiler,
];

/**
 * What `train` gives (from its last checkpoint, if it was stopped or killed), or gave when it was called the last time with
 * the same key.
 *
 * @param kind a word that names a folder
 * @param what is trained, for errors: "The training of roco_v2__with"
 * @returns the training, whose tensors belong to the caller, and whether it was found
 * @throws as `train`; and when another process trains the same
 */
export async function keptTraining<Rest>(
  kind: string,
  what: string,
  key: unknown,
  train: (checkpoints: Checkpoints) => Promise<Training<Rest>>,
  { checkpointSeconds = 60 }: KeepOptions,
): Promise<Training<Rest> & { found: boolean }> {
  let trained: Training<Rest> | undefined, unfinished: Unfinished | undefined;
  try {
    const path = await kept(kind, key, async (path) => {
      unfinished = await holdUnfinished(key, what);
      trained = await train(checkpointFile(unfinished.path, checkpointSeconds));
      writeSafetensors(path, trained.params, { metadata: { rest: JSON.stringify(trained.rest) } });
    });
    await unfinished?.finish(); // not before the result is there
    if (trained) return { ...trained, found: false };
    const rest = JSON.parse(readHeader(path).metadata.rest) as Rest;
    return { params: await readSafetensors(path), rest, found: true };
  } finally {
    unfinished?.[Symbol.dispose]();
  }
}
