import { assert, assertEquals, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";
import { exists } from "@std/fs";
import { join } from "@std/path";
import type { QaPair } from "@lib/synthesis/mod.ts";

// The results folder is read from the environment when lib/config is loaded.
const results = await Deno.makeTempDir({ prefix: "export-" });
Deno.env.set("LAB_RESULTS", results);
const { startRun } = await import("../../lib/artifacts/mod.ts");
const { loadConfig } = await import("../../lib/config/mod.ts");
const { initAdapter, openModel } = await import("../../lib/model/mod.ts");
const { tf } = await import("../../lib/tensor/mod.ts");
const { loadAdapter, loadCheckpoint, saveAdapter } = await import("../../lib/weights/mod.ts");
const { readCard } = await import("../../lib/weights/card.ts");
const { run } = await import("../../lib/cli/export.ts");
globalThis.addEventListener("unload", () => Deno.removeSync(results, { recursive: true }));

const PAIR: QaPair = {
  id: "1",
  dataset: "roco_v2",
  split: "train",
  sourceId: "1",
  imagePath: "1.png",
  imageId: "1",
  caseId: null,
  noThirdParty: false,
  question: "what is the modality?",
  answer: "ct",
  choices: null,
  answerType: "open",
  questionType: null,
  origin: "source",
  prompt: null,
  model: null,
  server: null,
  seed: null,
  temperature: null,
  time: null,
  rawSha256: null,
  original: null,
  verdicts: "{}",
};
const config = loadConfig({}), CELL = "roco_v2__with", HOSTILE = "model|<img src=x>\n# heading";
const { model, card } = await openModel(config);
const { r, alpha } = { r: 3, alpha: 8 };
const adapter = initAdapter(model.config, { r, alpha, towers: "text", seed: 1 });
for (const [name, x] of Object.entries(adapter.params)) {
  if (name.includes("lora_B")) adapter.params[name] = tf.fill(x.shape, 0.01);
}
{
  const pair = (
    id: string,
    dataset: string,
    origin: QaPair["origin"],
    teacher: string | null,
    split = "train",
  ) => ({
    ...PAIR,
    id,
    dataset,
    split,
    origin,
    model: teacher,
  });
  const annealing = await startRun("03_annealing", config);
  await annealing.writeTable("pairs", [
    pair("1", "slake", "source", null),
    pair("2", "roco_v2", "teacher", HOSTILE),
    pair("3", "roco_v2", "template", null),
    pair("4", "roco_v2", "template", null, "test"),
    pair("5", "medpix2", "template", null),
  ]);
  await annealing.finish();
  const stage2 = await startRun("05_stage2", config, { inputs: ["03_annealing"] });
  const point = (step: number, validationLoss: number | null) => ({
    cell: CELL,
    step,
    epoch: 1,
    validationLoss,
  });
  await stage2.writeTable("curves", [point(1, 1.5), point(2, null), point(3, 0.25)]);
  await stage2.writeJson("image_gain", [{ cell: CELL, gain: 0.75, low: 0.5 }]);
  await saveAdapter(stage2.file(`adapters/${CELL}`), adapter, { baseModel: config.model.checkpoint });
  await stage2.finish({ notice: card.notice });
}
const table = {
  accuracies: [
    { adapter: CELL, testSet: "roco_v2", items: 200, byImage: { estimate: 0.815, low: 0.768, high: 0.86 } },
    { adapter: null, testSet: "roco_v2", items: 200, byImage: { estimate: 0.5, low: 0.4, high: 0.6 } },
  ],
};

/** Exports, and gives what was printed. */
async function exported(name: string, ...args: string[]): Promise<{ out: string; said: string }> {
  return await exportedCell(CELL, name, ...args);
}

async function exportedCell(cell: string, name: string, ...args: string[]) {
  const out = join(results, name), said: string[] = [], { log } = console;
  console.log = (line: string) => said.push(line);
  try {
    await run([cell, "--out", out, ...args]);
  } finally {
    console.log = log;
  }
  return { out, said: said.join("\n") };
}

Deno.test("an exported adapter is the run's, with a card that says data, licences, settings, measures and notice", async () => {
  const notes = join(results, "adapter.partial", "notes.txt"); // a user's own, of whatever name
  await Deno.mkdir(join(results, "adapter.partial"));
  await Deno.writeTextFile(notes, "mine");
  const { out, said } = await exported("adapter");
  assertEquals(await Deno.readTextFile(notes), "mine");
  assertEquals([...Deno.readDirSync(results)].filter(({ name }) => name.startsWith(".")), []);
  assertMatch(said, /hf upload YOUR_NAME\/roco_v2__with "/);
  assertEquals([...Deno.readDirSync(out)].map(({ name }) => name).sort(), [
    "README.md",
    "adapter_config.json",
    "adapter_model.safetensors",
  ]);
  tf.dispose((await loadAdapter(out, model.config)).params);
  const text = await Deno.readTextFile(join(out, "README.md"));
  for (
    const part of [
      '\nlibrary_name: "peft"\n',
      '\nlicense: "apache-2.0"\n', // of data/nano
      "| phantoms in the layout of SLAKE | 1 | 1 | 1 |",
      "| phantoms in the layout of ROCOv2 | 2 | 2 | 0 | 1 (",
      "| learningRate | 0\\.002 |",
      "1\\.500 after step 1, 0.250 after step 3",
      "0\\.750 (95 % interval from 0.500)",
      "**Not for clinical use.**",
      "has no medical meaning",
    ]
  ) assertStringIncludes(text, part);
  assert(!/MedPix|closed questions|<img|\n# heading|base_model:/.test(text), text);
  assert(!text.includes(results));
  assertEquals((await readCard(out)).notice, card.notice);
});

Deno.test("an exported model has the adapter in its weights, and what 06 measured of this run in its card", async () => {
  const evaluation = await startRun("06_evaluation", config, { inputs: ["05_stage2"] });
  await evaluation.writeJson("table1", table);
  await evaluation.finish();
  const { out } = await exported("merged", "--merged");
  const { params, config: shape } = await loadCheckpoint(out), before = model.params;
  assertEquals(shape, model.config);
  const changed = Object.keys(params).filter((name) =>
    tf.tidy(() => tf.max(tf.abs(tf.sub(params[name], before[name]))).dataSync()[0] > 0)
  );
  assertEquals(changed.length, 4 * model.config.text.layers);
  const name = "language_model.layers.0.self_attn.q_proj",
    off = tf.tidy(() => {
      const b = adapter.params[`${name}.lora_B.weight`], a = adapter.params[`${name}.lora_A.weight`];
      const wanted = tf.add(before[`${name}.weight`], tf.mul(tf.matMul(b as never, a as never), alpha / r));
      return tf.max(tf.abs(tf.sub(wanted, params[`${name}.weight`]))).dataSync()[0];
    });
  assert(off < 1e-6, `${off}`);
  tf.dispose(params);
  const text = await Deno.readTextFile(join(out, "README.md"));
  assertStringIncludes(
    text,
    "200 short questions of roco\\_v2, exact match | 81\\.5 % (95 % interval 76.8 % to 86.0 %) |",
  );
  assert(!text.includes("50.0 %"));
  assert(await exists(join(out, "tokenizer.json")));
});

Deno.test("what notebook 09 has trained is exported from its run, with its pairs, licence, steps and measures", async () => {
  const cell = "own_mine__without", own = await startRun("09_own_data", config);
  const pair = { ...PAIR, dataset: "own_mine" };
  await own.writeTable("pairs", [
    { ...pair, id: "1" },
    { ...pair, id: "2" },
    { ...pair, id: "3", split: "test" },
  ]);
  await own.writeTable("curves", [{ cell, step: 1, epoch: 1, validationLoss: 2.5 }]);
  await own.writeJson("image_gain", []);
  const byImage = { estimate: 0.625, low: 0.25, high: 0.875 };
  await own.writeJson("accuracies", {
    accuracies: [{ adapter: cell, testSet: "own_mine", items: 24, byImage }],
  });
  await saveAdapter(own.file(`adapters/${cell}`), adapter, { baseModel: config.model.checkpoint });
  await own.finish({ notice: card.notice, licence: "CC0 | <b>1.0</b>", steps: 43 });
  const { out } = await exportedCell(cell, "own");
  tf.dispose((await loadAdapter(out, model.config)).params);
  const text = await Deno.readTextFile(join(out, "README.md"));
  for (
    const part of [
      "# own\\_mine\\_\\_without",
      "| steps | 43 |",
      "24 short questions of own\\_mine, exact match | 62\\.5 % (95 % interval 25.0 % to 87.5 %) |",
      "2\\.500 after step 1",
    ]
  ) assertStringIncludes(text, part);
  assertMatch(text, /\| own\\_mine \| 2 \| 2 \| 2 \| 0 \| 0 \| CC0 [^\n]*1\.0/);
  assert(!text.includes("<b>"), text);
  await assertRejects(() => exportedCell("own_other__without", "none"), Error, "There is no cell own_other");
});

Deno.test("a folder that is there stays, and a cell that was not trained leaves nothing", async () => {
  await Deno.mkdir(join(results, "there"));
  await assertRejects(() => exported("there"), Error, "is there already and stays");
  await assertRejects(
    () => run(["pmc_vqa__with", "--out", join(results, "none")]),
    Error,
    'has no output "adapters/pmc_vqa__with/',
  );
  await assertRejects(
    () => run(["pmc_vqa", "--out", join(results, "none")]),
    Error,
    "There is no cell pmc_vqa",
  );
  await assertRejects(() => run([CELL]), Error, "--out is missing");
  assertEquals([...Deno.readDirSync(results)].filter(({ name }) => name.startsWith("none")), []);
});
