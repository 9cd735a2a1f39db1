/** Sets of the user's own: asked of their own models, in every table, and in no closing check. */
import { assert, assertEquals } from "@std/assert";
import { cellsToJudge, loadConfig } from "@lib/config/mod.ts";
import {
  askableCells,
  type CellAnswers,
  gridItems,
  itemScores,
  pictureDoubts,
  scoreTable,
} from "@lib/evaluation/mod.ts";
import {
  answerTable,
  cellAccuracies,
  cellOverlaps,
  comparable,
  controlRows,
  itemRows,
  medianImageGain,
  pairedRows,
  scorerRows,
  smallestImageGain,
  table1,
  table1Bars,
  unaskedSets,
} from "@lib/report/mod.ts";
import type { QaPair } from "@lib/synthesis/mod.ts";

const config = loadConfig({ LAB_SET: 'corpora.own=["ward","exam"]' });
const pairs = ["roco_v2", "own_ward", "own_exam"].flatMap((dataset) =>
  Array.from({ length: 24 }, (_, n) => ({
    ...{ id: `${dataset}/test/${n}`, dataset, split: "test", imageId: `${dataset}/${n >> 1}` },
    ...{ question: "what organ is it?", answer: n % 3 ? n % 2 ? "liver" : "lung" : "no lesion is seen here" },
    ...{ choices: null, answerType: "open", questionType: "organ" },
  } as QaPair))
);
const none = new Set<string>(), listed = new Set(pairs.map(({ id }) => id));
const records = { slake: none, pmc_vqa: none, roco_v2: listed, medpix2: none };
const items = gridItems(pairs, records, config);
const file = (name: string) => `adapters/${name}/adapter_model.safetensors`;
const stages = ["without", "with"];
const trained = ["roco_v2", "roco_medpix", "own_ward"].flatMap((set) =>
  stages.map((stage) => file(`${set}__${stage}`))
);
const { cells, leftOut } = askableCells(items, Object.fromEntries(trained.map((name) => [name, {}])));

/** Right without the image, so that every gain over controls is zero, on the user's own; right with it on ROCO. */
const answers = cells.map((cell): CellAnswers => {
  const say = (list: readonly QaPair[], right: (i: number) => boolean) =>
    list.map(({ id, answer }, i) => ({
      id,
      run: 0,
      answer: right(i) ? answer : "heart",
      seed: 1,
      cut: false,
    }));
  const { short, open } = items[cell.testSet], looks = cell.testSet === "roco_v2";
  return {
    cell,
    short: say(short, () => cell.system !== "base"),
    blank: say(short, () => !looks && cell.system !== "base"),
    shuffled: say(short, () => !looks && cell.system !== "base"),
    open: say(open, () => true),
  };
});

const scores = scoreTable(itemScores(answers, items, pairs));

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
  assertEquals(itemRows(items, pairs, records).slice(4).map((row) => Object.values(row)), [
    ["own_ward", null, null, null, 16, 12, 2, 8],
    ["own_exam", null, null, null, 16, 12, 2, 8],
  ]);
  const accuracies = cellAccuracies(cells, scores), comparisons = comparable(cells);
  assertEquals(comparisons.slice(-2), [
    ["own_ward__without", "own_ward__with"],
    ["own_exam__without", "own_exam__with"],
  ]);
  const rows = table1(accuracies, pairedRows(cells, scores, comparisons)).slice(4);
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
  const overlaps = cellOverlaps(answers, items, []);
  for (const stage of ["without", "with"] as const) {
    const own = answerTable(stage, { accuracies, scores, overlaps, judged: [] })
      .filter(({ dataset }) => String(dataset).includes("your own"));
    assertEquals(own.map((row) => [row.dataset, row.answers, row.items]), [
      ["ward (your own)", "ours, open questions", 8],
      ["ward (your own)", "question copied", 8],
      ["exam (your own; of ROCO + MedPix)", "ours, open questions", 8],
      ["exam (your own; of ROCO + MedPix)", "question copied", 8],
    ]);
  }
  assert(controlRows(accuracies).some(({ system }) => system === "exam, with stage 1"));
  assert(scorerRows(scores, ["own_ward__with"]).length > 0);
});

Deno.test("the closing checks are about the paper's test sets", () => {
  const accuracies = cellAccuracies(cells, scores);
  assert(accuracies.some(({ testSet, overBlank }) => testSet === "own_ward" && overBlank.low < 0));
  assert(smallestImageGain(accuracies)! > 0.8 && medianImageGain(accuracies)! > 0.8);
  assertEquals(unaskedSets({ ...items, own_ward: { short: [], open: [] } }), ["slake", "pmc_vqa", "medpix2"]);
});

Deno.test("doubtful pictures are looked for in own sets too", async () => {
  const nothing = Object.fromEntries(Object.keys(items).map((set) => [set, { short: [], open: [] }]));
  const rows = await pictureDoubts(nothing as unknown as typeof items);
  assertEquals(rows.map(({ dataset }) => dataset), Object.keys(items));
});
