/** The recordings of tests/parity/make_fixtures.py, and the ways in which the same function can be run. */
import { dirname, fromFileUrl, join } from "@std/path";
import { assert } from "@std/assert";
import type { Tensor } from "@tensorflow/tfjs";
import { jit, tf, upload } from "@lib/tensor/mod.ts";
import {
  type Adapter,
  loadAdapter,
  loadCheckpoint,
  type PaliGemmaConfig,
  type Params,
  readSafetensors,
} from "@lib/weights/mod.ts";
import { type LabelRows, labelRows, type ModelInputs } from "@lib/model/mod.ts";

export const NAMES = ["mqa_left", "gqa_right", "mha_text_only", "image_id_past_vocab"] as const;

interface Stage {
  losses: number[];
  adamw: { lr: number; beta1: number; beta2: number; eps: number; weightDecay: number; steps: number };
}

export interface Fixture {
  name: string;
  folder: string;
  params: Params;
  config: PaliGemmaConfig;
  /** As PEFT saved it, before stage 2. */
  adapter: Adapter;
  /** Every recorded tensor. */
  record: Params;
  info: {
    loss: number;
    greedy: { ids: number[][]; margins: number[][]; endId: number; endedIds: number[][] };
    stage1: Stage;
    /** How far transformers with bf16 weights is from itself in float32, relative to the norm. */
    bf16: { logits: number; gradients: number };
    stage2: Stage;
  };
  inputs: ModelInputs;
  prompts: ModelInputs;
  labels: LabelRows;
}

const here = dirname(fromFileUrl(import.meta.url));
const loaded = new Map<string, Promise<Fixture>>();

export function fixture(name: string): Promise<Fixture> {
  if (!loaded.has(name)) loaded.set(name, load(name));
  return loaded.get(name)!;
}

async function load(name: string): Promise<Fixture> {
  const folder = join(here, "..", "parity", "fixtures", name);
  const { params, config } = await loadCheckpoint(folder),
    adapter = await loadAdapter(join(folder, "adapter"), config);
  const record = await readSafetensors(join(folder, "record.safetensors"));
  for (const [n, t] of Object.entries(record)) {
    if (/^(batch|prompts|labels)/.test(n)) record[n] = tf.cast(t, "int32");
  }
  const info = JSON.parse(await Deno.readTextFile(join(folder, "record.json")));
  const side = (kind: string): ModelInputs => ({
    pixelValues: record.pixel_values,
    ids: record[`${kind}.input_ids`],
    tokenTypes: record[`${kind}.token_type_ids`],
    attentionMask: record[`${kind}.attention_mask`],
  });
  const inputs = side("batch"),
    prompts = side("prompts"),
    [batch, length] = inputs.ids.shape as [number, number];
  // One row more than there are labels, so that filling up is tried too.
  const flat = record.labels.dataSync() as Int32Array, count = flat.filter((l) => l !== -100).length;
  const labels = labelRows(flat, batch, length, { capacity: count + 1 });
  upload([
    ...Object.values(params),
    ...Object.values(adapter.params),
    ...Object.values(adapter.projector ?? {}),
  ]);
  upload([...Object.values(record), labels.rows, labels.targets, labels.weights]);
  return { name, folder, params, config, adapter, record, info, inputs, prompts, labels };
}

// deno-lint-ignore no-explicit-any
type Any = any; // functions of any tensors: what jit takes
export const WAYS: [string, <F extends (...args: Any[]) => Any>(f: F) => F][] = [
  ["eager", (f) => f],
  ["graph", (f) => jit(f, { compiler: "graph" }) as never],
  ["XLA", (f) => jit(f, { compiler: "xla" }) as never],
];

/** XLA takes seconds to compile a gradient: a few models are enough to see that it computes the same. */
export const waysOf = (name: string, xla: readonly string[]) =>
  WAYS.filter(([way]) => way !== "XLA" || xla.includes(name));

/** Largest absolute difference. */
export function difference(a: Tensor, b: Tensor): number {
  assert(a.shape.join() === b.shape.join(), `shapes differ: [${a.shape}] and [${b.shape}]`);
  return tf.tidy(() => tf.max(tf.abs(tf.sub(a, b))).dataSync()[0]);
}

/** Largest absolute value. */
export const size = (t: Tensor): number => tf.tidy(() => tf.max(tf.abs(t)).dataSync()[0]);

/** Fails unless a is near b: the tolerance is relative to b's largest value where that exceeds 1. NaN fails. */
export function assertNear(what: string, a: Tensor, b: Tensor, tolerance: number): void {
  const d = difference(a, b), allowed = tolerance * Math.max(1, size(b));
  assert(d <= allowed, `${what}: off by ${d}, allowed ${allowed}`);
}

/** A copy of an int32 or float32 tensor with one cell changed. */
export function changed(x: Tensor, at: number[], value: number): Tensor {
  const data = x.dataSync().slice(),
    strides = x.shape.map((_, i) => x.shape.slice(i + 1).reduce((p, n) => p * n, 1));
  data[at.reduce((sum, v, i) => sum + v * strides[i], 0)] = value;
  return tf.tensor(data, x.shape, x.dtype as "int32" | "float32");
}
