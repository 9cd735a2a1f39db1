/** Questions about known lesions, and pointing games whose outcome is known. */
import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import {
  ANSWER_MAPS,
  BASELINES,
  isAhead,
  lesionQuestions,
  pointingGains,
  pointingGames,
  shareRows,
  type StudiedQuestion,
} from "@lib/saliency/mod.ts";
import { mapsOfOthers } from "@lib/saliency/baselines.ts";
import { clusteredDifference } from "@lib/stats/mod.ts";

const question = (n: number, questionType: string) => ({
  ...{
    id: `q${n}`,
    dataset: n === 1 ? "own_ward" : "roco_v2", // the user's own have no ground truth
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
  assertEquals(lesionQuestions(pairs, new Map(), "corpora", ["type"], 9), []);
  const moved = pairs.map((pair) => ({ ...pair, imagePath: `elsewhere/${pair.imagePath}` }));
  assertThrows(
    () => lesionQuestions(moved, truth, "corpora", ["type"], 9),
    Error,
    "Expected the ground truth of elsewhere/images/2.png, found none",
  );
});

/** A question about 4 x 4 patches whose lesion is patch 0: rollout is on patch `found`, baselines on the last. */
function studied(n: number, type: string, found: number): StudiedQuestion {
  const on = (patch: number) => Float32Array.from({ length: 16 }, (_, p) => Number(p === patch));
  const mask = new Uint8Array(64);
  for (const pixel of [0, 1, 8, 9]) mask[pixel] = 1;
  const maps = Object.keys({ ...ANSWER_MAPS, ...BASELINES }).map((name) => [name, on(15)]);
  return {
    ...question(n, type),
    ...{ maskPath: "", said: "", answerIds: [], right: n % 2 === 0, mask, maskRows: 8, maskColumns: 8 },
    maps: { ...Object.fromEntries(maps), rollout: on(found), random: new Float32Array(16).fill(1) },
    shares: { image: n / 10, sinks: 0.1, rest: 0.9 - n / 10 },
  };
}
const all = [...Array(8).keys()].flatMap((n) => [studied(n, "type", 0), studied(n, "side", 15)]);

Deno.test("maps that are on the lesion win, maps beside it lose, chance is what the lesion covers", () => {
  const games = pointingGames(all, ["type", "organ", "side"]);
  assertEquals([...new Set(games.map((game) => game.question))], ["type", "side", "all"]);
  const of = (question: string, map: string) =>
    games.find((game) => game.question === question && game.map === map)!.pointing.estimate;
  assertEquals(["type", "side", "all"].map((type) => of(type, "rollout")), [1, 0, 0.5]);
  assertEquals(["type", "side", "all"].map((type) => of(type, "random")), [1 / 16, 1 / 16, 1 / 16]);
  assert(games.every(({ images }) => images === 8));
  assertEquals([pointingGames(all, ["organ"]), pointingGains([], ["type"]), shareRows(all, ["organ"])], [
    [],
    [],
    [],
  ]);
});

Deno.test("rollout is compared with every baseline and with its diagonal, by type and over all, with images as the unit", () => {
  const gains = pointingGains(all, ["type", "side"]);
  const baselines = [...Object.keys(BASELINES), "rollout, diagonal"];
  assertEquals(gains.map(({ question, baseline }) => [question, baseline]), [
    ...["type", "side", "all"].flatMap((type) => baselines.map((baseline) => [type, baseline])),
  ]);
  const of = (type: string, name: string) =>
    gains.find(({ question, baseline }) => question === type && baseline === name)!;
  assertEquals([of("type", "centre").difference.estimate, of("all", "centre").difference.estimate], [1, 0.5]);
  assertAlmostEquals(of("type", "random").other, 1 / 16, 1e-12);
  assertEquals([isAhead(of("type", "centre")), isAhead(of("side", "centre"))], [true, false]);
  // Both questions of an image count as one: the interval is that of eight differences of one half.
  const one = clusteredDifference(all.map((_, i) => i % 2 ? 0 : 1), all.map(({ imageId }) => imageId));
  assertEquals(of("all", "centre").difference, one);
});

Deno.test("maps of others leave an image's own out, and are even where there are no others", () => {
  const rollout = (patch: number) => Float32Array.from([0, 1, 2, 3], (p) => Number(p === patch) * 2);
  const placed = [["a", 0], ["b", 1], ["b", 2], ["c", 3]].map(([imageId, patch]) => ({
    ...{ imageId: String(imageId), questionType: "type", rollout: rollout(Number(patch)) },
  }));
  const others = mapsOfOthers(placed, 2);
  [[0, 1, 1, 1], [1, 0, 0, 1], [1, 0, 0, 1], [1, 1, 1, 0]].forEach((want, i) => {
    const n = want.reduce((a, b) => a + b);
    want.forEach((x, p) => assertAlmostEquals(others[i]["mean of other images"][p], x / n, 1e-6));
  });
  assertEquals(others.map((maps) => maps["another image"].indexOf(1)), [1, 3, 3, 0]);
  assertEquals([...mapsOfOthers(placed.slice(0, 1), 2)[0]["another image"]], [1, 1, 1, 1]);
});

Deno.test("shares of attention are means over the questions of a type", () => {
  const [row] = shareRows(all, ["side"]);
  assertEquals(Object.keys(row), [
    "question",
    "answers right",
    "image",
    "bos and newline",
    "question and answer",
  ]);
  [[row.image, 0.35], [row["bos and newline"], 0.1], [row["question and answer"], 0.55]]
    .forEach(([is, want]) => assertAlmostEquals(Number(is), Number(want)));
});
