import { assert, assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";

const results = await Deno.makeTempDir();
Deno.env.set("LAB_RESULTS", results);
const { loadConfig } = await import("@lib/config/mod.ts");
const { openModel } = await import("@lib/model/mod.ts");
const { tf } = await import("@lib/tensor/mod.ts");
const { phantomStore } = await import("@lib/nano/mod.ts");
const { trainProjector } = await import("@lib/training/mod.ts");
const { trainStage1 } = await import("@lib/training/stages.ts");
const { featuresText, keptFeatures, towerFeatures } = await import("../../lib/training/features.ts");
const { phantomExamples } = await import("./phantom_examples.ts");
globalThis.addEventListener("unload", () => Deno.removeSync(results, { recursive: true }));

const preset = loadConfig({});
const configOf = (compiler: "graph" | "xla") => ({
  ...preset,
  model: { ...preset.model, compiler },
  stage1: { ...preset.stage1, epochs: 2, batchSize: 4 },
});
const config = configOf("graph");
const { model, tokenizer } = await openModel(config), store = phantomStore();
const examples = phantomExamples(9, 300_000_000, "shifted", ["side"], tokenizer, model.config);
const train = examples.slice(0, 7), validation = examples.slice(3); // batches that are filled up, images of both
const files = () => {
  try {
    return [...Deno.readDirSync(join(results, "kept/features"))].map(({ name }) => name);
  } catch {
    return [];
  }
};

for (const compiler of ["graph", "xla"] as const) {
  Deno.test(`${compiler}: losses with kept features are bit for bit those without, and the tower runs once an image`, async () => {
    const done: number[] = [], onFeatures = (n: number) => void done.push(n);
    const run = async (keepFeatures: boolean) => {
      const options = { store, validation, keepFeatures, onFeatures };
      const { records, projector, features } = await trainStage1(model, train, configOf(compiler), options);
      const numbers = records.map((
        { loss, gradientNorm, validationLoss },
      ) => [loss, gradientNorm, validationLoss]);
      const bits = Object.values(projector).map((x) => x.dataSync().slice());
      tf.dispose(projector);
      return { numbers, bits, features };
    };
    const without = await run(false);
    assertEquals([without.features, done], [null, []]);
    const tensors = tf.memory().numTensors;
    const start = performance.now(), made = await run(true), took = (performance.now() - start) / 1000;
    const found = await run(true);
    assertEquals(tf.memory().numTensors, tensors);
    assertEquals(done, [8, 9]);
    const size = 9 * model.config.imageTokens * model.config.vision.hiddenSize * 4;
    assertEquals([made.features?.images, made.features?.bytes], [9, size]);
    assert(
      made.features!.seconds > 0 && made.features!.seconds < took,
      `${made.features!.seconds} of ${took}`,
    );
    assertEquals(found.features, { images: 9, bytes: size, seconds: 0 });
    for (const { numbers, bits } of [made, found]) {
      assertEquals({ numbers, bits }, { numbers: without.numbers, bits: without.bits });
    }
  });
}

Deno.test("a file of features is told with its images, its size and the time that it took", () => {
  const told = "Features of the vision tower: ";
  assertEquals(
    featuresText({ images: 320, bytes: 24_117_248, seconds: 3.14 }),
    `${told}320 images, 24.1 MB, computed in 3.1 s.`,
  );
  assertEquals(
    featuresText({ images: 1, bytes: 75_366, seconds: 0 }),
    `${told}1 image, 0.0754 MB, kept before.`,
  );
});

Deno.test("the setting says whether features are kept; a run that is stopped leaves no part of them", async () => {
  const before = files(), data = { train: train.slice(0, 4), validation: [] };
  const off = { ...config, stage1: { ...config.stage1, keepFeatures: false } };
  const { projector, features } = await trainProjector(model, data, off, { store, keep: true });
  assertEquals([features, files()], [null, before]);
  tf.dispose(projector);
  const stop = new AbortController(), compute = towerFeatures(model, store, "graph");
  const options = { signal: stop.signal, onFeatures: () => stop.abort(new Error("stopped")) };
  const paths = examples.map(({ imagePath }) => imagePath).toReversed();
  await assertRejects(() => keptFeatures(model, store, paths, compute, config, options), Error, "stopped");
  assertEquals(files(), before);
  const many = Array.from({ length: 2 ** 17 }, (_, i) => `shifted/${i}`);
  assertEquals(await keptFeatures(model, store, many, compute, config, {}), null);
});

Deno.test("another tower or image has features of its own", async () => {
  const dir = await Deno.makeTempDir(), image = join(dir, "a");
  const blank = {
    size: store.size,
    get: () => Promise.resolve(new Uint8Array(3 * store.size ** 2)),
    fill: store.fill,
  };
  const count = async (tower: typeof model) => {
    const compute = towerFeatures(tower, blank, "graph");
    (await keptFeatures(tower, blank, [image], compute, config, {}))![Symbol.dispose]();
    return files().length;
  };
  try {
    Deno.writeTextFileSync(image, "one");
    const first = await count(model);
    assertEquals(await count(model), first);
    const name = "vision_tower.post_layernorm.bias";
    const params = { ...model.params, [name]: tf.add<typeof model.params[string]>(model.params[name], 1) };
    assertEquals(await count({ ...model, params }), first + 1);
    Deno.writeTextFileSync(image, "another");
    assertEquals(await count(model), first + 2);
    tf.dispose(params[name]);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});
