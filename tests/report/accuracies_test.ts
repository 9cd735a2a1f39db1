/** Accuracies with their controls, and systems compared item by item. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { type CellAnswers, itemScores, type Prediction, scoreTable } from "@lib/evaluation/mod.ts";
import { EVALUATED_CELLS } from "@lib/evaluation/cells.ts";
import { cellAccuracies, cellOverlaps, controlRows, pairedRows } from "@lib/report/mod.ts";
import type { QaPair } from "@lib/synthesis/mod.ts";

const pair = (n: number, more: Partial<QaPair> = {}) =>
  ({
    ...{ id: `${n}`, dataset: "roco_v2", split: "test", imageId: `${n}`, question: "what modality is it?" },
    ...{ answer: n % 2 ? "ct" : "mri", choices: null, answerType: "open", ...more },
  }) as QaPair;
const answered = (name: string, short: QaPair[], right: (i: number) => boolean): CellAnswers => {
  const say = (good: (i: number) => boolean): Prediction[] =>
    short.flatMap(({ id, answer }, i) =>
      [0, 1].map((run) => ({ id, run, answer: good(i) ? answer : "ultrasound", seed: 1, cut: false }))
    );
  const none = () => false, cell = EVALUATED_CELLS.find((cell) => cell.name === name)!;
  return { cell, short: say(right), blank: say(none), shuffled: say((i) => i < 10), open: [] };
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
  const cells = answers.map(({ cell }) => cell), scores = scoreTable(itemScores(answers, items, training));
  const [base, trained] = cellAccuracies(cells, scores);
  assertEquals([base.accuracy, base.overBase], [0.5, null]);
  assertEquals([trained.accuracy, trained.blank, trained.shuffled, trained.majority], [0.8, 0, 0.1, 0.5]);
  assertEquals([trained.questionOnly, trained.questionAndRegion], [0.5, null], "nothing tells the regions");
  const told = scoreTable(itemScores(answers, items, training, ({ answer }) => answer));
  const [, knowing] = cellAccuracies(cells, told);
  assertEquals([knowing.questionOnly, knowing.questionAndRegion], [0.5, 1]);
  assertEquals(controlRows([trained])[0]["question + region"], undefined);
  assertEquals(controlRows([knowing])[0]["question + region"], 1);
  assertEquals([trained.overBlank.estimate, trained.overShuffled?.estimate], [0.8, 0.7]);
  assert(Math.abs(trained.overBase!.estimate - 0.3) < 1e-9 && trained.overBase!.low > 0.2);
  const [row] = pairedRows(cells, scores, [["roco_v2__without", "roco_v2__with"]]);
  assert(Math.abs(row.estimate - 0.05) < 1e-9);
  // One question an image: as McNemar's exact test of 5 and 10, but for the draws.
  assert(Math.abs(row.pValue - 0.30175781) < 0.015, `${row.pValue}`);
  assert(row.detectable > 0.05);
  assertThrows(() => pairedRows(cells, scores, [["roco_v2__with", "nothing"]]), Error, '"nothing"');
  assertEquals(cellOverlaps(answers, items, training), [], "no open questions, no overlap");
});
