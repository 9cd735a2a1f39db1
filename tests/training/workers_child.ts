/**
 * One worker of workers_test.ts: trains both stages of the nano model on a few phantoms, keeping them and writing a
 * checkpoint after every step. Rank 0, or the only process, prints a JSON line for every step, and at the end one of the
 * curves, and writes what was trained.
 * Usage: workers_child.ts FOLDER
 */
import { join } from "@std/path";
import { loadConfig, workerPlace } from "@lib/config/mod.ts";
import { openModel } from "@lib/model/mod.ts";
import { joinGroup, leaveGroup } from "@lib/tensor/mod.ts";
import { phantomStore } from "@lib/nano/mod.ts";
import { batchShape, trainCell, type TrainingRecord, trainProjector } from "@lib/training/mod.ts";
import { writeSafetensors } from "@lib/weights/mod.ts";
import { phantomExamples } from "./phantom_examples.ts";

const [folder] = Deno.args, place = workerPlace(), preset = loadConfig({});
const config = {
  ...preset,
  model: { ...preset.model, compiler: "graph" as const },
  stage1: { ...preset.stage1, epochs: 2, batchSize: 6 },
  stage2: { ...preset.stage2, batchSize: 3, accumulation: 2 },
};
const stop = new AbortController();
Deno.addSignalListener("SIGTERM", () => stop.abort(new Error("stopped as asked")));
try {
  const group = place ? await joinGroup(place, 60_000) : undefined, first = !group || group.rank === 0;
  const { model, tokenizer } = await openModel(config);
  // Short and long answers in turn: shares of a batch differ in label tokens.
  const found = phantomExamples(9, 300_000_000, "shifted", ["side", "open"], tokenizer, model.config);
  const examples = found.map((_, i) => found[i % 2 * 9 + Math.floor(i / 2)]);
  const train = examples.slice(0, 12), validation = examples.slice(12), data = { train, validation };
  const options = {
    store: phantomStore(),
    keep: true,
    checkpointSeconds: 0,
    signal: stop.signal,
    group,
    onStep: (record: TrainingRecord) => {
      if (first) console.log(JSON.stringify({ step: record.step }));
    },
  };
  const { projector, records } = await trainProjector(model, data, config, options);
  const cell = await trainCell(
    model,
    { name: "roco_v2__with", dataset: "roco_v2", stage1: true },
    {
      batches: Array.from({ length: 9 }, (_, i) => train.slice(6 * (i % 2), 6 * (i % 2 + 1))),
      validation,
      stepsPerEpoch: 2,
      shape: batchShape(examples),
    },
    projector,
    config,
    options,
  );
  if (first) {
    writeSafetensors(join(folder, "trained.safetensors"), { ...projector, ...cell.adapter.params });
    const points = [...records, ...cell.curve].map(({ loss, gradientNorm, validationLoss }) => [
      loss,
      gradientNorm,
      validationLoss,
    ]);
    console.log(JSON.stringify({ points }));
  }
  if (group) await leaveGroup(group);
} catch (error) {
  console.log(JSON.stringify({ error: (error as Error).message }));
  Deno.exit(1);
}
Deno.exit(0);
