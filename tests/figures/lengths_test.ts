import { assertEquals, assertStringIncludes } from "@std/assert";
import { lengthsFigure } from "../../lib/figures/mod.ts";

Deno.test("a box plot has a panel a measure that is there, a box a data set, and says what its lines are", () => {
  const { data, layout } = lengthsFigure([
    { dataset: "slake", measure: "question", unit: "words", points: [4, 6, 7, 9, 13] },
    { dataset: "slake", measure: "image width", unit: "pixels", points: [200, 300, 400, 500, 600] },
    { dataset: "roco_v2", measure: "image width", unit: "pixels", points: [100, 110, 120, 130, 140] },
  ], { title: "Lengths", provenance: "made-up numbers of a test" });
  const boxes = data.map((
    box,
  ) => [box.y, box.xaxis, box.lowerfence, box.q1, box.median, box.q3, box.upperfence]);
  assertEquals(boxes, [
    [["slake"], "x", [4], [6], [7], [9], [13]],
    [["slake"], "x2", [200], [300], [400], [500], [600]],
    [["roco_v2"], "x2", [100], [110], [120], [130], [140]],
  ]);
  const axes = layout as Record<string, { title?: { text: string }; range: number[] }>;
  assertEquals([axes.xaxis, axes.xaxis2].map(({ title }) => title!.text), ["words", "pixels"]);
  assertEquals([axes.xaxis2.range[1] > 600, axes.xaxis3], [true, undefined]);
  const words = JSON.stringify(layout.annotations);
  for (const text of ["<b>question</b>", "<b>image width</b>", "whiskers: 5% to 95%"]) {
    assertStringIncludes(words, text);
  }
});
