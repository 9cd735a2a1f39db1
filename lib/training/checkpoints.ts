import { exists } from "@std/fs";
import { sha256 } from "../config/mod.ts";
import { type Params, paramsSha256, readHeader, readSafetensors, writeSafetensors } from "../weights/mod.ts";
import type { TrainingRecord } from "./fit.ts";
import type { TrainState } from "./step.ts";

/** All that a run needs to go on after a step: the batches and rates of later ones follow from the settings. */
export interface Checkpoint {
  state: TrainState;
  /** What every step so far measured. */
  records: TrainingRecord[];
}

/** Where a run's checkpoints are kept. */
export interface Checkpoints {
  /** The last one; null at the beginning. Its tensors belong to the caller. */
  load(): Promise<Checkpoint | null>;
  save(checkpoint: Checkpoint): void;
  /** Time between two. */
  everySeconds: number;
}

const named = (kind: string, params: Params): [string, Params[string]][] =>
  Object.entries(params).map(([name, x]) => [`${kind}/${name}`, x]);

const sum = (tensors: Params, records: string): string => sha256(`${paramsSha256(tensors)} ${records}`);

/**
 * Checkpoints in one file, the last one only; written whole or not at all. One that is not what its hash says is thrown
 * away, with a sentence on standard error, and the run begins anew.
 */
export function checkpointFile(path: string, everySeconds = 60): Checkpoints {
  async function read(): Promise<Checkpoint> {
    const { metadata } = readHeader(path), tensors = await readSafetensors(path);
    if (sum(tensors, metadata.records) !== metadata.sha256) throw new Error("its contents have changed");
    const { step, ...rest } = tensors, kinds: Record<string, Params> = { params: {}, m: {}, v: {} };
    for (const [key, x] of Object.entries(rest)) {
      const kind = key.split("/", 1)[0];
      kinds[kind][key.slice(kind.length + 1)] = x;
    }
    const { params, m, v } = kinds;
    return { state: { params, adamW: { m, v, step } }, records: JSON.parse(metadata.records) };
  }
  return {
    everySeconds,
    async load() {
      if (!await exists(path)) return null;
      try {
        return await read();
      } catch (error) {
        console.error(
          `The checkpoint ${path} is damaged (${(error as Error).message}): the training begins anew.`,
        );
        return null;
      }
    },
    save({ state: { params, adamW: { m, v, step } }, records }) {
      const tensors = Object.fromEntries([...named("params", params), ...named("m", m), ...named("v", v)]);
      const all = { ...tensors, step }, text = JSON.stringify(records);
      writeSafetensors(path, all, { metadata: { records: text, sha256: sum(all, text) } });
    },
  };
}
