/** The grid of systems: which questions they get, what their answers are compared with, and that asking leaks nothing. */
import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { join } from "@std/path";
import { loadConfig } from "@lib/config/mod.ts";
import {
  askableCells,
  type CellAnswers,
  evaluationRecords,
  isShort,
  type ItemScore,
  itemScores,
  leastChanged,
  type Prediction,
  predictionRows,
  scoresOf,
  scoreTable,
} from "@lib/evaluation/mod.ts";
import { askCell } from "@lib/answers/mod.ts";
import { EVALUATED_CELLS, testItems } from "@lib/evaluation/cells.ts";
import type { CorpusRecord } from "@lib/corpus/mod.ts";
import { encodePng } from "@lib/image/mod.ts";
import { initAdapter, openModel } from "@lib/model/mod.ts";
import { drawPhantom } from "@lib/phantom/mod.ts";
import type { QaPair } from "@lib/synthesis/mod.ts";
import { tf } from "@lib/tensor/mod.ts";
import { memory } from "@lib/tensor/memory.ts";
import { saveAdapter } from "@lib/weights/mod.ts";

const pair = (n: number, more: Partial<QaPair> = {}): QaPair => ({
  id: `roco_v2/test/${n}`,
  dataset: "roco_v2",
  split: "test",
  sourceId: `${n}`,
  imagePath: `/none/${n}.png`,
  imageId: `roco_v2/${n}`,
  caseId: null,
  noThirdParty: false,
  question: "what modality is this image?",
  answer: n % 2 ? "ct" : "mri",
  choices: null,
  answerType: "open",
  questionType: "modality",
  origin: "template",
  prompt: null,
  model: null,
  server: null,
  seed: null,
  temperature: null,
  time: null,
  rawSha256: null,
  original: null,
  verdicts: "{}",
  ...more,
});
const cellOf = (name: string) => EVALUATED_CELLS.find((cell) => cell.name === name)!;

Deno.test("rules score options, yes-no answers and references of at most three words", () => {
  assert(isShort(pair(1, { answer: "right upper lobe" })));
  assert(!isShort(pair(1, { answer: "ct of the head with no lesion" })));
  assert(isShort(pair(1, { answer: "ct of the head with no lesion", choices: ["a", "b"] })));
  assert(isShort(pair(1, { answer: "yes, there is one there", answerType: "closed" })));
});

Deno.test("test items are those of the evaluation set, the same for every system, and as many as asked for", () => {
  const config = loadConfig({}), long = { answer: "ct of the head with no lesion" };
  const pairs = [
    ...Array.from({ length: 300 }, (_, n) => pair(n)),
    ...Array.from({ length: 100 }, (_, n) => pair(1000 + n, { ...long, imageId: `roco_v2/${n >> 1}` })),
    ...Array.from({ length: 50 }, (_, n) => pair(2000 + n, { split: "train" })),
    ...Array.from({ length: 50 }, (_, n) => pair(3000 + n, { dataset: "slake" })),
  ].map((p) => ({ ...p, id: `${p.id}#template/1` }));
  const records = new Set(
    pairs.filter(({ sourceId }) => Number(sourceId) % 5).map(({ id }) => id.split("#")[0]),
  );
  const items = testItems(pairs, "roco_v2", records, config);
  assertEquals([items.short.length, items.open.length], [200, 40]);
  assertEquals(testItems(pairs, "roco_v2", records, config), items);
  const all = [...items.short, ...items.open];
  assert(all.every((p) => p.split === "test" && p.dataset === "roco_v2" && records.has(p.id.split("#")[0])));
  assert(items.short.some((p, i) => p.id !== pairs[i].id), "drawn, not the first ones");
  assertEquals(new Set(items.open.map(({ imageId }) => imageId)).size, 40, "one open question an image");
  assertEquals(testItems(pairs, "roco_v2", records, { ...config, limit: 7 }).short.length, 7);
  assertEquals(testItems(pairs, "roco_v2", new Set(), config), { short: [], open: [] });
  assertEquals(
    testItems(pairs, "roco_v2", null, config).short.length,
    200,
    "sets of the user's own have no list",
  );
});

Deno.test("questions come from data/evaluation: closed English ones of SLAKE, captioned test images of ROCO", async () => {
  const record = (id: string, more: Partial<CorpusRecord>) =>
    ({ id, split: "test", language: "en", answerType: null, region: null, ...more }) as CorpusRecord;
  const found = await evaluationRecords([
    record("slake/test/1", { dataset: "slake", answerType: "closed" }),
    record("slake/test/2", { dataset: "slake", answerType: "open" }),
    record("slake/test/3", { dataset: "slake", answerType: "closed", language: "zh" }),
    record("slake/train/4", { dataset: "slake", answerType: "closed", split: "train" }),
    record("roco_v2/test/5", { dataset: "roco_v2" }),
    record("medpix2/test/6", { dataset: "medpix2" }),
    record("medpix2/train/7", { dataset: "medpix2", split: "train" }),
  ], loadConfig({}));
  assertEquals([...found.medpix2], ["medpix2/test/6"]);
  assertEquals([...found.slake], ["slake/test/1"]);
  assertEquals([[...found.roco_v2], found.pmc_vqa.size], [["roco_v2/test/5"], 0]);
});

Deno.test("systems are asked that have a short question and, where they need one, an adapter; of the others the reason is told", () => {
  const none = { short: [], open: [] }, some = { short: [pair(1)], open: [] };
  const items = { slake: none, pmc_vqa: none, medpix2: none, roco_v2: some };
  const { cells, leftOut } = askableCells(items, { "adapters/roco_v2__with/adapter_model.safetensors": {} });
  const ofRoco = EVALUATED_CELLS.filter(({ testSet }) => testSet === "roco_v2");
  const asked = ofRoco.filter(({ adapter }) => adapter === null || adapter === "roco_v2__with");
  assert(asked.some(({ adapter }) => adapter === null) && asked.length < ofRoco.length);
  assertEquals(cells, asked);
  assertEquals(leftOut.length, EVALUATED_CELLS.length - asked.length);
  const why = (name: string) => leftOut.find(({ cell }) => cell === name)?.why;
  assertEquals(why("slake__base"), "slake has no short test question");
  assertEquals(why("roco_v2__without"), "notebook 05 trained no adapter roco_v2__without");
});

const answered = (name: string, short: QaPair[], right: (i: number) => boolean): CellAnswers => {
  const say = (good: (i: number) => boolean): Prediction[] =>
    short.flatMap(({ id, answer }, i) =>
      [0, 1].map((run) => ({ id, run, answer: good(i) ? answer : "ultrasound", seed: 1, cut: false }))
    );
  const none = () => false;
  return { cell: cellOf(name), short: say(right), blank: say(none), shuffled: say((i) => i < 10), open: [] };
};

Deno.test("one row of scores for every system, question, run and rule, made once", () => {
  const short = Array.from({ length: 20 }, (_, n) => pair(n)), empty = { short: [], open: [] };
  const open = [pair(30, { answer: "ct of the head with no lesion" })];
  const items = { slake: empty, pmc_vqa: empty, medpix2: empty, roco_v2: { short, open } };
  const training = [pair(500, { split: "train", answer: "ct" })];
  const given = {
    ...answered("roco_v2__with", short, () => true),
    open: [{ ...open[0], run: 0, seed: null, cut: true }],
  };
  const rows = itemScores([given], items, training), table = scoreTable(rows);
  const distinct = new Set(
    rows.map(({ cell, kind, scorer, id, run }) => [cell, kind, scorer, id, run].join()),
  );
  assertEquals(distinct.size, rows.length);
  assertEquals(scoresOf(table, "roco_v2__with").length, 40);
  assertEquals(scoresOf(table, "roco_v2__with", "open", "tokenF1").map(({ score, cut }) => [score, cut]), [[
    1,
    true,
  ]]);
  assertEquals(scoresOf(table, "roco_v2__with", "majority").map(({ score }) => score).slice(0, 2), [0, 1]);
  assertEquals(scoresOf(table, "roco_v2__with", "blank", "tokenF1"), [], "controls: exact match alone");
  assertEquals(scoresOf(table, "roco_v2__base"), []);
  const controls = (rows: ItemScore[]) =>
    rows.filter(({ kind }) => ["majority", "questionOnly"].includes(kind));
  assertEquals(controls(rows).length, 40);
  assertEquals(
    controls(itemScores([given], items, [])),
    [],
    "without training pairs there is no such control",
  );
  assertEquals(controls(itemScores([{ ...given, short: [] }], items, training)), [], "nor without an answer");
  assertEquals(predictionRows([given], items).filter(({ cut }) => cut).length, 1);
});

Deno.test("what training changed is the least of the trained systems' shares; an untrained adapter gives 0", () => {
  const short = Array.from({ length: 10 }, (_, n) => pair(n));
  const base = answered("roco_v2__base", short, () => false);
  const some = answered("roco_v2__with", short, (i) => i < 3),
    many = answered("roco_v2__without", short, (i) => i < 8);
  assertAlmostEquals(leastChanged([base, many, some])!, 0.3);
  assertEquals(leastChanged([base, many, { ...some, short: base.short.toReversed() }]), 0);
  assertEquals([leastChanged([base]), leastChanged([some])], [null, null], "nothing to compare");
});

Deno.test("a cell is asked with and without its image; an untrained adapter changes nothing; no tensor is left", async () => {
  const dir = await Deno.makeTempDir(), base = await openModel(loadConfig({}));
  const tiny = loadConfig({}),
    config = { ...tiny, evaluation: { ...tiny.evaluation, runs: 2, batchSize: 6 } };
  const short = await Promise.all([0, 1, 2].map(async (n) => {
    const imagePath = join(dir, `${n}.png`), { pixels } = drawPhantom(40 + n, "generic");
    const data = Uint8Array.from({ length: 3 * pixels.length }, (_, i) => pixels[Math.floor(i / 3)]);
    await Deno.writeFile(imagePath, await encodePng({ width: 112, height: 112, data }));
    return pair(n, { imagePath });
  }));
  const empty = { short: [], open: [] };
  const items = { slake: empty, pmc_vqa: empty, medpix2: empty, roco_v2: { short, open: short } };
  const adapter = initAdapter(base.model.config, { r: 4, alpha: 8, towers: "both", seed: 1 });
  await saveAdapter(join(dir, "roco_v2__with"), adapter, { baseModel: "nano" });
  const stage1 = Object.fromEntries(
    Object.entries(base.model.params).filter(([name]) => name.startsWith("multi_modal_projector"))
      .map(([name, tensor]) => [name, tf.clone(tensor)]),
  );
  const ask = (name: string) => askCell(cellOf(name), base, items, stage1, dir, config);
  const plain = await ask("roco_v2__base"), before = memory().tensors, adapted = await ask("roco_v2__with");
  assertEquals(memory().tensors, before);
  assertEquals({ ...adapted, cell: null }, { ...plain, cell: null });
  assertEquals(plain.short.length, 6);
  assert(JSON.stringify(plain.short) !== JSON.stringify(plain.blank), "the image makes no difference");
  await Deno.remove(dir, { recursive: true });
});
