/** What processes that train together do for each other: every one has a share of each batch, all have the same state. */
import type { Tensor } from "@tensorflow/tfjs";
import { checkpoint } from "../jupyter/mod.ts";
import type { LossAndGradients } from "../model/mod.ts";
import { allReduceSum, broadcast, dispose, type Group, ownItems, tf } from "../tensor/mod.ts";
import { type Checkpoint, checkpointOf, tensorsOf } from "./checkpoints.ts";

/** A batch cut into at most `count` parts of equal size, but for the last. */
export function partsOf<T>(batch: readonly T[], count: number): T[][] {
  const size = Math.ceil(batch.length / count), n = Math.ceil(batch.length / size);
  return Array.from({ length: n }, (_, i) => batch.slice(i * size, (i + 1) * size));
}

/**
 * This process's share of a batch, in parts no larger than the batch's: the more processes, the fewer parts.
 * @throws if there are more processes than examples
 */
export function ownParts<T>(parts: readonly (readonly T[])[], group: Pick<Group, "rank" | "size">): T[][] {
  const items = parts.flat(), own = ownItems(items, group);
  if (items.length < group.size) {
    throw new Error(
      `A step has ${items.length} examples, which ${group.size} workers cannot share: start at most ${items.length}, or ` +
        "raise the batch size.",
    );
  }
  return partsOf(own, Math.ceil(own.length / parts[0].length));
}

/** The sum of a number over all processes. */
export async function sumOver(group: Group, number: number): Promise<number> {
  const own = tf.scalar(number), sums = await allReduceSum(group, [own]), [sum] = await sums[0].data();
  dispose([own, sums]);
  return sum;
}

/** Runs f in rank 0 first: what that keeps, the others find where they share its disk. */
export async function firstInRank0<T>(group: Group | undefined, f: () => Promise<T>): Promise<T> {
  if (group && group.rank > 0) await sumOver(group, 0);
  const made = await f();
  if (group && group.rank === 0) await sumOver(group, 0);
  return made;
}

/** The sums of one step. */
export interface StepSums {
  /** Adds up the losses and gradients of all processes, which are shares of the whole batch's mean; new tensors. */
  reduce(own: LossAndGradients): Promise<LossAndGradients>;
  /** Ends this process between two steps, when one is asked to stop all are. */
  checkpoint(): Promise<void>;
}

/** A process that is asked to stop says so with its gradients, so that all stop after the same step. */
export function stepSums(group: Group, signal: AbortSignal | undefined): StepSums {
  let asked: Tensor | undefined;
  return {
    async reduce({ loss, gradients }) {
      const names = Object.keys(gradients), stop = tf.scalar(signal?.aborted ? 1 : 0);
      const own = [stop, loss, ...Object.values(gradients)];
      const [stops, total, ...sums] = await allReduceSum(group, own);
      stop.dispose();
      asked?.dispose();
      asked = tf.keep(stops);
      return { loss: total, gradients: Object.fromEntries(names.map((name, i) => [name, sums[i]])) };
    },
    async checkpoint() {
      await checkpoint(); // lets a signal come
      const [stops] = await asked?.data() ?? [0];
      asked?.dispose();
      asked = undefined;
      if (stops === 0) return;
      signal?.throwIfAborted();
      throw new Error("Another worker was asked to stop; so this one has stopped after the same step.");
    },
  };
}

/** Where rank 0 begins, or goes on. @param own of rank 0; null in the others */
export async function shareCheckpoint(group: Group, own: Checkpoint | null): Promise<Checkpoint> {
  const shared = await broadcast(group, own && tensorsOf(own));
  if (own) dispose(own.state);
  Object.values(shared.tensors).forEach((x) => tf.keep(x));
  return checkpointOf(shared);
}
