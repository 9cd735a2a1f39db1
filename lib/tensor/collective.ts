/**
 * Several processes that compute together, one for each device, by TensorFlow's own collectives: a ring over gRPC between
 * CPUs, NCCL between GPUs. All processes call the same functions in the same order, with tensors of the same sizes.
 */
import type { Tensor } from "@tensorflow/tfjs";
import { delay } from "@std/async";
import type { WorkerPlace } from "../config/mod.ts";
import { ATTR, type Attribute } from "./attributes.ts";
import { backend, binding, idOf, tf } from "./backend.ts";
import { FLOAT, INT32 } from "./dtype.ts";
import { createEager, deleteEager, type EagerTensor, executeLater } from "./eager.ts";
import { jit } from "./jit.ts";
import { cString, present } from "./pointers.ts";
import { joinCluster, taskName } from "./runtime.ts";
import { dispose } from "./typed.ts";

/** The processes that this one computes with, as {@linkcode joinGroup} gives it. */
export interface Group extends WorkerPlace {
  /** Processes in the group. */
  readonly size: number;
  /** Whether tensors are on a GPU, and summed by NCCL. */
  readonly gpu: boolean;
  /** Numbers of the collectives used so far, by kind and size. */
  readonly keys: Map<string, number>;
}

/** What is the same in all processes after {@linkcode broadcast}. */
export interface Message {
  /** float32 tensors by name */
  tensors: Record<string, Tensor>;
  /** What is told. */
  text: string;
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
async function loss(group: Group, stop: AbortSignal): Promise<Error> {
  for (let before: number[] = [], looks = 0;;) {
    await delay(lookEvery(group), { signal: stop });
    const now = await silent(group), still = now.filter((rank) => before.includes(rank));
    looks = still.length > 0 ? looks + 1 : 1;
    if (looks >= LOOKS) {
      return new Error(
        `The worker of ${
          have(group, still)
        } ended or cannot be reached: what it said last tells why. Start all again, ` +
          "or fewer, to go on from the last checkpoint.",
      );
    }
    before = now;
  }
}

/** As {@linkcode loss}, while the others may not be there yet. */
async function absence(group: Group, deadline: number, stop: AbortSignal): Promise<Error> {
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

type Watch = (group: Group, stop: AbortSignal) => Promise<Error>;

/** What `run`, which waits for the other processes, gives. @throws the watch's error, else that of `run` */
async function watched<T>(group: Group, run: Promise<T>, watch: Watch): Promise<T> {
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
