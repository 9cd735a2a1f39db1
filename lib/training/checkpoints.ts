import { exists } from "@std/fs";
import { sha256 } from "../config/mod.ts";
import { dispose } from "../tensor/mod.ts";
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

const KINDS = ["params", "m", "v"] as const;

const sum = (tensors: Params, rest: string): string => sha256(`${paramsSha256(tensors)} ${rest}`);

async function read(path: string): Promise<Checkpoint> {
  const { metadata } = readHeader(path), tensors = await readSafetensors(path);
  if (sum(tensors, metadata.rest) !== metadata.sha256) {
    dispose(tensors);
    throw new Error("its contents have changed");
  }
  const { records, names } = JSON.parse(metadata.rest) as { records: TrainingRecord[]; names: string[] };
  const [params, m, v] = KINDS.map((kind) =>
    Object.fromEntries(names.map((name) => [name, tensors[`${kind}/${name}`]]))
  );
  return { state: { params, adamW: { m, v, step: tensors.step } }, records };
}

function write(path: string, { state: { params, adamW: { m, v, step } }, records }: Checkpoint): void {
  const of = { params, m, v }, tensors: Params = { step };
  for (const kind of KINDS) {
    for (const [name, x] of Object.entries(of[kind])) tensors[`${kind}/${name}`] = x;
  }
  // The file is in the order of names; sums over the tensors round in their own.
  const rest = JSON.stringify({ records, names: Object.keys(params) });
  writeSafetensors(path, tensors, { metadata: { rest, sha256: sum(tensors, rest) } });
}

/**
 * The last two checkpoints: in a file, and in one beside it whose name ends in `.before`. Each is written whole or not at
 * all. One that is not what its hash says is passed over, with a sentence on standard error, for the one before; without
 * that the run begins anew.
 */
export function checkpointFile(path: string, everySeconds = 60): Checkpoints {
  const before = `${path}.before`, next = `${path}.next`;
  return {
    everySeconds,
    async load() {
      for (const file of [path, before]) {
        if (!await exists(file)) continue;
        try {
          return await read(file);
        } catch (error) {
          const then = file === path && await exists(before)
            ? "the training goes on from the one before"
            : "the training begins anew";
          console.error(`The checkpoint ${file} is damaged (${(error as Error).message}): ${then}.`);
        }
      }
      return null;
    },
    save(checkpoint) {
      write(next, checkpoint);
      try {
        Deno.renameSync(path, before);
      } catch (error) {
        if (!(error instanceof Deno.errors.NotFound)) throw error;
      }
      Deno.renameSync(next, path);
    },
  };
}
