/** The other processes of a group, and whether they answer still. */
import { delay } from "@std/async";
import type { WorkerPlace } from "../config/mod.ts";
import { binding } from "./backend.ts";
import { cString, present } from "./pointers.ts";
import { taskName } from "./runtime.ts";

/** The processes that this one computes with, as `joinGroup` gives it. */
export interface Group extends WorkerPlace {
  /** Processes in the group. */
  readonly size: number;
  /** Whether tensors are on a GPU, and summed by NCCL. */
  readonly gpu: boolean;
  /** Numbers of the collectives used so far, by kind and size. */
  readonly keys: Map<string, number>;
}

/** Milliseconds between two looks at the others while one waits for them: longer in a large group, since each looks at all. */
const lookEvery = ({ size }: Group): number => Math.max(1000, 10 * size);
/** So long may an answer take; threads of TensorFlow answer, also while the process computes. */
const ANSWER = 5000;
/** A process that did not answer so often in turn is lost. */
const LOOKS = 2;
/** So long does a process that has lost another one go on answering, so that the rest loses the same one. */
const LINGER = 4000;

/** The ranks that do not answer now. */
async function silent(group: Group): Promise<number[]> {
  const { C, context } = binding.runtime;
  const found = await Promise.all(group.addresses.map(async (_, rank) => {
    if (rank === group.rank) return [];
    const status = present(C.TF_NewStatus(), "a status");
    try {
      await C.TFE_CollectiveOpsCheckPeerHealth(context, cString(taskName(rank)), BigInt(ANSWER), status);
      return C.TF_GetCode(status) === 0 ? [] : [rank];
    } finally {
      C.TF_DeleteStatus(status);
    }
  }));
  return found.flat();
}

/** "rank 1 (127.0.0.1:4001) has"; "ranks 1 (...) and 2 (...) have" */
function have({ addresses }: Group, ranks: readonly number[]): string {
  const list = ranks.map((rank) => `${rank} (${addresses[rank]})`);
  return list.length === 1
    ? `rank ${list[0]} has`
    : `ranks ${list.slice(0, -1).join(", ")} and ${list.at(-1)} have`;
}

/** Looks at the others until one is lost; then the error that names it. */
export async function loss(group: Group, stop: AbortSignal): Promise<Error> {
  for (let before: number[] = [], looks = 0;;) {
    await delay(lookEvery(group), { signal: stop });
    const now = await silent(group), still = now.filter((rank) => before.includes(rank));
    looks = still.length > 0 ? looks + 1 : 1;
    if (looks >= LOOKS) {
      return new Error(
        `The worker of ${
          have(group, still)
        } ended or cannot be reached: what it said last tells why. Start all again, ` +
          "or fewer: they go on from what was kept.",
      );
    }
    before = now;
  }
}

/** As {@linkcode loss}, while the others may not be there yet. */
export async function absence(group: Group, deadline: number, stop: AbortSignal): Promise<Error> {
  await delay(deadline, { signal: stop });
  const ranks = await silent(group), waited = `within ${Math.round(deadline / 1000)} s`;
  return new Error(
    ranks.length > 0
      ? `The worker of ${
        have(group, ranks)
      } not come ${waited}: start one process for each address, with the same ` +
        "addresses, and look whether they reach each other."
      : `The ${group.size} workers reach each other, but did not begin together ${waited}: give all the same addresses.`,
  );
}

/** Waits until another process is lost, unless it is stopped before; then the error that says so. */
export type Watch = (group: Group, stop: AbortSignal) => Promise<Error>;

/** What `run`, which waits for the other processes, gives. @throws the watch's error, else that of `run` */
export async function watched<T>(group: Group, run: Promise<T>, watch: Watch): Promise<T> {
  const stop = new AbortController(), { signal } = stop;
  const outcome = run.then((value) => ({ value }), (error: Error) => ({ error }));
  const watching = watch(group, signal).catch((error) => error as Error); // stopped
  try {
    const first = await Promise.race([outcome, watching]);
    if ("value" in first) return first.value;
    // Where TensorFlow notices first, it does not always say who is lost; the watch does, unless nobody is.
    const most = (LOOKS + 1) * (lookEvery(group) + ANSWER);
    const error = first instanceof Error
      ? first
      : await Promise.race([watching, delay(most, { signal }).then(() => first.error)]);
    const { C, context } = binding.runtime, status = present(C.TF_NewStatus(), "a status"), CANCELLED = 1;
    C.TF_SetStatus(status, CANCELLED, cString("a worker is lost"));
    C.TFE_AbortCollectiveOps(context, status); // ends what waits still
    C.TF_DeleteStatus(status);
    await delay(LINGER);
    throw error;
  } finally {
    stop.abort();
  }
}
