/** The tables about systems that know nothing: no gain, no difference, and no check that holds. */
import { assert } from "@std/assert";
import { loadConfig, rng } from "@lib/config/mod.ts";
import { type CellAnswers, type GridItems, itemScores, scoreTable, TEST_SETS } from "@lib/evaluation/mod.ts";
import { EVALUATED_CELLS } from "@lib/evaluation/cells.ts";
import {
  cellAccuracies,
  comparable,
  meanBaseGain,
  medianImageGain,
  pairedRows,
  smallestImageGain,
} from "@lib/report/mod.ts";
import type { QaPair } from "@lib/synthesis/mod.ts";

const IMAGES = 30, PER_IMAGE = 2, RUNS = 2, WORDS = ["left", "right", "lung"];

/** Questions whose answers are drawn at random. */
const questions = (testSet: string, random: () => number) =>
  Array.from({ length: IMAGES * PER_IMAGE }, (_, i) => ({
    ...{ id: `${testSet}/${i}`, imageId: `${testSet}/${i >> 1}`, question: "what is it?", choices: null },
    ...{ answer: WORDS[Math.floor(random() * WORDS.length)], answerType: "open", dataset: testSet },
  } as QaPair));

/** Guesses, those about one image alike, whatever image is shown. */
function guess(list: readonly QaPair[], random: () => number) {
  const ofImage = new Map(list.map(({ imageId }) => [imageId, Math.floor(random() * 3)]));
  return list.flatMap(({ id, imageId }) =>
    Array.from({ length: RUNS }, (_, run) => {
      const word = random() < 0.5 ? ofImage.get(imageId)! : Math.floor(random() * 3);
      return { id, run, answer: WORDS[word], seed: 1, cut: false };
    })
  );
}

Deno.test("of systems that know nothing nothing is claimed, over many draws", () => {
  const { medianGain, controlGain, baseGain } = loadConfig({}).checks;
  let [gains, claimed, families, differences] = [0, 0, 0, 0];
  const DRAWS = 24;
  for (let draw = 0; draw < DRAWS; draw++) {
    const random = rng(`null/${draw}`);
    const items = Object.fromEntries(
      TEST_SETS.map((set) => [set, { short: questions(set, random), open: [] }]),
    ) as unknown as GridItems;
    const answers = EVALUATED_CELLS.map((cell): CellAnswers => {
      const { short } = items[cell.testSet], say = () => guess(short, random);
      return { cell, short: say(), blank: say(), shuffled: say(), open: [] };
    });
    const scores = scoreTable(itemScores(answers, items, []));
    const accuracies = cellAccuracies(EVALUATED_CELLS, scores);
    for (const { overBlank, overShuffled, overBase } of accuracies) {
      for (const gain of [overBlank, overShuffled, overBase]) {
        if (!gain) continue;
        gains++;
        if (gain.low > 0) claimed++;
      }
    }
    families++;
    if (
      pairedRows(EVALUATED_CELLS, scores, comparable(EVALUATED_CELLS)).some(({ pValue }) => pValue < 0.05)
    ) differences++;
    assert(medianImageGain(accuracies)! < medianGain && medianImageGain(accuracies)! < 0);
    assert(smallestImageGain(accuracies)! < controlGain! && smallestImageGain(accuracies)! < 0);
    assert(meanBaseGain(accuracies)! < baseGain! && meanBaseGain(accuracies)! < 0);
  }
  assert(claimed / gains < 0.04, `${claimed} of ${gains} gains lie above zero`);
  assert(differences / families < 0.2, `${differences} of ${families} grids hold a difference`);
});

Deno.test("a system that answers the same whatever it is shown gains nothing, not even zero", () => {
  const random = rng("same"), short = questions("roco_v2", random);
  const none = { short: [], open: [] };
  const items = { slake: none, pmc_vqa: none, medpix2: none, roco_v2: { short, open: [] } };
  const same = guess(short, random);
  const answers = ["roco_v2__base", "roco_v2__with"].map((name): CellAnswers => ({
    cell: EVALUATED_CELLS.find((cell) => cell.name === name)!,
    ...{ short: same, blank: same, shuffled: same, open: [] },
  }));
  const cells = answers.map(({ cell }) => cell);
  const accuracies = cellAccuracies(cells, scoreTable(itemScores(answers, items, [])));
  // Thresholds of published data are 0: a dead model must not reach them.
  assert(
    medianImageGain(accuracies)! < 0 && smallestImageGain(accuracies)! < 0 && meanBaseGain(accuracies)! < 0,
  );
});
