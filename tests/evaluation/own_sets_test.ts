/** Sets of the user's own: asked of their own models, in every table, and in no closing check. */
import { assert, assertEquals } from "@std/assert";
import { cellsToJudge, loadConfig } from "@lib/config/mod.ts";
import {
  askableCells,
  cellAccuracies,
  type CellAnswers,
  cellOverlaps,
  comparable,
  controlRows,
  gridItems,
  itemRows,
  medianImageGain,
  pairedRows,
  pictureDoubts,
  scorerRows,
  smallestGain,
  unaskedSets,
} from "@lib/evaluation/mod.ts";
import { table1, table1Bars, table4, table5 } from "@lib/figures/mod.ts";
import type { QaPair } from "@lib/synthesis/mod.ts";

const config = loadConfig({ LAB_SET: 'corpora.own=["ward","exam"]' });
const pairs = ["roco_v2", "own_ward", "own_exam"].flatMap((dataset) =>
  Array.from({ length: 24 }, (_, n) => ({
    ...{ id: `${dataset}/${n}`, dataset, split: "test", imageId: `${dataset}/${n >> 1}` },
    ...{ question: "what organ is it?", answer: n % 3 ? n % 2 ? "liver" : "lung" : "no lesion is seen here" },
    ...{ choices: null, answerType: "open", questionType: "organ" },
  } as QaPair))
);
const items = gridItems(pairs, config);
const file = (name: string) => `adapters/${name}/adapter_model.safetensors`;
const stages = ["without", "with"];
const trained = ["roco_v2", "roco_medpix", "own_ward"].flatMap((set) =>
  stages.map((stage) => file(`${set}__${stage}`))
);
const { cells, leftOut } = askableCells(items, Object.fromEntries(trained.map((name) => [name, {}])));

/** Right without the image, so that every gain over controls is zero, on the user's own; right with it on ROCO. */
const answers = cells.map((cell): CellAnswers => {
  const say = (list: readonly QaPair[], right: (i: number) => boolean) =>
    list.map(({ id, answer }, i) => ({ id, run: 0, answer: right(i) ? answer : "heart", seed: 1 }));
  const { short, open } = items[cell.testSet], looks = cell.testSet === "roco_v2";
  return {
    cell,
    short: say(short, () => cell.system !== "base"),
    blank: say(short, () => !looks && cell.system !== "base"),
    shuffled: say(short, () => !looks && cell.system !== "base"),
    open: say(open, () => true),
  };
});

Deno.test("own sets are asked of what was trained on them, or else of ROCO + MedPix, by name", () => {
  assertEquals(Object.keys(items), ["slake", "pmc_vqa", "roco_v2", "medpix2", "own_ward", "own_exam"]);
  const own = cells.filter(({ testSet }) => testSet.startsWith("own_"));
  assertEquals(own.map(({ name, adapter, stage1 }) => [name, adapter, stage1]), [
    ["own_ward__base", null, false],
    ["own_ward__without", "own_ward__without", false],
    ["own_ward__with", "own_ward__with", true],
    ["own_exam__base", null, false],
    ["own_exam__without", "roco_medpix__without", false],
    ["own_exam__with", "roco_medpix__with", true],
  ]);
  // One of two cells trained: its twin is not taken from elsewhere.
  const half = askableCells(items, { [file("own_ward__with")]: {}, [file("roco_medpix__without")]: {} });
  assert(
    half.leftOut.some(({ cell, why }) => cell === "own_ward__without" && why.includes("own_ward__without")),
  );
  assertEquals(leftOut.filter(({ cell }) => cell.startsWith("own_")), []);
  assertEquals(cellsToJudge(config).slice(3), ["own_ward__with", "own_exam__with"]);
});

Deno.test("every table and the bars have a row of each own set, without the paper's numbers", () => {
  assertEquals(itemRows(items).slice(4).map((row) => Object.values(row)), [
    ["own_ward", 16, 12, 2, 8],
    ["own_exam", 16, 12, 2, 8],
  ]);
  const accuracies = cellAccuracies(answers, items, pairs), comparisons = comparable(answers);
  assertEquals(comparisons.slice(-2), [
    ["own_ward__without", "own_ward__with"],
    ["own_exam__without", "own_exam__with"],
  ]);
  const rows = table1(accuracies, pairedRows(answers, items, comparisons)).slice(5);
  assertEquals(rows.map((row) => row.dataset), ["ward (your own)", "exam (your own; of ROCO + MedPix)"]);
  for (const row of rows) {
    assertEquals([row["paper without"], row["paper with"], String(row["difference (points)"]).slice(0, 4)], [
      null,
      null,
      "+0.0",
    ]);
    assert(String(row["ours with"]).startsWith("100.0%"));
  }
  assertEquals(
    table1Bars(accuracies).filter(({ group }) => group.startsWith("ward")).map(({ from }) => from),
    [
      "ours",
      "ours",
    ],
  );
  const overlap = table4(cellOverlaps(answers, items)).filter(({ dataset }) =>
    String(dataset).startsWith("own_")
  );
  assertEquals(overlap.map(({ answers }) => answers), [
    "ours, answer only (8 items)",
    "ours, question copied",
    "ours, answer only (8 items)",
    "ours, question copied",
  ]);
  assertEquals(table5(accuracies, {}).slice(4).map((row) => [row.dataset, row["LLaVA-Med (paper's)"]]), [
    ["ward (your own)", null],
    ["exam (your own; of ROCO + MedPix)", null],
  ]);
  assert(controlRows(accuracies).some(({ cell }) => cell === "own_exam__with"));
  assert(scorerRows(answers, items, ["own_ward__with"]).length > 0);
});

Deno.test("the closing checks are about the paper's test sets", () => {
  const accuracies = cellAccuracies(answers, items, pairs);
  assert(accuracies.some(({ testSet, overBlank }) => testSet === "own_ward" && overBlank.low < 0));
  assert(smallestGain(accuracies)! > 0.8 && medianImageGain(accuracies)! > 0.8);
  const none = { ...items, own_ward: { short: [], open: [] } };
  assertEquals(unaskedSets(none), ["slake", "pmc_vqa", "medpix2"]);
});

Deno.test("doubtful pictures are looked for in own sets too", async () => {
  const nothing = Object.fromEntries(Object.keys(items).map((set) => [set, { short: [], open: [] }]));
  const rows = await pictureDoubts(nothing as unknown as typeof items);
  assertEquals(rows.map(({ dataset }) => dataset), Object.keys(items));
});
