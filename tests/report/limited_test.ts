/** What a limit may leave of an evaluation: nothing of a test set, one image, no training pair, no readable verdict. */
import { assert, assertEquals } from "@std/assert";
import {
  askableCells,
  type CellAnswers,
  itemScores,
  judgedCells,
  type JudgeVerdict,
  scoreTable,
  type TestItems,
  verdictScores,
  verdictShare,
} from "@lib/evaluation/mod.ts";
import { EVALUATED_CELLS } from "@lib/evaluation/cells.ts";
import {
  cellAccuracies,
  cellOverlaps,
  comparable,
  controlRows,
  medianImageGain,
  pairedRows,
  scorerRows,
} from "@lib/report/mod.ts";
import type { QaPair } from "@lib/synthesis/mod.ts";

const pair = (n: number) =>
  ({
    id: `${n}`,
    dataset: "roco_v2",
    split: "test",
    imageId: `${n >> 1}`,
    question: "what organ is it?",
    answer: n % 2 ? "liver" : "lung",
    choices: null,
    answerType: "open",
    questionType: "organ",
  }) as QaPair;
const none = (): TestItems => ({ short: [], open: [] });
const only = (short: QaPair[]) => ({
  slake: none(),
  pmc_vqa: none(),
  medpix2: none(),
  roco_v2: { short, open: [] },
});
const say = (items: readonly QaPair[], right: (i: number) => boolean) =>
  items.map(({ id, answer }, i) => ({
    id,
    run: 0,
    answer: right(i) ? answer : "heart",
    seed: 1,
    cut: false,
  }));
const answersOf = (name: string, items: readonly QaPair[], seen: boolean, exchanged = true): CellAnswers => ({
  cell: EVALUATED_CELLS.find((cell) => cell.name === name)!,
  short: say(items, (i) => i % 4 !== 0),
  blank: say(items, (i) => seen ? i % 4 === 1 : i % 4 !== 0),
  shuffled: exchanged ? say(items, (i) => seen ? i % 4 === 2 : i % 4 !== 0) : [],
  open: [],
});

Deno.test("systems without questions or adapter are left out by name", () => {
  const { cells, leftOut } = askableCells(only([pair(1)]), {
    "adapters/roco_v2__with/adapter_model.safetensors": {},
  });
  assertEquals(cells.map(({ name }) => name), ["roco_v2__base", "roco_v2__with"]);
  assertEquals(leftOut.length, EVALUATED_CELLS.length - 2);
  assertEquals(leftOut.find(({ cell }) => cell === "slake__base")?.why, "slake has no short test question");
  assert(leftOut.some(({ cell, why }) => cell === "roco_medpix__with" && why.includes("no adapter")));
});

Deno.test("one question about one image, and none at all, make every table without an error", () => {
  for (const short of [[pair(1)], []]) {
    const items = only(short);
    const answers = ["roco_v2__base", "roco_v2__with"].map((name) => answersOf(name, short, true, false));
    const cells = answers.map(({ cell }) => cell), scores = scoreTable(itemScores(answers, items, []));
    const rows = cellAccuracies(cells, scores);
    assertEquals(
      rows.map(({ shuffled, majority, overShuffled }) => [shuffled, majority, overShuffled]),
      short.length ? [[null, null, null], [null, null, null]] : [],
    );
    assertEquals(controlRows(rows).length, rows.length);
    assertEquals(pairedRows(cells, scores, comparable(cells)), []);
    assertEquals(cellOverlaps(answers, items, []), []);
    assertEquals(scorerRows(scores, ["roco_v2__with"]).length > 0, short.length > 0);
    assertEquals(medianImageGain(rows) === null, short.length === 0);
  }
});

Deno.test("a judge that gives no verdict calls nothing right, and its share of verdicts is 0", () => {
  const open = [pair(1)], verdict = { id: "1", run: 0, correct: null } as JudgeVerdict;
  const answers = { ...answersOf("roco_v2__with", [], true), open: say(open, () => true) };
  const items = { ...only([]), roco_v2: { short: [], open } };
  const rows = [...itemScores([answers], items, []), ...verdictScores([verdict], answers, items)];
  const [{ accuracy, exact }] = judgedCells(scoreTable(rows));
  assertEquals([accuracy.accuracy, accuracy.unread, exact.accuracy], [0, 1, 1]);
  assertEquals([
    verdictShare([]),
    verdictShare([[verdict]]),
    verdictShare([[verdict, { ...verdict, correct: true }]]),
  ], [0, 0, 0.5]);
});

Deno.test("what the right image brings lies above zero of a model that looks, and not of one that does not", () => {
  const short = Array.from({ length: 80 }, (_, n) => pair(n)), items = only(short);
  const gain = (name: string, seen: boolean) => {
    const answers = answersOf(name, short, seen);
    return medianImageGain(cellAccuracies([answers.cell], scoreTable(itemScores([answers], items, []))));
  };
  const [looks, not] = [true, false].map((seen) => gain("roco_v2__with", seen)!);
  assert(looks > 0.2 && not < 0, `${looks}, ${not}`);
  assertEquals(gain("roco_v2__base", true), null, "the base model is not trained");
});
