import { exists } from "@std/fs";
import { jsonLeaves, sha256 } from "../config/mod.ts";
import { dispose } from "../tensor/mod.ts";
import { type Params, paramsSha256, readHeader, readSafetensors, writeSafetensors } from "../weights/mod.ts";
import type { TrainingRecord } from "./fit.ts";
import type { TrainState } from "./step.ts";

/** All that a run needs to go on after a step: the batches and rates of later ones follow from the settings. */
export interface Checkpoint {
  /** Tensors and moments. */
  state: TrainState;
  /** What every step so far measured. */
  records: TrainingRecord[];
}

/** Where a run's checkpoints are kept. */
export interface Checkpoints {
  /** The last one; null at the beginning. Its tensors belong to the caller. */
  load(): Promise<Checkpoint | null>;
  /** Keeps a checkpoint; the last two stay. */
  save(checkpoint: Checkpoint): void;
  /** Time between two. */
  everySeconds: number;
}

/** Which training it is: its name, and all that it depends on but for code and machine. */
export interface TrainingKey {
  name: string;
  key: unknown;
}

const KINDS = ["params", "m", "v"] as const;

const sum = (tensors: Params, rest: string): string => sha256(`${paramsSha256(tensors)} ${rest}`);

/** A checkpoint as tensors by name, and a text for the rest; the tensors are the checkpoint's own. */
export function tensorsOf(
  { state: { params, adamW: { m, v, step } }, records }: Checkpoint,
): { tensors: Params; text: string } {
  const of = { params, m, v }, tensors: Params = { step };
  for (const kind of KINDS) {
    for (const [name, x] of Object.entries(of[kind])) tensors[`${kind}/${name}`] = x;
  }
  // A file is in the order of names; sums over the tensors round in their own.
  return { tensors, text: JSON.stringify({ records, names: Object.keys(params) }) };
}

/** The checkpoint that {@linkcode tensorsOf} has taken apart. */
export function checkpointOf({ tensors, text }: { tensors: Params; text: string }): Checkpoint {
  const { records, names } = JSON.parse(text) as { records: TrainingRecord[]; names: string[] };
  const [params, m, v] = KINDS.map((kind) =>
    Object.fromEntries(names.map((name) => [name, tensors[`${kind}/${name}`]]))
  );
  return { state: { params, adamW: { m, v, step: tensors.step } }, records };
}

async function read(path: string): Promise<Checkpoint> {
  const { metadata } = readHeader(path), tensors = await readSafetensors(path);
  if (sum(tensors, metadata.rest) !== metadata.sha256) {
    dispose(tensors);
    throw new Error("its contents have changed");
  }
  return checkpointOf({ tensors, text: metadata.rest });
}

function write(path: string, about: string, checkpoint: Checkpoint): void {
  const { tensors, text: rest } = tensorsOf(checkpoint);
  writeSafetensors(path, tensors, { metadata: { about, rest, sha256: sum(tensors, rest) } });
}

/**
 * The last two checkpoints: in a file, and in one beside it whose name ends in `.before`. Each is written whole or not at
 * all. One that is not what its hash says is passed over, with a sentence on standard error, for the one before; without
 * that the run begins anew.
 */
export function checkpointFile(
  path: string,
  everySeconds = 60,
  about: TrainingKey | null = null,
): Checkpoints {
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
      write(next, JSON.stringify(about), checkpoint);
      try {
        Deno.renameSync(path, before);
      } catch (error) {
        if (!(error instanceof Deno.errors.NotFound)) throw error;
      }
      Deno.renameSync(next, path);
    },
  };
}

/** A value where it is short enough to be read; of a hash, which says nothing, none. */
const shown = (value = "nothing"): string => value.length > 40 ? "" : ` ${value}`;

/**
 * A sentence about the trainings of this name that were stopped and would go on under other settings, with other data or by
 * other code; null without any.
 *
 * @param files where checkpoints of other trainings may lie
 */
export function otherTrainings(files: readonly string[], { name, key }: TrainingKey): string | null {
  const now = jsonLeaves(key), found: string[] = [];
  for (const file of files.filter((each) => /-[0-9a-f]+$/.test(each))) {
    let other: TrainingKey | null, steps: number;
    try {
      const { metadata } = readHeader(file);
      other = JSON.parse(metadata.about);
      steps = (JSON.parse(metadata.rest) as { records: unknown[] }).records.length;
    } catch {
      continue; // damaged, or gone by now
    }
    if (other?.name !== name) continue;
    const then = jsonLeaves(other.key), places = new Set([...then.keys(), ...now.keys()]);
    const changed = [...places].filter((place) => then.get(place) !== now.get(place)).map((place) => {
      const [before, after] = [shown(then.get(place)), shown(now.get(place))];
      return before && after ? `${place}${before}, now${after}` : place;
    });
    found.push(`one stopped after step ${steps} (${changed.join("; ") || "other code or another machine"})`);
  }
  if (found.length === 0) return null;
  return `${name} begins anew. Still kept unfinished, in case it is asked for again: ${found.join("; ")}.`;
}
