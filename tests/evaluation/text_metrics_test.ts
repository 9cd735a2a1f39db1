import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { type EvaluationItem, overlapTable } from "../../lib/evaluation/mod.ts";
import { tokenF1, tokenRecall } from "../../lib/evaluation/scorers.ts";
import { bleu, tokenize13a } from "../../lib/evaluation/bleu.ts";
import { sequenceRatio } from "../../lib/evaluation/sequence_matcher.ts";

const fixture: {
  pairs: [string, string][];
  sentence_bleu: number[];
  corpus_bleu: number[];
  f1: [number, number][];
  ratios: [string, string, number][];
} = JSON.parse(Deno.readTextFileSync(new URL("./fixtures/text.json", import.meta.url)));

Deno.test("BLEU equals sacrebleu on every long enough pair alone and on four sets of pairs", () => {
  // sacrebleu's sentence score takes fewer orders where a prediction has less than four words; else it is the corpus score
  const long = fixture.pairs.flatMap(([prediction, reference], i) =>
    tokenize13a(prediction).length < 4 ? [] : [{ prediction, reference, score: fixture.sentence_bleu[i] }]
  );
  assert(long.length > 800, `${long.length}`);
  for (const { prediction, reference, score } of long) {
    assertAlmostEquals(bleu([prediction], [reference]), score, 1e-9);
  }
  const { pairs } = fixture;
  const short = pairs.filter(([p]) => p.split(/\s+/).filter((word) => word !== "").length < 3);
  [pairs, pairs.slice(0, 7), pairs.slice(100, 300), short].forEach((part, i) =>
    assertAlmostEquals(bleu(part.map((p) => p[0]), part.map((p) => p[1])), fixture.corpus_bleu[i], 1e-9)
  );
});

Deno.test("Token F1 and recall equal SQuAD's on 1,000 pairs", () => {
  fixture.pairs.forEach(([prediction, answer], i) => {
    const input = { prediction, answer, choices: null, answerType: null };
    assertAlmostEquals(tokenF1(input)!, fixture.f1[i][0], 1e-12);
    assertAlmostEquals(tokenRecall(input)!, fixture.f1[i][1], 1e-12);
  });
});

Deno.test("The similarity of strings equals Python's difflib, long strings with frequent characters included", () => {
  assert(fixture.ratios.some(([, b]) => b.length >= 200));
  for (const [a, b, ratio] of fixture.ratios) assertAlmostEquals(sequenceRatio(a, b), ratio, 1e-12);
  assertEquals([sequenceRatio("", ""), sequenceRatio("a", ""), sequenceRatio("", "a")], [1, 0, 0]);
});

const items: EvaluationItem[] = [0, 1, 2, 3].map((i) => ({
  id: `q${i}`,
  imageId: `image${i}`,
  question: `what is seen in the left lobe number ${i}?`,
  answer: `a mass is seen in the left lobe number ${i}`,
  choices: null,
  answerType: "open",
}));

Deno.test("Copying a question that leaks its answer scores, and is shown beside the system", () => {
  const rows = overlapTable(
    items,
    items.map(({ id }) => ({ id, run: 0, answer: "a cyst", seed: 1, cut: false })),
  );
  assertEquals(rows.map((row) => row.answers), ["system", "copy of the question"]);
  assert(rows[1].rouge1 > 0.7 && rows[0].rouge1 < 0.3);
  const said = items.map(({ id }) => ({ id, run: 0, answer: "a cyst", seed: 1, cut: false }));
  const [, , typical] = overlapTable(items, said, [
    "no finding",
    "a mass is seen in the left lobe",
    "a mass is seen",
  ]);
  assertEquals(typical.answers, "typical training answer");
  assert(typical.rougeL > 0.6 && typical.rougeL < 1);
});

Deno.test("Answers that begin with their question are refused", () => {
  const withPrompt = items.map(({ id, question }) => ({
    id,
    run: 0,
    answer: `answer en ${question}\na cyst`,
    seed: 1,
    cut: false,
  }));
  assertThrows(() => overlapTable(items, withPrompt), Error, "without the prompt");
});

Deno.test("BLEU's words end where Python's split ends them: at U+001C and U+0085, not at U+FEFF", () => {
  assertEquals(tokenize13a("left\u001clung\u0085lesion"), ["left", "lung", "lesion"]);
  assertEquals(tokenize13a("left\ufefflung "), ["left\ufefflung"]);
  assertEquals(tokenize13a("left\u00a0lung\u2028lesion\u001f"), ["left", "lung", "lesion"]);
});
