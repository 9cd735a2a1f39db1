/** Rows that the evaluation notebook shows: what is counted, rounded, left out and refused. */
import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import {
  type CellAnswers,
  GRID_COMPARISONS,
  itemScores,
  judgedCells,
  type JudgeVerdict,
  scoreTable,
  type TestItems,
  verdictScores,
} from "@lib/evaluation/mod.ts";
import { EVALUATED_CELLS } from "@lib/evaluation/cells.ts";
import {
  type CellAccuracy,
  controlRows,
  differenceRows,
  groupColumns,
  groupRows,
  itemRows,
  judgedRows,
  meanBaseGain,
  type PairedRow,
  robustnessRows,
  scorerRows,
  smallestImageGain,
} from "@lib/report/mod.ts";

const item = (n: number, answer: string) =>
  ({
    ...{ id: `q${n}`, imageId: `image${n % 2}`, question: "what is seen?", answer },
    ...{ choices: null, answerType: "open" },
  }) as TestItems["short"][number];
const empty: TestItems = { short: [], open: [] };
const short = [item(0, "ct"), item(1, "mri"), item(2, "ct")];
const open = [10, 11, 12, 13].map((n) => item(n, "ct of the head with no lesion"));
const items = { slake: empty, pmc_vqa: empty, roco_v2: { short, open }, medpix2: empty };
const cell = EVALUATED_CELLS.find(({ name }) => name === "roco_v2__with")!;
const said = (list: TestItems["short"], words: (i: number) => string) =>
  list.map(({ id }, i) => ({ id, run: 0, answer: words(i), seed: 1, cut: false }));
const answers: CellAnswers[] = [{
  ...{ cell, blank: said(short, () => "mri"), shuffled: [], short: said(short, () => "ct") },
  open: said(open, (i) => i < 2 ? open[i].answer : "normal").reverse(),
}];
const interval = (low: number) => ({ estimate: low + 0.1, low, high: low + 0.2 });

Deno.test("Questions, images and different answers are counted for each test set", () => {
  const none = new Set<string>(), listed = new Set(["q0", "q1", "q10", "never asked"]);
  const records = { slake: none, pmc_vqa: none, roco_v2: listed, medpix2: none };
  const rows = itemRows(items, [...short, ...open].map((pair) => ({ id: `${pair.id}#template/1` })), records);
  assertEquals(rows.map(({ dataset }) => dataset), ["slake", "pmc_vqa", "roco_v2", "medpix2"]);
  assertEquals(Object.values(rows[2]), ["roco_v2", "roco_open", 4, 1, 3, 2, 2, 4]);
});

Deno.test("Systems stand beside each other by group of items, with how many items there are", () => {
  const table = scoreTable(itemScores(answers, items, []));
  const groupOf = ({ id }: { id: string }) => id === "q0" ? "seen" : id === "q1" ? "held out" : null;
  const rows = groupColumns(["roco_v2__with", "roco_v2__base"], table, ["seen", "held out", "none"], groupOf);
  assertEquals(rows.map(({ system }) => system), ["ROCOv2, with stage 1"]);
  assertEquals(Object.keys(rows[0]), ["system", "seen", "held out", "none"]);
  assert(/^100\.0% \(.*\) of 1$/.test(`${rows[0].seen}`) && /^0\.0% .* of 1$/.test(`${rows[0]["held out"]}`));
  assertEquals(rows[0].none, null);
});

Deno.test("Differences are percentage points, and a tiny p is no zero", () => {
  const row: PairedRow = {
    ...{ testSet: "roco_v2", first: "a", second: "b", items: 9, estimate: 0.12345, low: -0.01, high: 0.2 },
    ...{ pValue: 0.0001, detectable: 0.15 },
  };
  const [tiny, large, few] = differenceRows([
    row,
    { ...row, pValue: 0.5 },
    { ...row, pValue: 0.0042, detectable: Infinity },
  ]);
  assertEquals(Object.values(tiny), ["a", "b", 12.3, -1, 20, "< 0.001", 15]);
  assertEquals(large["p (Holm)"], "0.500");
  assertEquals([few["p (Holm)"], few["could detect"]], ["0.004", null]);
});

Deno.test("Systems without stage 1 are not among the controls; the smallest gain is of trained systems alone", () => {
  const system = (name: string, lows: number[] | null) =>
    ({
      ...{ cell: name, testSet: "roco_v2", system: name, blank: 0.4, overBlank: interval(lows?.[0] ?? -1) },
      ...{ overShuffled: interval(lows?.[1] ?? -1), overBase: lows && interval(lows[2]) },
    }) as CellAccuracy;
  const [base, ...trained] = [
    system("base", null),
    system("without stage 1", [0.3, 0.2, 0.15]),
    system("with stage 1", [0.3, 0.12, 0.4]),
  ];
  const rows = controlRows([base, ...trained]);
  assertEquals(rows.map((row) => [row.system, row.grey]), [["base", 0.4], ["with stage 1", 0.4]]);
  assertAlmostEquals(smallestImageGain([base, ...trained])!, 0.12);
  assertEquals(smallestImageGain([base]), null);
  assertAlmostEquals(meanBaseGain([base, ...trained, system("with stage 1", [0.3, 0.3, 0.2])])!, 0.25);
  assertEquals(meanBaseGain([base]), null);
});

Deno.test("Rules, readings and groups keep the name of what they belong to", () => {
  const rules = scorerRows(scoreTable(itemScores(answers, items, [])), ["roco_v2__with", "nothing"]);
  assertEquals(new Set(rules.map((row) => row.cell)), new Set(["roco_v2__with"]));
  assertAlmostEquals(rules.find(({ scorer }) => scorer === "exact")!.accuracy, 2 / 3);
  const [reading] = robustnessRows([
    { different: "fromFirst", penalty: "itemIsWrong", nonRobust: 3, accuracy: 0.5 },
  ]);
  assertEquals(reading.penalty, "a non-robust item scores zero");
  const bounds = { byImage: { estimate: 0.5, low: 0.25, high: 0.75 } };
  const groups = groupRows([{ group: "chest", items: 4, images: 2, accuracy: 0.5, ...bounds }], "region");
  assertEquals(groups, [{ region: "chest", items: 4, accuracy: 0.5, low: 0.25, high: 0.75 }]);
});

Deno.test("A judge is compared with exact match item by item, in whatever order answers came", () => {
  const verdict = ({ id }: { id: string }, i: number): JudgeVerdict => ({
    ...{ id, run: 0, correct: i === 3 ? null : i < 2, reason: "", raw: "", cut: false, error: null },
    ...{ refused: [], model: "comparer", prompt: "judge-2" },
  });
  const scores = [
    ...itemScores(answers, items, []),
    ...verdictScores(open.map(verdict), answers[0], items),
  ];
  const [judged] = judgedCells(scoreTable(scores));
  assertEquals([judged.exact.accuracy, judged.accuracy.accuracy, judged.accuracy.unread], [0.5, 0.5, 0.25]);
  assertEquals([judged.agreement.items, judged.agreement.kappa.estimate], [4, 1]);
  assertEquals(Object.values(judgedRows([judged], "comparer")[0]).slice(0, 7), [
    ...["ROCOv2, with stage 1", "comparer", 4, 0.5, 0.25, 0.5, "1.00"],
  ]);
});

Deno.test("Every compared system is one of the grid, and both of a pair answer the same questions", () => {
  const testSet = (name: string) => EVALUATED_CELLS.find((cell) => cell.name === name)!.testSet;
  assertEquals(GRID_COMPARISONS.length, 6);
  for (const [first, second] of GRID_COMPARISONS) assertEquals(testSet(first), testSet(second));
});
