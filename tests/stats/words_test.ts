/** What counts words: ROUGE beside rouge-score, and what is Chinese, yes or no. */
import { assertAlmostEquals, assertEquals } from "@std/assert";
import { hanCount, isChinese, rouge, spacedHan, yesOrNo } from "@lib/stats/mod.ts";

Deno.test("ROUGE-1, -2 and -L equal rouge-score on 1,000 pairs", async () => {
  const { pairs, rouge: scores }: { pairs: [string, string][]; rouge: [number, number, number][] } = JSON
    .parse(await Deno.readTextFile(new URL("../evaluation/fixtures/text.json", import.meta.url)));
  assertEquals([pairs.length, scores.length], [1000, 1000]);
  pairs.forEach(([prediction, reference], i) => {
    const ours = rouge(prediction, reference);
    assertAlmostEquals(ours.rouge1, scores[i][0], 1e-11);
    assertAlmostEquals(ours.rouge2, scores[i][1], 1e-11);
    assertAlmostEquals(ours.rougeL, scores[i][2], 1e-11);
  });
});

Deno.test("ROUGE of one word, and of nothing", () => {
  assertEquals(rouge("left", "left"), { rouge1: 1, rouge2: 0, rougeL: 1 });
  assertEquals(rouge("左", "左"), { rouge1: 1, rouge2: 0, rougeL: 1 });
  for (const [said, gold] of [["", ""], ["", "left"], ["left", "!"], ["left", "right"]]) {
    assertEquals(rouge(said, gold), { rouge1: 0, rouge2: 0, rougeL: 0 });
  }
});

Deno.test("a text is Chinese with as many Chinese characters as Latin words, or more", () => {
  const texts = ["图中有CT吗？", "肺 CT", "CT 肺 scan", "X光", "MRI", "2", ""];
  assertEquals(texts.map(isChinese), [true, true, false, true, false, false, false]);
  assertEquals(texts.map(hanCount), [4, 1, 1, 1, 0, 0, 0]);
  assertEquals(spacedHan("左肺 and CT").split(/\s+/).filter((word) => word), ["左", "肺", "and", "CT"]);
});

Deno.test("yes and no are told in both languages, whatever the case and the closing mark", () => {
  assertEquals(["Yes", " yes! ", "是的。", "可以"].map(yesOrNo), ["yes", "yes", "yes", "yes"]);
  assertEquals(["No.", "NO", "不是！", "没有"].map(yesOrNo), ["no", "no", "no", "no"]);
  assertEquals(["", "yes, on the left", "no..", "左肺"].map(yesOrNo), [null, null, null, null]);
});
