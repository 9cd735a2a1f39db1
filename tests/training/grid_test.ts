import { assert, assertEquals, assertThrows } from "@std/assert";
import { gridOf, loadConfig, paths, selectedCells } from "../../lib/config/mod.ts";
import { loadTokenizer } from "../../lib/text/mod.ts";
import { NANO_CONFIG } from "../../lib/nano/config.ts";
import { gridData, type SplitPair, toExamples } from "../../lib/training/mod.ts";
import { epochBatches, fitsModel } from "../../lib/training/examples.ts";
import { cellData } from "../../lib/training/grid.ts";

const config = loadConfig({});
const tokenizer = await loadTokenizer(`${paths.data}/nano`);
const pairs: SplitPair[] = ["roco_v2", "medpix2", "pmc_vqa"].flatMap((dataset) =>
  ["train", "validation"].flatMap((split) =>
    Array.from({ length: split === "train" ? 100 : dataset === "pmc_vqa" ? 0 : 20 }, (_, i) => ({
      id: `${dataset}/${split}/${i}`,
      dataset,
      split,
      imagePath: `${i}.png`,
      imageId: `${dataset}/${i}`,
      question: "is there a lesion?",
      answer: "yes",
      choices: null,
    }))
  )
);

const attempt = (work: () => unknown): unknown => {
  try {
    return work();
  } catch (error) {
    return error;
  }
};

Deno.test("the grid has every dataset with and without stage 1", () => {
  assertEquals(gridOf(config).length, 8);
  assertEquals(new Set(gridOf(config).map((cell) => cell.name)).size, 8);
});

Deno.test("a set of one's own has two cells that can be chosen by name, and is trained where it has training pairs", () => {
  const set = 'corpora.own=["ward","exam"]';
  const own = loadConfig({ LAB_SET: set });
  assertEquals(gridOf(own).slice(8).map(({ name }) => name), [
    "own_ward__with",
    "own_ward__without",
    "own_exam__with",
    "own_exam__without",
  ]);
  const chosen = loadConfig({ LAB_SET: `${set}\nstage2.cells=["own_ward__with"]` });
  assertEquals(selectedCells(chosen).map(({ name }) => name), ["own_ward__with"]);
  const stray = loadConfig({ LAB_SET: 'stage2.cells=["own_ward__with"]' });
  assertThrows(() => selectedCells(stray), Error, "no cell own_ward__with");
  assertThrows(() => loadConfig({ LAB_SET: 'corpora.own=["a","a"]' }), Error, "each name once");
  const ward = ["train", "test"].map((split) => ({ ...pairs[0], id: split, dataset: "own_ward", split }));
  const exam = { ...pairs[0], id: "exam", dataset: "own_exam", split: "test" };
  const mixture = pairs.slice(0, 32).map(({ id }, position) => ({ step: 0, position, pairId: id }));
  const data = gridData([...pairs, ...ward, exam], mixture, own, tokenizer, NANO_CONFIG);
  assertEquals(Object.keys(data), ["medpix2", "roco_v2", "roco_medpix", "pmc_vqa", "own_ward"]);
  assertEquals(new Set(data.own_ward?.batches.flat().map(({ id }) => id)), new Set(["train"]));
});

Deno.test("what fits the model is what it takes: long texts and those with <image> do not", () => {
  const fits = (more: Partial<SplitPair>) => {
    const pair = { ...pairs[0], ...more };
    const taken = !Error.isError(attempt(() => toExamples([pair], tokenizer, NANO_CONFIG)));
    assertEquals(fitsModel(pair, tokenizer), taken);
    return taken;
  };
  assert(fits({}));
  assert(!fits({ answer: "a long report ".repeat(100) }));
  assert(!fits({ question: "what is seen? ".repeat(10_000) }));
  assert(!fits({ answer: "an <image> of it" }));
  const lengths = Array.from({ length: 300 }, (_, n) => fits({ answer: "lung ".repeat(2 * n) }));
  assertEquals(lengths.lastIndexOf(true) + 1, lengths.indexOf(false));
});

Deno.test("pairs that are held out take their image's other pairs out of training, unless none would be left", () => {
  const about = (images: number) =>
    Array.from({ length: 40 }, (_, i) => ({
      ...pairs[0],
      id: `${i}`,
      dataset: "own_ward",
      imageId: `${Math.floor(i * images / 40)}`,
    }));
  const used = (images: number) => {
    const { batches, validation } = cellData("own_ward", about(images), [], config, tokenizer, NANO_CONFIG);
    return [validation.length, new Set(batches.flat().map(({ id }) => id)).size];
  };
  assertEquals(used(4), [4, 30]);
  assertEquals(used(1), [0, 40]);
});

Deno.test("an epoch holds every example once, in an order that the seed decides", () => {
  const items = Array.from({ length: 40 }, (_, i) => i), batches = epochBatches(items, 8, "a");
  assertEquals(batches.flat().sort((a, b) => a - b), items);
  assertEquals(epochBatches(items, 8, "a"), batches);
  assert(epochBatches(items, 8, "b").flat().some((x, i) => x !== batches.flat()[i]));
  assertEquals(epochBatches(items, 16, "a").map((batch) => batch.length), [16, 16, 16]);
});

Deno.test("a dataset without validation split keeps a part of its training pairs out of training", () => {
  const { batches, validation } = cellData("pmc_vqa", pairs, [], config, tokenizer, NANO_CONFIG);
  const held = new Set(validation.map((example) => example.id));
  assertEquals(held.size, 10);
  assert(batches.flat().every((example) => !held.has(example.id)));
});

Deno.test("the cells of figure 5a are validated on one set, half of each source in every part of it", () => {
  const published = Array.from({ length: 300 }, (_, i) => ({
    ...pairs[0],
    id: `${i < 280 ? "medpix2" : "roco_v2"}/published/${i}`,
    dataset: i < 280 ? "medpix2" : "roco_v2",
    split: "validation",
    imageId: `published/${i}`,
  }));
  const train = pairs.filter(({ split }) => split === "train");
  const mixture = train.slice(0, 32).map(({ id }, position) => ({ step: 0, position, pairId: id }));
  const sets = (table: readonly SplitPair[]) => {
    const data = gridData(table, mixture, config, tokenizer, NANO_CONFIG);
    return (["roco_v2", "medpix2", "roco_medpix"] as const).map((name) =>
      data[name]!.validation.map(({ id }) => id)
    );
  };
  const isRoco = (id: string) => id.startsWith("roco_v2/");
  for (const table of [pairs, [...train, ...published], train]) {
    const [roco, medpix, both] = sets(table);
    assertEquals([roco, medpix], [both, both]);
    assertEquals(both.slice(0, 20).filter(isRoco).length, 10);
  }
  const [drawn] = sets([...train, ...published]);
  assertEquals([drawn.length, drawn.filter(isRoco).length], [192, 20]);
  assert(drawn.filter((id) => !isRoco(id)).join() !== published.slice(0, 172).map(({ id }) => id).join());
  // Where nothing is published, what is held out of training is held out of the mixture too.
  const data = gridData(train, mixture, config, tokenizer, NANO_CONFIG);
  const held = new Set(data.roco_v2!.validation.map(({ imageId }) => imageId));
  const used = Object.values(data).flatMap((own) => own?.batches.flat() ?? []);
  assert(used.length > 0 && used.every(({ imageId }) => !held.has(imageId)));
});

Deno.test("the annealed mixture is trained in the order of notebook 03", () => {
  const { batchSize } = config.stage2;
  const mixture = Array.from({ length: 2 * batchSize }, (_, i) => ({
    step: Math.floor(i / batchSize),
    position: i % batchSize,
    pairId: `${i % 3 ? "roco_v2" : "medpix2"}/train/${i}`,
  }));
  const { batches } = cellData("roco_medpix", pairs, mixture.toReversed(), config, tokenizer, NANO_CONFIG);
  assertEquals(batches.flat().map((example) => example.id), mixture.map((row) => row.pairId));
});

Deno.test("an end phase of the mixture takes the learning rate down; no other schedule or dataset does", () => {
  const { batchSize } = config.stage2;
  const mixture = Array.from({ length: 4 * batchSize }, (_, i) => ({
    step: Math.floor(i / batchSize),
    position: i % batchSize,
    pairId: `roco_v2/train/${i % 100}`,
  }));
  const scales = (dataset: "roco_medpix" | "medpix2", shape: typeof config.annealing.shape) => {
    const own = { ...config, annealing: { ...config.annealing, shape, endPhase: 0.5 } };
    const { learningRateScale } = cellData(dataset, pairs, mixture, own, tokenizer, NANO_CONFIG);
    return [0, 1, 2, 3].map((step) => learningRateScale?.(step) ?? 1);
  };
  assertEquals(scales("roco_medpix", "end-phase"), [1, 1, 1, 0.5]);
  assertEquals(scales("roco_medpix", "linear"), [1, 1, 1, 1]);
  assertEquals(scales("medpix2", "end-phase"), [1, 1, 1, 1]);
});

Deno.test("a mixture with an unknown pair and a dataset without pairs are refused by name", () => {
  const stray = [{ step: 0, position: 0, pairId: "roco_v2/train/999" }];
  assertThrows(
    () => cellData("roco_medpix", pairs, stray, config, tokenizer, NANO_CONFIG),
    Error,
    '"roco_v2/train/999"',
  );
  assertThrows(
    () => cellData("medpix2", [], [], config, tokenizer, NANO_CONFIG),
    Error,
    "no training pairs of medpix2",
  );
});
