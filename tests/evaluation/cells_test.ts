/** The grid of systems: which questions they get, what their answers are compared with, and that asking leaks nothing. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { join } from "@std/path";
import { loadConfig } from "@lib/config/mod.ts";
import {
  askCell,
  cellAccuracies,
  type CellAnswers,
  cellOverlaps,
  EVALUATED_CELLS,
  isShort,
  pairedRows,
  type Prediction,
  predictionRows,
  testItems,
} from "@lib/evaluation/mod.ts";
import { encodePng } from "@lib/image/mod.ts";
import { initAdapter, openModel } from "@lib/model/mod.ts";
import { drawPhantom } from "@lib/phantom/mod.ts";
import type { QaPair } from "@lib/synthesis/mod.ts";
import { memory, tf } from "@lib/tensor/mod.ts";
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

Deno.test("test items are the same for every system, from the test split alone, and as many as asked for", () => {
  const config = loadConfig({}), long = { answer: "ct of the head with no lesion" };
  const pairs = [
    ...Array.from({ length: 300 }, (_, n) => pair(n)),
    ...Array.from({ length: 50 }, (_, n) => pair(1000 + n, long)),
    ...Array.from({ length: 50 }, (_, n) => pair(2000 + n, { split: "train" })),
    ...Array.from({ length: 50 }, (_, n) => pair(3000 + n, { dataset: "slake" })),
  ];
  const items = testItems(pairs, "roco_v2", config);
  assertEquals([items.short.length, items.open.length], [200, 40]);
  assertEquals(testItems(pairs, "roco_v2", config), items);
  assert([...items.short, ...items.open].every((p) => p.split === "test" && p.dataset === "roco_v2"));
  assert(items.short.some((p, i) => p.id !== pairs[i].id), "drawn, not the first ones");
  assertEquals(testItems(pairs, "roco_v2", { ...config, limit: 7 }).short.length, 7);
});

const answered = (name: string, short: QaPair[], right: (i: number) => boolean): CellAnswers => {
  const say = (good: (i: number) => boolean): Prediction[] =>
    short.flatMap(({ id, answer }, i) =>
      [0, 1].map((run) => ({ id, run, answer: good(i) ? answer : "ultrasound", seed: 1 }))
    );
  const none = () => false;
  return { cell: cellOf(name), short: say(right), blank: say(none), shuffled: say((i) => i < 10), open: [] };
};

Deno.test("accuracies come with controls, and differences are counted item by item", () => {
  const short = Array.from({ length: 100 }, (_, n) => pair(n)), empty = { short: [], open: [] };
  const items = { slake: empty, pmc_vqa: empty, medpix2: empty, roco_v2: { short, open: [] } };
  const training = Array.from(
    { length: 9 },
    (_, n) => pair(500 + n, { split: "train", answer: n < 6 ? "ct" : "mri" }),
  );
  const answers = [
    answered("roco_v2__base", short, (i) => i < 50),
    answered("roco_v2__with", short, (i) => i < 80),
    answered("roco_v2__without", short, (i) => i < 70 || i >= 95),
  ];
  const [base, trained] = cellAccuracies(answers, items, training);
  assertEquals([base.accuracy, base.overBase], [0.5, null]);
  assertEquals([trained.accuracy, trained.blank, trained.shuffled, trained.majority], [0.8, 0, 0.1, 0.5]);
  assertEquals([trained.overBlank.estimate, trained.overShuffled?.estimate], [0.8, 0.7]);
  assert(Math.abs(trained.overBase!.estimate - 0.3) < 1e-9 && trained.overBase!.low > 0.2);
  const [row] = pairedRows(answers, items, [["roco_v2__without", "roco_v2__with"]]);
  assert(Math.abs(row.difference - 0.05) < 1e-9);
  // One question an image: as McNemar's exact test of 5 and 10, but for the draws.
  assert(Math.abs(row.pValue - 0.30175781) < 0.015, `${row.pValue}`);
  assert(row.smallestDetectable > 0.05);
  assertThrows(() => pairedRows(answers, items, [["roco_v2__with", "nothing"]]), Error, '"nothing"');
  assertEquals(cellOverlaps(answers, items), [], "no open questions, no overlap");
  assertEquals(predictionRows(answers, items).length, 3 * 3 * 200);
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
