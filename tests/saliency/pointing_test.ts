/** Questions about known lesions, and pointing games whose outcome is known. */
import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import {
  ANSWER_MAPS,
  type AnswerMap,
  lesionQuestions,
  type PointingGame,
  pointingGames,
  pointingLead,
  shareRows,
  type StudiedQuestion,
} from "@lib/saliency/mod.ts";

const question = (n: number, questionType: string) => ({
  ...{
    id: `q${n}`,
    imageId: `i${n}`,
    imagePath: `images/${n}.png`,
    question: "which organ?",
    answer: "lung",
  },
  ...{ choices: null, questionType },
});

Deno.test("only images with a lesion are asked about, so many of each type, one type after the other", () => {
  const pairs = [1, 2, 3, 4, 5, 6].map((n) => question(n, n % 2 ? "organ" : "type"));
  const truth = new Map(
    pairs.slice(1).map(({ imagePath, id }) => [
      imagePath,
      { maskFile: id === "q4" ? null : `masks/${id}.png` },
    ]),
  );
  const asked = lesionQuestions(pairs, truth, "corpora", ["type", "organ", "side"], 1);
  assertEquals(asked.map(({ id, maskPath }) => [id, maskPath]), [
    ["q2", "corpora/masks/q2.png"],
    ["q3", "corpora/masks/q3.png"],
  ]);
  assertEquals(lesionQuestions(pairs, truth, "corpora", ["type", "organ"], 9).length, 4);
});

/** A question about 4 x 4 patches whose lesion is patch 0; its maps are all on patch `found`. */
function studied(n: number, type: string, found: number): StudiedQuestion {
  const map = new Float32Array(16);
  map[found] = 1;
  const mask = new Uint8Array(64);
  for (const pixel of [0, 1, 8, 9]) mask[pixel] = 1;
  const maps = Object.fromEntries(Object.keys(ANSWER_MAPS).map((name) => [name, map]));
  return {
    ...question(n, type),
    ...{ maskPath: "", said: "", right: n % 2 === 0, mask, maskRows: 8, maskColumns: 8 },
    maps: maps as Record<AnswerMap, Float32Array>,
    shares: { image: n / 10, sinks: 0.1, rest: 0.9 - n / 10 },
  };
}
const all = [0, 1, 2, 3].flatMap((n) => [studied(n, "type", 0), studied(n, "side", 15)]);

Deno.test("maps that are on the lesion win, maps beside it lose, chance is what the lesion covers", () => {
  const games = pointingGames(all, ["type", "side"]), names = Object.keys(ANSWER_MAPS);
  assertEquals(games.map(({ question, map }) => [question, map]), [
    ...[...names, "centre", "random"].map((map) => ["type", map]),
    ...[...names, "centre", "random"].map((map) => ["side", map]),
  ]);
  const estimates = (type: string) =>
    games.filter((game) => game.question === type).map((game) => game.pointing.estimate);
  assertEquals(estimates("type"), [...names.map(() => 1), 0, 1 / 16]);
  assertEquals(estimates("side"), [...names.map(() => 0), 0, 1 / 16]);
  assert(games.every(({ right, images }) => right === 0.5 && images === 4));
  assertEquals([pointingGames(all, ["organ"]), shareRows(all, ["organ"]), pointingGames([], ["type"])], [
    [],
    [],
    [],
  ]);
});

Deno.test("the lead is over the better baseline, between the near ends of the intervals", () => {
  const game = (map: string, low: number, high: number) =>
    ({ question: "type", map, pointing: { estimate: (low + high) / 2, low, high } }) as PointingGame;
  const games = [game("rollout", 0.6, 0.8), game("random", 0.1, 0.3), game("centre", 0, 0.5)];
  const { map, baseline, lead } = pointingLead(games, "rollout", "type")!;
  [[map, 0.7], [baseline, 0.25], [lead, 0.1]].forEach(([is, want]) => assertAlmostEquals(is, want));
  assertEquals(pointingLead(games, "rollout", "side"), null);
});

Deno.test("shares of attention are means over the questions of a type", () => {
  const [row] = shareRows(all, ["side"]);
  assertEquals(Object.keys(row), ["question", "image", "bos and newline", "question and answer"]);
  [[row.image, 0.15], [row["bos and newline"], 0.1], [row["question and answer"], 0.75]]
    .forEach(([is, want]) => assertAlmostEquals(Number(is), Number(want)));
});
