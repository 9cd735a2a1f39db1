/**
 * Several processes that compute together, one for each device, by TensorFlow's own collectives: a ring over gRPC between
 * CPUs, NCCL between GPUs. All processes call the same functions in the same order, with tensors of the same sizes.
 */
import type { Tensor } from "@tensorflow/tfjs";
import { finiteJson, type WorkerPlace } from "../config/mod.ts";
import { ATTR, type Attribute } from "./attributes.ts";
import { backend, binding, idOf, tf } from "./backend.ts";
import { FLOAT, INT32 } from "./dtype.ts";
import { createEager, deleteEager, type EagerTensor, executeLater } from "./eager.ts";
import { jit } from "./jit.ts";
import { absence, type Group, loss, type Watch, watched } from "./peers.ts";
import { joinCluster } from "./runtime.ts";
import { dispose } from "./typed.ts";

/** What is the same in all processes after {@linkcode broadcast}. */
export interface Message {
  /** float32 tensors by name */
  tensors: Record<string, Tensor>;
  /** What is told. */
  text: string;
}

const FLOATS: Attribute = { name: "T", type: ATTR.type, value: FLOAT };
const text = (name: string, value: string): Attribute => ({ name, type: ATTR.string, value });

/**
 * Runs an op over the whole group. Its key is known by kind and size, so that collectives that recur share one: TensorFlow
 * keeps what it knows of each until the process ends.
 */
async function collective(
  group: Group,
  op: string,
  attributes: Attribute[],
  kind: string,
  length: number,
  value: Tensor | null,
  watch: Watch = loss,
): Promise<Tensor> {
  const { keys, size } = group, rt = binding.runtime, key = `${kind} ${length}`;
  if (!keys.has(key)) keys.set(key, keys.size + 1);
  const int = (numbers: number[], shape: number[] = []) =>
    createEager(rt, shape, INT32, Int32Array.from(numbers));
  const GROUP = 1, own: EagerTensor[] = [size, GROUP, keys.get(key)!].map((n) => int([n]));
  const inputs = value ? [binding.tensors.getEager(idOf(value), op), ...own] : own;
  if (!value) own.push(int([length], [1]));
  try {
    const all = [FLOATS, ...attributes, text("communication_hint", group.gpu ? "nccl" : "ring")];
    const made = await watched(group, executeLater(rt, op, all, inputs), watch);
    return backend().createOutputTensor(binding.tensors.addEager(made));
  } finally {
    own.forEach((t) => deleteEager(rt, t));
  }
}

const sum = (group: Group, flat: Tensor, watch?: Watch): Promise<Tensor> =>
  collective(
    group,
    "CollectiveReduceV2",
    [text("merge_op", "Add"), text("final_op", "Id")],
    "sum",
    flat.size,
    flat,
    watch,
  );

/** All tensors one after another: one message instead of hundreds. */
const pack = jit((tensors: Tensor[]): Tensor => tf.concat(tensors.map((x) => tf.reshape(x, [x.size]))));

/** The tensors that {@linkcode pack} has put into a flat one, in the shapes of others. */
const unpack = jit((flat: Tensor, like: Tensor[]): Tensor[] =>
  tf.split(flat, like.map(({ size }) => size)).map((x, i) => tf.reshape(x, like[i].shape))
);

/**
 * Joins the other processes and waits until all are there. To be called once, before the first tensor is made. The process
 * listens on all interfaces of its machine and does not ask who calls, as every cluster of TensorFlow: only for networks
 * that are trusted.
 *
 * @param deadline milliseconds within which all must have come
 * @throws naming the ranks that have not come, or the address that cannot be listened at; and if tensors are there already
 */
export async function joinGroup({ rank, addresses }: WorkerPlace, deadline = 180_000): Promise<Group> {
  const tensors = binding.getNumOfTensors();
  if (tensors > 0) {
    throw new Error(
      `joinGroup comes before the first tensor, since devices are made anew; there are ${tensors}.`,
    );
  }
  try {
    joinCluster(binding.runtime, rank, addresses);
  } catch (cause) {
    throw new Error(
      `The worker of rank ${rank} cannot listen at ${addresses[rank]}: take a free port (${
        (cause as Error).message
      }).`,
      { cause },
    );
  }
  const gpu = binding.runtime.gpu !== null;
  const group: Group = { rank, addresses, size: addresses.length, gpu, keys: new Map() };
  const one = tf.ones([1]);
  dispose([one, await sum(group, one, (group, stop) => absence(group, deadline, stop))]);
  return group;
}

/**
 * The sum of each tensor over all processes, bit for bit the same in all; the tensors stay the caller's.
 *
 * @param tensors float32
 * @returns new tensors in the same order and shapes
 * @throws naming its rank, within half a minute of waiting for a process that has ended or cannot be reached any more
 */
export async function allReduceSum(group: Group, tensors: Tensor[]): Promise<Tensor[]> {
  const flat = pack(tensors);
  try {
    const total = await sum(group, flat), parts = unpack(total, tensors);
    dispose(total);
    return parts;
  } finally {
    dispose(flat);
  }
}

/** A flat float32 tensor of rank 0; the others know its length. */
async function send(group: Group, flat: Tensor | null, length: number): Promise<Tensor> {
  const kind = "broadcast";
  return flat
    ? await collective(group, "CollectiveBcastSendV2", [], kind, length, flat)
    : await collective(group, "CollectiveBcastRecvV2", [], kind, length, null);
}

/** A float32 holds whole numbers up to this exactly. */
const EXACT = 2 ** 24;

/** Bytes of rank 0, one in each float. */
async function sendBytes(group: Group, bytes: Uint8Array | null): Promise<Uint8Array> {
  const through = async (values: Float32Array | null, length: number) => {
    const own = values && tf.tensor1d(values), got = await send(group, own, length), read = await got.data();
    dispose([own ?? [], got]);
    return read;
  };
  const count = bytes && Float32Array.of(Math.floor(bytes.length / EXACT), bytes.length % EXACT);
  const [high, low] = await through(count, 2), length = high * EXACT + low;
  return length === 0
    ? new Uint8Array()
    : Uint8Array.from(await through(bytes && Float32Array.from(bytes), length));
}

/**
 * What rank 0 says, to all.
 *
 * @param message of rank 0, whose tensors stay the caller's; null in the other processes
 * @returns the message; its tensors are new and belong to the caller
 * @throws as {@linkcode allReduceSum}
 */
export async function broadcast(group: Group, message: Message | null): Promise<Message> {
  const about = message && JSON.stringify({
    text: message.text,
    shapes: Object.entries(message.tensors).map(([name, { shape }]) => [name, shape]),
  });
  const bytes = await sendBytes(group, about === null ? null : new TextEncoder().encode(about));
  const { text, shapes } = JSON.parse(new TextDecoder().decode(bytes)) as {
    text: string;
    shapes: [string, number[]][];
  };
  if (shapes.length === 0) return { text, tensors: {} };
  const flat = message && pack(Object.values(message.tensors));
  const like = shapes.map(([_, shape]) => tf.zeros(shape));
  const total = await send(group, flat, like.reduce((n, { size }) => n + size, 0));
  const parts = unpack(total, like);
  dispose([flat ?? [], total, like]);
  return { text, tensors: Object.fromEntries(shapes.map(([name], i) => [name, parts[i]])) };
}

/**
 * What each process says, to all, in the order of ranks.
 *
 * @throws as {@linkcode allReduceSum}
 */
export async function allGather(group: Group, text: string): Promise<string[]> {
  const bytes = new TextEncoder().encode(text), { rank, size } = group;
  /** Numbers of this process in a place that the others leave 0. */
  const total = async (values: ArrayLike<number>, at: number, length: number) => {
    const own = new Float32Array(length);
    own.set(values, at);
    const flat = tf.tensor1d(own), added = await sum(group, flat), read = await added.data();
    dispose([flat, added]);
    return read;
  };
  const counts = [Math.floor(bytes.length / EXACT), bytes.length % EXACT];
  const all = await total(counts, 2 * rank, 2 * size), ends = [0];
  for (let i = 0; i < size; i++) ends.push(ends[i] + all[2 * i] * EXACT + all[2 * i + 1]);
  if (ends[size] === 0) return Array<string>(size).fill("");
  const joined = Uint8Array.from(await total(bytes, ends[rank], ends[size]));
  return ends.slice(1).map((end, i) => new TextDecoder().decode(joined.subarray(ends[i], end)));
}

/** This process's items of a list: shares differ by one at most. */
export function ownItems<T>(items: readonly T[], { rank, size }: Pick<Group, "rank" | "size">): T[] {
  const from = (rank: number) => Math.floor(items.length * rank / size);
  return items.slice(from(rank), from(rank + 1));
}

/**
 * What `each` gives for items, in their order. In a group every process does its share of them, and all get all results, which
 * become JSON.
 *
 * @throws as `each` and as {@linkcode allReduceSum}; on a result with a number that is not finite
 */
export async function shareItems<Item, Result>(
  items: readonly Item[],
  group: Group | undefined,
  each: (own: readonly Item[]) => Promise<Result[]>,
): Promise<Result[]> {
  if (!group) return await each(items);
  const parts = await allGather(group, finiteJson(await each(ownItems(items, group))));
  return parts.flatMap((part) => JSON.parse(part) as Result[]);
}

/** Waits until all have come here, so that none takes the end of another for a loss. Does not throw: the work is done. */
export async function leaveGroup(group: Group): Promise<void> {
  const one = tf.ones([1]);
  try {
    dispose(await sum(group, one));
  } catch (error) {
    console.error(`When leaving: ${(error as Error).message}`);
  } finally {
    dispose(one);
  }
}
