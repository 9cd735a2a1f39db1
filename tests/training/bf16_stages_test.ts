import { assert, assertEquals } from "@std/assert";
import { loadConfig } from "../../lib/config/mod.ts";
import { openModel } from "../../lib/model/mod.ts";
import { binding } from "../../lib/tensor/backend.ts";
import { realType, tf } from "../../lib/tensor/mod.ts";
import { phantomStore } from "../../lib/nano/mod.ts";
import { trainStage2 } from "../../lib/training/mod.ts";
import { trainStage1 } from "../../lib/training/stages.ts";
import type { Params } from "../../lib/weights/mod.ts";
import { phantomExamples } from "./phantom_examples.ts";

const preset = loadConfig({});
const config = {
  ...preset,
  model: { ...preset.model, dtype: "bfloat16" as const, compiler: "graph" as const },
  stage1: { ...preset.stage1, epochs: 8, batchSize: 8 },
  stage2: { ...preset.stage2, steps: 8, batchSize: 8 },
};
const { model, tokenizer } = await openModel(config);
const examples = phantomExamples(8, 300_000_000, "shifted", ["side"], tokenizer, model.config);
const options = { store: phantomStore(), validation: [] };

/** Runs a stage; gives its result and how many functions it traced. */
async function counted<T>(stage: () => Promise<T>): Promise<{ result: T; traces: number }> {
  const { begin } = binding;
  let traces = 0;
  binding.begin = (...args) => {
    traces++;
    begin.apply(binding, args);
  };
  try {
    return { result: await stage(), traces };
  } finally {
    binding.begin = begin;
  }
}
const types = (params: Params) => [...new Set(Object.values(params).map(realType))];

Deno.test("stage 1 on a bf16 model trains a float32 projector in one trace beside that of the frozen tower, and its loss falls", async () => {
  assertEquals(types(model.params), ["bfloat16"]);
  const { result, traces } = await counted(() => trainStage1(model, examples, config, options));
  assertEquals(types(result.projector), ["float32"]);
  assertEquals(types(model.params), ["bfloat16"]);
  assertEquals(traces, 2);
  assert(result.records.at(-1)!.loss < 0.8 * result.records[0].loss);
  tf.dispose(result.projector);
});

Deno.test("stage 2 on a bf16 model trains float32 matrices in one trace, and its loss falls", async () => {
  const batches = Array.from({ length: 8 }, () => examples);
  const { result, traces } = await counted(() =>
    trainStage2(model, null, batches, config, { ...options, stepsPerEpoch: 1 })
  );
  assertEquals(types(result.adapter.params), ["float32"]);
  assertEquals(traces, 1);
  assert(result.records.at(-1)!.loss < 0.8 * result.records[0].loss);
  tf.dispose(result.adapter.params);
});
