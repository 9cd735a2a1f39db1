/**
 * Trains the projector and one cell of the nano model on a few phantoms, keeping both and writing a checkpoint after every
 * step: the process that `./lab bench faults training` kills.
 *
 * Prints `ready` when the model is loaded, `step` after every step, and at the end a JSON of what was trained: hashes of the
 * tensors, and of the curves but for their times.
 */
import { loadConfig, sha256 } from "@lib/config/mod.ts";
import { openModel } from "@lib/model/mod.ts";
import { phantomItems, phantomStore } from "@lib/nano/mod.ts";
import { batchShape, toExamples, trainCell, type TrainingRecord, trainProjector } from "@lib/training/mod.ts";
import { paramsSha256 } from "@lib/weights/mod.ts";

const BATCH = 4, STEPS = 24;
const preset = loadConfig({});
const config = {
  ...preset,
  model: { ...preset.model, compiler: "graph" as const },
  stage1: { ...preset.stage1, epochs: STEPS, batchSize: BATCH },
  stage2: { ...preset.stage2, batchSize: BATCH },
};
const { model, tokenizer } = await openModel(config);
const pairs = phantomItems(3 * BATCH, 300_000_000, "shifted", ["side"]).map((item, i) => ({
  id: `${i}`,
  imagePath: `shifted/${item.seed}`,
  imageId: `${item.seed}`,
  question: item.question,
  answer: item.answer,
  choices: null,
}));
const examples = toExamples(pairs, tokenizer, model.config);
const train = examples.slice(0, 2 * BATCH), validation = examples.slice(2 * BATCH);
console.log("ready");

const options = {
  store: phantomStore(),
  keep: true,
  checkpointSeconds: 0,
  onStep: () => console.log("step"),
};
const measured = (records: readonly TrainingRecord[]) =>
  sha256(JSON.stringify(records.map(({ seconds: _, examplesPerSecond: __, ...record }) => record)));
const stage1 = await trainProjector(model, { train: train.slice(0, BATCH), validation }, config, options);
const cell = await trainCell(
  model,
  { name: "roco_v2__with", dataset: "roco_v2", stage1: true },
  {
    batches: Array.from({ length: STEPS }, (_, i) => train.slice(BATCH * (i % 2), BATCH * (i % 2 + 1))),
    validation,
    stepsPerEpoch: 2,
    shape: batchShape(examples),
  },
  stage1.projector,
  config,
  options,
);
console.log(JSON.stringify([
  paramsSha256(stage1.projector),
  measured(stage1.records),
  paramsSha256(cell.adapter.params),
  measured(cell.curve),
]));
