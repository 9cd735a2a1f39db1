/** Figure 6's examples. */
import { assertEquals } from "@std/assert";
import {
  type CellAnswers,
  type GridItems,
  itemScores,
  scoreTable,
  type TestItems,
} from "@lib/evaluation/mod.ts";
import { answerExamples } from "@lib/figures/mod.ts";

Deno.test("an example is right where the table of scores says so", async () => {
  const item = (n: number, open: boolean) => ({
    ...{
      id: `q${n}`,
      imageId: `i${n}`,
      imagePath: "",
      dataset: "roco_v2",
      split: "test",
      question: "which side?",
    },
    ...{ answer: "left", choices: null, answerType: null, questionType: open ? "open" : `type ${n}` },
  });
  const items = { short: [item(1, false), item(2, false)], open: [item(3, true)] } as unknown as TestItems;
  const said = (n: number, answer: string) => ({ id: `q${n}`, run: 0, answer, seed: null, cut: false });
  const answers = {
    cell: { name: "roco_v2__base", testSet: "roco_v2" },
    ...{ short: [said(1, "Left."), said(2, "right")], open: [said(3, "left")], blank: [], shuffled: [] },
  } as unknown as CellAnswers;
  const rows = itemScores([answers], { roco_v2: items } as unknown as GridItems, []);
  const store = { size: 1, get: () => Promise.resolve(new Uint8Array(3)), fill: () => Promise.resolve() };
  const right = async (table: typeof rows) => {
    const shown = await answerExamples(items, [answers], scoreTable(table), store, 1);
    return Object.fromEntries(shown.map(({ answers: [{ answer, right }] }) => [answer, right]));
  };
  assertEquals(await right(rows), { "Left.": true, right: false, left: true });
  assertEquals(await right(rows.map((row) => ({ ...row, score: 0 }))), {
    "Left.": false,
    right: false,
    left: false,
  });
});
