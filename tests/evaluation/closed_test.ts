import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import {
  accuracyByGroup,
  accuracyOf,
  compare,
  differenceOf,
  type EvaluationItem,
  exact,
  type Prediction,
  robustAccuracies,
  type ScorerName,
  SCORERS,
  scorerTable,
  scoreTable,
} from "../../lib/evaluation/mod.ts";
import { normaliseVqa } from "../../lib/evaluation/normalise.ts";
import {
  majorityPredictions,
  questionOnlyPredictions,
  shuffledImages,
  typicalAnswer,
} from "../../lib/evaluation/controls.ts";
import { scoreAnswers } from "../../lib/evaluation/item_scores.ts";
import { medEvalKitChoice, vlmEvalKitChoice } from "../../lib/evaluation/reading_rules.ts";
import { isNonRobust } from "../../lib/evaluation/robustness.ts";
import {
  llavaMedClosed,
  medEvalKit,
  medVInT,
  optionLetter,
  vlmEvalKit,
  vqaSoftScore,
  yesNo,
} from "../../lib/evaluation/scorers.ts";

/** What the functions of MedVInT, MedEvalKit and VLMEvalKit themselves decide about these answers (make_answer_rules.py). */
interface Recorded {
  choices: {
    choices: string[];
    said: string;
    gold: number;
    vlmEvalKit: string | null;
    medEvalKit: boolean;
    medVInT: boolean;
  }[];
  yesNo: { said: string; answer: string; medEvalKit: boolean }[];
  other: { said: string; answer: string; closed: boolean; open: boolean }[];
}
const recorded: Recorded = JSON.parse(
  await Deno.readTextFile(new URL("./fixtures/answer_rules.json", import.meta.url)),
);

const choices = ["pneumonia", "a fracture", "pleural effusion", "no finding"];
const multiple = (prediction: string, answer = "pleural effusion") => ({
  prediction,
  answer,
  choices,
  answerType: "closed" as const,
});
const free = (prediction: string, answer: string, answerType: "closed" | "open" | null = "closed") => ({
  prediction,
  answer,
  choices: null,
  answerType,
});

Deno.test("Exact match forgives case, spaces and outer punctuation, nothing else", () => {
  assertEquals(exact(free(" Left  lung. ", "left lung")), 1);
  assertEquals(exact(free("the left lung", "left lung")), 0);
  assertEquals(exact(free("\u201cCrohn\u2019s\u201d", "crohn's")), 1);
  assertEquals(exact(free("T2\u2011weighted", "T2-weighted")), 1);
});

Deno.test("The yes/no rule wants exactly the right word and skips other questions", () => {
  assertEquals(yesNo(free("Yes, there is.", "yes")), 1);
  assertEquals(yesNo(free("not sure", "no")), 0);
  assertEquals(yesNo(free("yes or no", "yes")), 0);
  assertEquals(yesNo(free("left", "left")), null);
  for (
    const said of [
      "Yes, there is no pneumothorax",
      "**Yes** \u2013 no doubt".replaceAll("*", ""),
      "I say yes",
    ]
  ) {
    assertEquals([yesNo(free(said, "yes")), yesNo(free(said, "no"))], [1, 0], said);
  }
  for (const said of ["no or yes", "yes and no", "it says yes, it says no", "nothing", "eyes", ""]) {
    assertEquals([yesNo(free(said, "yes")), yesNo(free(said, "no"))], [0, 0], said);
  }
});

Deno.test("Option letters are read in their usual forms, and an article is no letter", () => {
  for (
    const said of [
      "c",
      "C",
      "(c)",
      "c) pleural effusion",
      "C: effusion",
      "The answer is c",
      "pleural effusion.",
      "C\nBecause fluid layers.",
      "**C**",
      "Answer: **C**",
      "I think (C)",
      "I think (C), yes (C)",
      "The correct answer is C because of the meniscus",
      "The answer is not B: the answer is (c).",
      "Option C",
      "final answer is option C.",
    ]
  ) {
    assertEquals(optionLetter(multiple(said)), 1, said);
  }
  for (
    const said of [
      "b",
      "a pleural effusion",
      "z",
      "",
      "answer: d",
      "(B) or (C)",
      "the answer is clear",
      "Choice is hard",
    ]
  ) {
    assertEquals(optionLetter(multiple(said)), 0, said);
  }
  assertEquals(optionLetter(multiple("c", "C")), 1);
  assertEquals(optionLetter(free("c", "c")), null);
});

Deno.test("An article or a pronoun after the announcement is no letter, a reason after it makes it one", () => {
  const said = (text: string) => optionLetter(multiple(text, "pneumonia"));
  assertEquals(said("The answer is a fracture"), 0);
  assertEquals(said("The answer is A fracture of the rib"), 0);
  assertEquals(said("The answer is A because of the shadow"), 1);
  assertEquals(said("The answer is A."), 1);
});

Deno.test("MedVInT's, MedEvalKit's and VLMEvalKit's rules decide as their own code did", () => {
  for (const row of recorded.choices) {
    const { choices, said, gold } = row, what = `${said} | ${choices}`;
    const letter = vlmEvalKitChoice(said, choices);
    assertEquals(letter, row.vlmEvalKit === null ? null : row.vlmEvalKit.charCodeAt(0) - 65, what);
    assertEquals(medEvalKitChoice(said, choices[gold], choices), row.medEvalKit, what);
    const input = { prediction: said, answer: choices[gold], choices, answerType: "closed" as const };
    assertEquals(medVInT(input), Number(row.medVInT), what);
    assertEquals(
      [medEvalKit(input), vlmEvalKit(input)],
      [Number(row.medEvalKit), Number(letter === gold)],
      what,
    );
  }
  for (const { said, answer, medEvalKit: expected } of recorded.yesNo) {
    assertEquals(medEvalKit(free(said, answer)), Number(expected), `${said} | ${answer}`);
  }
  for (const { said, answer, ...expected } of recorded.other) {
    for (const type of ["closed", "open"] as const) {
      assertEquals(
        medEvalKit(free(said, answer, type)),
        Number(expected[type]),
        `${said} | ${answer}, ${type}`,
      );
    }
  }
  assert(recorded.choices.length >= 100 && recorded.choices.some((row) => row.medVInT));
});

Deno.test("LLaVA-Med's closed rule takes substrings and drops wrong yes/no answers from its average", () => {
  assertEquals(llavaMedClosed(free("There is no effusion, yes", "yes")), 1);
  assertEquals(llavaMedClosed(free("Yes.", "no")), null);
  assertEquals(llavaMedClosed(free("maybe", "yes")), 0);
  for (const type of ["open", null] as const) assertEquals(llavaMedClosed(free("yes", "yes", type)), null);
  assertEquals(llavaMedClosed(free("unknown", "no")), 1); // "unknown" holds "no"
});

Deno.test("The VQA score counts the other annotators", () => {
  const ten = (n: number) => [...Array(n).fill("2"), ...Array(10 - n).fill("5")];
  assertAlmostEquals(vqaSoftScore("Two.", ten(10)), 1, 1e-12);
  assertAlmostEquals(vqaSoftScore("two", ten(3)), (7 * 1 + 3 * (2 / 3)) / 10, 1e-12);
  assertAlmostEquals(vqaSoftScore("two", ten(1)), (9 * (1 / 3) + 0) / 10, 1e-12);
  assertEquals(vqaSoftScore("two", ten(0)), 0);
});

Deno.test("VQA answer processing follows the challenge's script", () => {
  assertEquals(normaliseVqa("The left, upper lobe."), "left upper lobe");
  assertEquals(normaliseVqa("T1-weighted"), "t1 weighted");
  // A mark that stands beside a space once, on either side, is left out everywhere.
  assertEquals(normaliseVqa("T1-weighted- image"), "t1weighted image");
  assertEquals(normaliseVqa("T1-weighted -image"), "t1weighted image");
  assertEquals(normaliseVqa("1,200 mm"), "1200 mm");
  assertEquals(normaliseVqa("3.5 cm"), "3.5 cm");
  assertEquals(normaliseVqa("None"), "0");
});

const items: (EvaluationItem & { organ: string })[] = Array.from({ length: 12 }, (_, i) => ({
  id: `q${i}`,
  imageId: `image${i >> 1}`,
  question: i % 2 ? "is there a lesion?" : "which side?",
  answer: i % 2 ? "yes" : "left",
  choices: null,
  answerType: "closed" as const,
  organ: i < 8 ? "chest" : "brain",
}));

/** Item i answers rightly in its first `right(i)` of five runs. */
function fiveRuns(right: (i: number) => number): Prediction[] {
  return items.flatMap((item, i) =>
    [0, 1, 2, 3, 4].map((run) => ({
      id: item.id,
      run,
      answer: run < right(i) ? item.answer : `wrong ${run}`,
      seed: run,
      cut: i === 0,
    }))
  );
}

const of = { cell: "system", kind: "short" } as const;
const all = Object.keys(SCORERS) as ScorerName[];
const exactly = (predictions: Prediction[]) => scoreAnswers(items, predictions, of);
const said = (answer: string) => items.map(({ id }) => ({ id, run: 0, answer, seed: null, cut: false }));

Deno.test("Accuracy over five runs is the mean over runs with its spread, and counts answers that were cut", () => {
  const found = accuracyOf(exactly(fiveRuns((i) => (i < 6 ? 5 : 3))))!;
  assertAlmostEquals(found.accuracy, 0.8, 1e-12);
  assertAlmostEquals(found.std, Math.sqrt(0.3 / 4), 1e-12);
  assert(found.byImage.low < 0.8 && found.byImage.high > 0.8);
  assertEquals([found.items, found.images, found.leftOut, found.runs], [12, 6, 0, 5]);
  assertAlmostEquals(found.cut, 1 / 12, 1e-12);
});

Deno.test("Each reading of the robustness sentence gives its own number", () => {
  // Right 3 of 5: two other answers, so three distinct ones, and two that differ from the most frequent.
  const predictions = fiveRuns((i) => (i < 6 ? 5 : 3));
  const robust = robustAccuracies(predictions, exactly(predictions));
  const at = (different: string, penalty: string) =>
    robust.find((row) => row.different === different && row.penalty === penalty)!;
  assertEquals(robust.length, 9);
  assertEquals(at("distinct", "itemIsWrong").nonRobust, 6);
  assertAlmostEquals(at("distinct", "itemIsWrong").accuracy, 0.5, 1e-12);
  assertAlmostEquals(at("distinct", "itemMinusOne").accuracy, 0.3, 1e-12);
  assertAlmostEquals(at("distinct", "onePointOff").accuracy, 0.79, 1e-12);
  assertEquals(at("fromMajority", "itemIsWrong").nonRobust, 0);
  assertAlmostEquals(at("fromMajority", "onePointOff").accuracy, 0.8, 1e-12);
});

Deno.test("Non-robust: the three readings differ where they should", () => {
  const answers = ["a", "b", "b", "b", "a"];
  assertEquals(isNonRobust(answers, "distinct"), false);
  assertEquals(isNonRobust(answers, "fromMajority"), false);
  assertEquals(isNonRobust(answers, "fromFirst"), true);
  assertEquals(isNonRobust(["a", "a", "b", "b", "c"], "fromMajority"), true);
  assertEquals(isNonRobust(["Yes", "yes.", "yes", "YES", "yes"], "distinct"), false);
  assertEquals(isNonRobust(["yes"], "distinct"), false);
});

Deno.test("Missing, doubled and unknown predictions are refused by name", () => {
  const right = fiveRuns(() => 5);
  assertThrows(() => exactly(right.slice(1)), Error, 'lack item "q0" in run 0');
  assertThrows(() => exactly([...right, right[0]]), Error, "twice in run 0");
  assertThrows(() => scoreAnswers(items.slice(1), right, of), Error, "not among the items");
  assertThrows(() => exactly([]), Error, "every run must answer");
  assertEquals(scoreAnswers(items, right, of, ["vlmEvalKit"]), [], "no item has options");
  assertEquals([accuracyOf([]), scoreAnswers([], [], of)], [null, []]);
});

Deno.test("The same outputs score differently under different rules; what cannot be read is wrong and counted", () => {
  const table = (answer: string) =>
    scorerTable(scoreTable(scoreAnswers(items, said(answer), of, all)), "system");
  const row = (scorer: string) => table("yes").find((r) => r.scorer === scorer)!;
  assertEquals(row("exact").accuracy, 0.5);
  assertEquals([row("yesNo").accuracy, row("yesNo").leftOut, row("yesNo").unread], [1, 6, 0]);
  assertEquals([row("llavaMedClosed").accuracy, row("llavaMedClosed").leftOut], [1, 6]);
  assertEquals(table("yes").some((r) => r.scorer === "vlmEvalKit"), false);
  const unread = table("maybe").find((r) => r.scorer === "yesNo")!;
  assertEquals([unread.accuracy, unread.leftOut, unread.items], [0, 6, 6]);
  assertEquals([unread.unread, row("exact").unread], [1, null]);
});

Deno.test("Organs are scored apart with their intervals", () => {
  const organ = new Map(items.map((item) => [item.id, item.organ]));
  const groups = accuracyByGroup(exactly(fiveRuns((i) => (i < 8 ? 5 : 0))), ({ id }) => organ.get(id));
  assertEquals(groups.map((g) => [g.group, g.items, g.images, g.accuracy]), [["chest", 8, 4, 1], [
    "brain",
    4,
    2,
    0,
  ]]);
  assert(groups[0].byImage.low < 0.7);
  assertEquals(accuracyByGroup(exactly(fiveRuns(() => 5)), () => null), []);
});

Deno.test("Controls: majority, question only, and images that are never an item's own", () => {
  const training = [
    { question: "which side?", answer: "left" },
    { question: "which side?", answer: "Left" },
    { question: "Is there a lesion", answer: "yes" },
  ];
  assertEquals(new Set(majorityPredictions(training, items).map((p) => p.answer)), new Set(["left"]));
  const onlyQuestion = questionOnlyPredictions(training, items);
  assertEquals(onlyQuestion.slice(0, 2).map((p) => p.answer), ["left", "yes"]);
  const imageOf = new Map(items.map((item) => [item.id, item.imageId]));
  const shown = shuffledImages(items, 4)!;
  assertEquals(new Set(shown.values()).size, items.length);
  for (const [id, other] of shown) assert(imageOf.get(id) !== imageOf.get(other));
  assertEquals(shuffledImages(items.slice(0, 3), 0), null, "one image has over half");
});

Deno.test("Question only keeps to an item's options, and counts within the region where that is given away", () => {
  const asked = (answer: string, imageId: string, choices: string[] | null = null) => (
    { id: imageId, imageId, question: "Which organ?", answer, choices, answerType: null }
  );
  const said = ["lung", "lung", "lung", "liver", "liver", "brain"];
  const training = said.map((answer) => asked(answer, answer === "lung" ? "chest" : "other"));
  const from = (choices: string[] | null, groupOf?: (item: { imageId: string }) => string, image = "other") =>
    questionOnlyPredictions(training, [asked("brain", image, choices)], groupOf)[0].answer;
  assertEquals(from(null), "lung");
  assertEquals(from(["Kidney", "Liver", "brain"]), "liver", "the most frequent of the options");
  assertEquals(from(["kidney", "heart"]), "lung", "no option ever was an answer");
  const byImage = ({ imageId }: { imageId: string }) => imageId;
  assertEquals(from(null, byImage), "liver");
  assertEquals(from(["lung", "brain"], byImage), "brain", "the region's options first");
  assertEquals(from(["lung", "heart"], byImage), "lung", "then those of all");
  assertEquals(from(null, byImage, "head"), "lung", "a region that training has not seen");
});

Deno.test("The typical answer is the one most like the others", () => {
  const answers = [
    "ct of the head",
    "mri of the abdomen with a cyst",
    "ct of the head with a cyst",
    "no lesion",
  ];
  assertEquals(typicalAnswer(answers), "ct of the head with a cyst");
  assertEquals(typicalAnswer([]), null);
  const many = [...Array(900).fill("a b c"), ...Array(100).fill("x")];
  assertEquals(typicalAnswer(many), "a b c");
  assertEquals(typicalAnswer(many.toReversed()), "a b c", "taken evenly, not from the beginning");
});

Deno.test("Systems are compared item by item, and only on the same items", () => {
  const ours = exactly(fiveRuns(() => 5)), left = exactly(said("left"));
  const found = compare(ours, left);
  assertEquals([found.estimate, found.items], [-0.5, 12]);
  assertAlmostEquals(found.pValue, 2 * 0.5 ** 6, 1e-12);
  assert(found.low < -0.5 && found.high < 0 && found.detectable > 0.2);
  assertEquals(differenceOf(ours, left), { estimate: found.estimate, low: found.low, high: found.high });
  assertThrows(() => compare(ours.slice(5), left), Error, "found 11 of system and 12 of system, q0 only");
  assertThrows(() => compare(left, ours.slice(5)), Error, "found 12 of system and 11 of system.");
  assertThrows(
    () => compare(left.slice(1), left.slice(0, -1)),
    Error,
    "found 11 of system and 11 of system, q0 only",
  );
});
