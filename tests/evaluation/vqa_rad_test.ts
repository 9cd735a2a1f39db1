import { assert, assertEquals } from "@std/assert";
import { rng, shuffle } from "../../lib/config/mod.ts";
import { loadVqaRad } from "../../lib/corpus/mod.ts";
import { type ScorerName, SCORERS, scorerTable, scoreTable } from "../../lib/evaluation/mod.ts";
import { questionOnlyPredictions } from "../../lib/evaluation/controls.ts";
import { scoreAnswers } from "../../lib/evaluation/item_scores.ts";

Deno.test({
  name:
    "On real closed questions, answers given without the image are near chance by exact match and perfect by LLaVA-Med's script [needs LAB_DATA]",
  ignore: !Deno.env.get("LAB_DATA"),
  async fn() {
    const { records } = await loadVqaRad(`${Deno.env.get("LAB_DATA")}/vqa-rad-train`);
    const items = records.flatMap((record) =>
      record.answerType === "closed" && record.question !== null && record.answer !== null
        ? [{ ...record, question: record.question, answer: record.answer }]
        : []
    );
    const images = shuffle([...new Set(items.map((item) => item.imageId))], rng(1));
    const known = new Set(images.slice(0, images.length >> 1));
    const training = items.filter((item) => known.has(item.imageId));
    const test = items.filter((item) => !known.has(item.imageId));
    const said = questionOnlyPredictions(training, test), of = { cell: "none", kind: "short" } as const;
    const scores = scoreAnswers(test, said, of, Object.keys(SCORERS) as ScorerName[]);
    const rows = scorerTable(scoreTable(scores), "none");
    const row = (scorer: string) => rows.find((r) => r.scorer === scorer)!;
    assert(row("exact").accuracy > 0.3 && row("exact").accuracy < 0.6);
    assertEquals(row("llavaMedClosed").accuracy, 1);
    assert(row("llavaMedClosed").leftOut > test.length / 3);
  },
});
