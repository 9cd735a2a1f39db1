import { assertEquals } from "@std/assert";
import { lengthSpreads, summarize } from "../../lib/corpus/mod.ts";
import { wordCount } from "../../lib/corpus/statistics.ts";
import type { ImageFacts } from "../../lib/image/mod.ts";
import { record } from "./record.ts";

Deno.test("words are counted between white space, and none in what has none", () => {
  const texts = ["", "  \n", "mass", "  two\t words ", "a\u00a0b\u3000c", "图像中有什么?", "x-ray, 3 cm"];
  assertEquals(texts.map(wordCount), [0, 0, 1, 2, 3, 1, 3]);
});

const facts = (width: number, height: number) => ({ width, height } as ImageFacts);
const words = (n: number) => Array(n).fill("word").join("  ");

/** 21 questions of 0 to 20 words on three images in train, one caption in test. */
const corpus = {
  dataset: "vqa_rad" as const,
  records: [
    ...Array.from({ length: 21 }, (_, n) =>
      record(n, n === 0 ? 0 : n === 1 ? 1 : 2, {
        question: words(20 - n),
        answer: n < 20 ? "no" : "one two three four",
        answerType: n < 20 ? "closed" : "open",
        caseId: `case ${n % 4}`,
      })),
    record(30, 3, { split: "test", question: null, answer: null, answerType: null, caption: " left lung " }),
  ],
  facts: new Map([
    ["vqa_rad/0", facts(100, 900)],
    ["vqa_rad/1", facts(300, 200)],
    ["vqa_rad/2", facts(500, 400)],
    ["vqa_rad/3", facts(64, 48)],
    ["vqa_rad/of nobody", facts(1, 1)],
  ]),
};

Deno.test("a split's summary counts rows and images, and has medians with 5% and 95%", () => {
  assertEquals(summarize(corpus), [{
    dataset: "vqa_rad",
    split: "train",
    rows: 21,
    images: 3,
    cases: 4,
    closed: 20,
    open: 1,
    questionWords: "10 (1–19)",
    answerWords: "1 (1–1)",
    captionWords: null,
    medianSize: "300 × 400", // of images, not of rows; width and height each by itself
    smallestSize: "100 × 200",
    largestSize: "500 × 900",
  }, {
    dataset: "vqa_rad",
    split: "test",
    rows: 1,
    images: 1,
    cases: 0,
    closed: 0,
    open: 0,
    questionWords: null,
    answerWords: null,
    captionWords: "2 (2–2)",
    medianSize: "64 × 48",
    smallestSize: "64 × 48",
    largestSize: "64 × 48",
  }]);
});

Deno.test("a corpus whose images were not inspected has no sizes, and one without rows no summary", () => {
  const { dataset, records } = corpus;
  assertEquals(summarize({ dataset, records }).map((row) => row.medianSize), [null, null]);
  assertEquals([summarize, lengthSpreads].map((of) => of({ dataset, records: [] })), [[], []]);
});

Deno.test("spreads are five points of what a data set has, all splits together", () => {
  assertEquals(lengthSpreads(corpus).map(({ measure, unit, points }) => [measure, unit, points[2]]), [
    ["question", "words", 10],
    ["answer", "words", 1],
    ["caption", "words", 2],
    ["image width", "pixels", 200],
    ["image height", "pixels", 300],
  ]);
  assertEquals(lengthSpreads(corpus)[0].points, [1, 5, 10, 15, 19]);
});
