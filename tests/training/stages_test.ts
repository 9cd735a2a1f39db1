import { assert, assertAlmostEquals, assertEquals, assertRejects } from "@std/assert";
import type { Tensor } from "@tensorflow/tfjs";
import { type Config, loadConfig } from "../../lib/config/mod.ts";
import { crossEntropy, forward, type Model, openModel, PROJECTOR } from "../../lib/model/mod.ts";
import { binding } from "../../lib/tensor/backend.ts";
import { dispose, tf } from "../../lib/tensor/mod.ts";
import { OutOfMemory } from "../../lib/tensor/out_of_memory.ts";
import type { Params } from "../../lib/weights/mod.ts";
import { phantomStore } from "../../lib/nano/mod.ts";
import {
  batchShape,
  type Example,
  exampleLosses,
  fit,
  nextTokenObjective,
  TORCH_ADAMW,
  type TrainingRecord,
  trainStage2,
  trainStep,
} from "../../lib/training/mod.ts";
import { labelCount, pixelsFrom, readBatch } from "../../lib/training/batches.ts";
import { trainStage1 } from "../../lib/training/stages.ts";
import { checkpointFile } from "../../lib/training/checkpoints.ts";
import { imageGain } from "../../lib/training/image_gain.ts";
import { meanLoss } from "../../lib/training/loss.ts";
import { phantomExamples } from "./phantom_examples.ts";
import { once, toyRun } from "./toy_run.ts";

const preset = loadConfig({});
const config: Config = {
  ...preset,
  model: { ...preset.model, compiler: "graph" },
  stage1: { ...preset.stage1, epochs: 6, batchSize: 8 },
  stage2: { ...preset.stage2, steps: 6, batchSize: 8 },
};
const { model, tokenizer } = await openModel(preset);
const store = phantomStore();

const examplesOf = (count: number, seed: number) =>
  phantomExamples(count, seed, "shifted", ["enlarged", "side"], tokenizer, model.config);
const examples = examplesOf(12, 300_000_000), validation = examplesOf(8, 310_000_000);

const bytesOf = (params: Params) =>
  Object.fromEntries(
    Object.entries(params).map(([name, x]) => [name, new Uint8Array(x.dataSync().slice().buffer)]),
  );

Deno.test("stage 1 lowers the training loss, changes the projector and leaves every other weight bit for bit", async () => {
  const before = bytesOf(model.params);
  const { projector, records } = await trainStage1(model, examples.slice(0, 8), config, {
    store,
    validation,
  });
  assertEquals(bytesOf(model.params), before);
  assertEquals(Object.keys(projector).sort(), [
    "multi_modal_projector.linear.bias",
    "multi_modal_projector.linear.weight",
  ]);
  for (const [name, x] of Object.entries(projector)) {
    assert(tf.max(tf.abs(tf.sub(x, model.params[name]))).dataSync()[0] > 0, name);
  }
  assertEquals(records.length, 6);
  assert(records.at(-1)!.loss < records[0].loss, `${records[0].loss} -> ${records.at(-1)!.loss}`);
  assert(records.at(-1)!.validationLoss !== null);
  tf.dispose(projector);
});

Deno.test("stage 2 gives LoRA matrices for both towers, keeps the given projector and moves nothing else", async () => {
  const before = bytesOf(model.params);
  const projector = Object.fromEntries(
    ["weight", "bias"].map((end) => [
      `multi_modal_projector.linear.${end}`,
      tf.add(model.params[`multi_modal_projector.linear.${end}`], 0.01),
    ]),
  ) as Params;
  const batches = Array.from({ length: 6 }, () => examples.slice(0, 8));
  const { adapter, records } = await trainStage2(model, projector, batches, config, {
    store,
    validation,
    stepsPerEpoch: 1,
  });
  assertEquals(bytesOf(model.params), before);
  assertEquals(bytesOf(adapter.projector!), bytesOf(projector));
  const modules = 4 * (model.config.vision.layers + model.config.text.layers);
  assertEquals(Object.keys(adapter.params).length, 2 * modules);
  assert(records.at(-1)!.loss < records[0].loss);
  dispose([projector, adapter.params, adapter.projector]);
});

Deno.test("a stage that runs again from other weights is not traced again, and reads those weights", async (t) => {
  const batches = [examples.slice(0, 8), examples.slice(4)];
  const other = Object.fromEntries(PROJECTOR.map((name) => [name, tf.mul<Tensor>(model.params[name], 0.5)]));
  const lossesFrom = async (projector: Params | null) => {
    const { adapter, records } = await trainStage2(model, projector, batches, config, {
      store,
      validation: [],
      stepsPerEpoch: 1,
    });
    dispose([adapter.params, adapter.projector]);
    return records.map(({ loss }) => loss);
  };
  const first = await lossesFrom(null);
  const { begin } = binding;
  binding.begin = () => {
    throw new Error("traced again");
  };
  const second = await lossesFrom(other), again = await lossesFrom(null);
  binding.begin = begin;
  assertEquals(again, first);
  await t.step("the first loss is the loss of the model with that projector", async () => {
    const shape = batchShape(batches.flat());
    const part = await readBatch(batches[0], pixelsFrom(store), shape), { inputs, labels } = part;
    const loss = tf.tidy(() =>
      crossEntropy(
        forward({ ...model.params, ...other }, inputs, model.config, { logitsAt: labels.rows }).logits,
        labels,
      )
    );
    assertAlmostEquals(second[0], loss.dataSync()[0], 1e-5);
    assert(Math.abs(second[0] - first[0]) > 1e-3);
    dispose([part, loss]);
  });
  tf.dispose(other);
});

Deno.test("the learning rate's scale holds at its own step: 0 leaves the weights of the step before", async () => {
  const batches = Array.from({ length: 3 }, () => examples.slice(0, 8));
  const trained = async (steps: number, learningRateScale: (step: number) => number) => {
    const { adapter } = await trainStage2(model, null, batches.slice(0, steps), config, {
      store,
      validation: [],
      stepsPerEpoch: 1,
      learningRateScale,
    });
    const bytes = bytesOf(adapter.params);
    tf.dispose(adapter.params);
    return bytes;
  };
  const two = await trained(2, () => 1);
  assertEquals(await trained(3, (step) => step < 2 ? 1 : 0), two);
  assert(JSON.stringify(await trained(3, () => 1)) !== JSON.stringify(two));
});

Deno.test("two accumulated parts give the step of one whole batch", async () => {
  const shape = batchShape(examples), total = labelCount(examples);
  const initial = Object.fromEntries(PROJECTOR.map((name) => [name, model.params[name]]));
  const run = async (parts: Example[][]) => {
    const { params, records: [record] } = await fit({
      ...once,
      initial,
      frozen: model.params,
      step: trainStep(nextTokenObjective(model.config), {
        ...TORCH_ADAMW,
        compiler: "graph",
        maxGradientNorm: 1,
      }),
      batch: () => Promise.all(parts.map((part) => readBatch(part, pixelsFrom(store), shape, total))),
      learningRate: () => 1e-3,
    });
    return { ...record, weight: params[PROJECTOR[0]].dataSync().slice() };
  };
  const whole = await run([examples]), parts = await run([examples.slice(0, 5), examples.slice(5)]);
  assertAlmostEquals(parts.loss, whole.loss, 1e-5);
  assertAlmostEquals(parts.gradientNorm, whole.gradientNorm, 1e-4 * whole.gradientNorm);
  // AdamW's first step is the gradient's sign times the rate: a gradient near zero may turn, nothing more.
  const far = whole.weight.filter((x, i) => Math.abs(x - parts.weight[i]) > 1e-5).length;
  assert(far < whole.weight.length / 1000, `${far} of ${whole.weight.length} weights differ`);
});

Deno.test("a training run adds no tensor once it is over", async () => {
  const run = async () => {
    const { projector } = await trainStage1(model, examples.slice(0, 8), { ...config, limit: 8 }, {
      store,
      validation: [],
    });
    tf.dispose(projector);
  };
  await run();
  const before = tf.memory().numTensors;
  await run();
  assertEquals(tf.memory().numTensors, before);
});

Deno.test("a loss that is not finite ends the run with a sentence that names step, rate and examples", async () => {
  const broken: Model = {
    ...model,
    params: { ...model.params, "language_model.norm.weight": tf.fill([model.config.text.hiddenSize], NaN) },
  };
  const { numTensors } = tf.memory();
  await assertRejects(
    () => trainStage1(broken, examples.slice(0, 2), config, { store, validation: [] }),
    Error,
    "Step 1, learning rate 0.002, the examples 1, 0: the loss is NaN. Lower the rate, or look at this batch's data.",
  );
  assertEquals(tf.memory().numTensors, numTensors);
});

Deno.test("a gradient or a weight that is not finite ends the run at its step, the last one too", async () => {
  const root = (w: Tensor, x: Tensor) => tf.sum<Tensor>(tf.sqrt(tf.mul(w, tf.stack([x, tf.onesLike(x)]))));
  for (const compiler of ["eager", "graph", "xla"] as const) {
    const seen: number[] = [], onStep = ({ step }: { step: number }) => void seen.push(step);
    // The root of 0 is 0: the loss is finite, its slope is not.
    await assertRejects(
      () => fit({ ...toyRun(root, [1, 1, 0], compiler), onStep }),
      Error,
      "Step 3, learning rate 0.1, x = 0: the gradient's norm is ",
    );
    assertEquals(seen, [1, 2]);
  }
  const steep = toyRun((w, x) => tf.sum<Tensor>(tf.mul(w, x)), [1, 1]);
  await assertRejects(
    () => fit({ ...steep, learningRate: (i) => i === 1 ? 1e38 : 0.1 }),
    Error,
    "Step 2, learning rate 1e+38, x = 1: the new parameters' norm is Infinity",
  );
});

Deno.test("memory used up in the second of two parts ends the run and leaves no tensor", async () => {
  const run = toyRun((w, x) => tf.sum<Tensor>(tf.mul(w, x)), [1, 1]), { numTensors } = tf.memory();
  const part = (n: number) => ({ x: tf.ones([n]) });
  const step = trainStep(({ w }, _, { x }: { x: Tensor }) => {
    if (x.size > 2) throw new OutOfMemory("There is no memory.");
    return { loss: tf.sum(tf.mul(w, x)), gradients: { w: tf.ones([2]) } };
  }, { ...TORCH_ADAMW, compiler: "graph", maxGradientNorm: null });
  const seen: number[] = [], onStep = ({ step }: { step: number }) => void seen.push(step);
  const batch = (i: number) => [part(1), part(i === 1 ? 4 : 1)];
  await assertRejects(() => fit({ ...run, step, batch, onStep }), OutOfMemory);
  assertEquals([seen, tf.memory().numTensors], [[1], numTensors]);
  tf.dispose(run.initial);
});

Deno.test("another image costs the base model loss on its own style", async () => {
  const generic = phantomExamples(10, 320_000_000, "generic", ["region", "side"], tokenizer, model.config);
  const shuffled = generic.toSorted((a, b) => Number(a.id) % 7 - Number(b.id) % 7);
  const { gain, low, rightImage } = (await imageGain(model, shuffled, store, batchShape(shuffled), config))!;
  assert(gain > 1 && low <= gain && low > 0.2, `gain ${gain}, from ${low}`);
  assertEquals(await imageGain(model, [], store, batchShape([]), config), null);
  const again = await meanLoss(model, shuffled, pixelsFrom(store), {
    batchSize: 7,
    shape: batchShape(shuffled),
    compiler: "graph",
  });
  assertAlmostEquals(again, rightImage, 1e-4);
});

Deno.test("an example's loss is its own, whatever batch it is read in, and the mean is over all label tokens", async () => {
  const some = phantomExamples(
    2,
    330_000_000,
    "generic",
    ["region", "modality", "side"],
    tokenizer,
    model.config,
  );
  const options = { batchSize: some.length, shape: batchShape(some), compiler: "graph" } as const;
  const losses = await exampleLosses(model, some, pixelsFrom(store), options);
  const alone: number[] = [];
  for (const one of some) {
    const [loss] = await exampleLosses(model, [one], pixelsFrom(store), { ...options, batchSize: 1 });
    alone.push(loss);
  }
  losses.forEach((loss, i) => assertAlmostEquals(loss, alone[i], 1e-4));
  const tokens = some.map(({ sequence }) => sequence.labels.filter((label) => label !== -100).length);
  assert(new Set(tokens).size > 1, "the examples' answers have different lengths");
  const sum = (list: number[]) => list.reduce((total, x) => total + x, 0);
  assertAlmostEquals(await meanLoss(model, some, pixelsFrom(store), options), sum(alone) / sum(tokens), 1e-5);
});

Deno.test("a stage that is stopped, between steps or parts, rejects with the reason and keeps no tensor", async () => {
  const batches = Array.from({ length: 6 }, () => examples.slice(0, 8));
  const { stage2 } = config, parts = { ...config, stage2: { ...stage2, accumulation: 4 } };
  const warm = await trainStage2(model, null, batches.slice(0, 1), parts, {
    store,
    validation: [],
    stepsPerEpoch: 1,
  });
  tf.dispose(warm.adapter.params);
  const before = tf.memory().numTensors;
  const stop = new AbortController(), reason = new Error("Stop was pressed");
  const seen: number[] = [];
  const stopping = { ...store, get: (path: string) => (stop.abort(reason), store.get(path)) };
  const options = { validation: [], stepsPerEpoch: 1, signal: stop.signal };
  const onStep = ({ step }: { step: number }) => void seen.push(step);
  // While the first batch is made ready: the first of its four parts is differentiated, the others are not.
  const between = trainStage2(model, null, batches, parts, { store: stopping, onStep, ...options });
  assertEquals(await assertRejects(() => between), reason);
  const later = trainStage2(model, null, batches, config, { store, onStep, ...options });
  assertEquals(await assertRejects(() => later), reason);
  assertEquals(seen, []);
  assertEquals(tf.memory().numTensors, before);
});

Deno.test("a stage that is stopped goes on from its checkpoint, and ends as one that was not", async () => {
  const path = await Deno.makeTempFile(), options = { store, validation, checkpoints: checkpointFile(path) };
  await Deno.remove(path);
  const used = examples.slice(0, 8);
  const measures = (records: TrainingRecord[]) =>
    records.map(({ seconds: _, examplesPerSecond: __, ...rest }) => rest);
  const whole = await trainStage1(model, used, config, { store, validation });
  for (const at of [2, 5]) {
    const onStep = ({ step }: TrainingRecord) => {
      if (step === at) throw new Error("stopped");
    };
    await assertRejects(() => trainStage1(model, used, config, { ...options, onStep }), Error, "stopped");
  }
  const resumed = await trainStage1(model, used, config, options);
  assertEquals(measures(resumed.records), measures(whole.records));
  assertEquals(bytesOf(resumed.projector), bytesOf(whole.projector));
  dispose([whole.projector, resumed.projector]);
  await Deno.remove(path);
});

Deno.test("compiled by block, with recomputation, both stages take the same steps, from kept features and from pixels", async () => {
  const losses = async (recompute: boolean) => {
    const own: Config = {
      ...config,
      model: { ...config.model, compiler: "xla" },
      stage1: { ...config.stage1, epochs: 3 },
      stage2: { ...config.stage2, recompute, accumulation: 2 },
    };
    const found: number[][] = [], trained: Params = {};
    for (const keepFeatures of [false, true]) {
      const { records, projector } = await trainStage1(model, examples, own, {
        store,
        validation,
        keepFeatures,
      });
      found.push(records.map(({ loss }) => loss));
      for (const [name, x] of Object.entries(projector)) trained[`${keepFeatures} ${name}`] = x;
    }
    const batches = [examples.slice(0, 8), examples.slice(4), examples.slice(0, 8)];
    const { adapter, records } = await trainStage2(model, null, batches, own, {
      store,
      validation,
      stepsPerEpoch: 2,
    });
    found.push(records.map(({ loss }) => loss), records.map(({ gradientNorm }) => gradientNorm));
    return { found, trained: { ...trained, ...adapter.params } };
  };
  const whole = await losses(false), blocks = await losses(true);
  for (const [i, values] of whole.found.entries()) {
    for (const [k, x] of values.entries()) assertAlmostEquals(blocks.found[i][k], x, 2e-4 * Math.abs(x));
  }
  // Beside what training has changed: LoRA's B begins at zero, the projector as the model's.
  const norm = (names: string[], of: (name: string) => Tensor) =>
    Math.sqrt(names.reduce((s, n) => s + tf.tidy(() => tf.sum(tf.square(of(n))).dataSync()[0]), 0));
  const names = Object.keys(whole.trained),
    start = (name: string) => model.params[name.split(" ")[1]] ?? tf.scalar(0);
  for (
    const own of [
      names.filter((n) => n.includes("lora_B")),
      names.filter((n) => n.includes(" multi_modal")),
    ]
  ) {
    const apart = norm(own, (n) => tf.sub(blocks.trained[n], whole.trained[n])) /
      norm(own, (n) => tf.sub(whole.trained[n], start(n)));
    assert(own.length > 0 && apart < 0.01, `${apart}`);
  }
  dispose([whole.trained, blocks.trained]);
});
