/** The paper's tables: which rows and columns they have, and that one line is about one set of questions. */
import { assert, assertEquals } from "@std/assert";
import {
  type CellAnswers,
  type GridItems,
  type GroupAccuracy,
  itemScores,
  judgedCells,
  type JudgeVerdict,
  scoreTable,
  verdictScores,
} from "@lib/evaluation/mod.ts";
import { EVALUATED_CELLS } from "@lib/evaluation/cells.ts";
import {
  answerTable,
  cellAccuracies,
  cellOverlaps,
  externalReport,
  judgedRows,
  pairedRows,
  table1,
  table2,
} from "@lib/report/mod.ts";
import { answerKey } from "@lib/evaluation/grading.ts";
import type { QaPair } from "@lib/synthesis/mod.ts";

const questions = (set: string, n: number, answer: string) =>
  Array.from({ length: n }, (_, i) => ({
    ...{ id: `${set}/${answer}/${i}`, dataset: set, split: "test", imageId: `${set}/${i}`, choices: null },
    ...{ question: "what is seen?", answer, answerType: "open", questionType: "organ" },
  } as QaPair));
const LONG = "a cyst in the left brain";
const test = (set: string, open: number) => ({
  short: questions(set, 20, "lung"),
  open: questions(set, open, LONG),
});
const items: GridItems = {
  ...{ slake: test("slake", 0), pmc_vqa: test("pmc_vqa", 0) },
  ...{ roco_v2: test("roco_v2", 10), medpix2: test("medpix2", 10) },
};
/** Right on most short questions in the first run, on fewer in the second; on six of ten open ones. */
const answers = EVALUATED_CELLS.map((cell): CellAnswers => {
  const { short, open } = items[cell.testSet], wrong = cell.system === "base" ? 12 : 4;
  const say = (list: readonly QaPair[], errors: number, runs: number) =>
    list.flatMap(({ id, answer }, i) =>
      Array.from({ length: runs }, (_, run) => (
        { id, run, answer: i < errors + run ? "none" : answer, seed: 1, cut: false }
      ))
    );
  return { cell, short: say(short, wrong, 2), blank: say(short, 20, 2), shuffled: [], open: say(open, 4, 1) };
});
const rows = itemScores(answers, items, []);
/** A judge that says of the `yes` first answers of ten that they are right, and nothing readable of the last. */
function judged(
  right: (i: number) => boolean,
  person: (own: CellAnswers) => Map<string, boolean> = () => new Map(),
) {
  const own = answers.find(({ cell }) => cell.name === "roco_v2__with")!;
  const verdicts = own.open.map(({ id, run }, i) => ({
    ...{ id, run, correct: i === 9 ? null : right(i), reason: "", raw: "", cut: false, error: null },
    ...{ refused: [], model: "judge", prompt: "judge" },
  }));
  return judgedCells(scoreTable([...rows, ...verdictScores(verdicts, own, items)]), person(own));
}
const scores = scoreTable(rows), accuracies = cellAccuracies(EVALUATED_CELLS, scores);
const overlaps = cellOverlaps(answers, items, []);

Deno.test("table 1 has the paper's four rows, the runs' standard deviation and LLaVA-Med's column", () => {
  const pairs = pairedRows(EVALUATED_CELLS, scores, [["slake__base", "slake__with"]]);
  const table = table1(accuracies, pairs);
  assertEquals(table.map((row) => row.dataset), ["SLAKE (closed)", "PMC-VQA", "ROCO", "ROCO + MedPix"]);
  assertEquals(table.map((row) => row["paper's LLaVA-Med"]), ["59.0%", null, "113/200", "113/200"]);
  // 16 and 15 of 20 in the two runs.
  assert(String(table[0]["ours with"]).startsWith("77.5% ± 3.5 ("), `${table[0]["ours with"]}`);
  assert(String(table[0]["difference (points)"]).startsWith("+40.0 ("));
});

Deno.test("tables 4 and 5 have the paper's datasets and measures", () => {
  const of = (stage: "without" | "with") => answerTable(stage, { accuracies, scores, overlaps, judged: [] });
  const names = (stage: "without" | "with") => [...new Set(of(stage).map((row) => row.dataset))];
  const both = ["MedPix 2.0", "ROCO", "ROCO + MedPix", "PMC-VQA"];
  assertEquals([names("without"), names("with")], [both, ["SLAKE (closed)", ...both]]);
  const theirs = (stage: "without" | "with") =>
    of(stage).filter((row) => String(row.answers).startsWith("paper's")).map((row) => row.accuracy);
  assertEquals(theirs("without"), ["34/200", "63/200", "71/200", null]);
  assertEquals(theirs("with"), ["79.0%", "33/200", "68/200", "74/200", "31.0%"]);
});

Deno.test("exact match, word overlap and judge of one line are about the same questions; unread is wrong", () => {
  const agrees = judged((i) => i >= 4);
  const table = answerTable("with", { accuracies, scores, overlaps, judged: agrees });
  const roco = table.find((row) => row.dataset === "ROCO" && row.answers === "ours, open questions")!;
  assertEquals([roco.items, roco["ROUGE-L"]], [10, 0.6]);
  assert(String(roco.accuracy).startsWith("60.0% ("), `${roco.accuracy}`);
  assert(String(roco.judge).startsWith("50.0% ("), `${roco.judge}`);
  const pmc = table.find((row) => row.dataset === "PMC-VQA" && row.answers === "ours, short questions")!;
  assertEquals([pmc.items, pmc["ROUGE-L"], pmc.judge], [20, null, null]);
});

Deno.test("where no answer equals its reference the judge's share stands, with the remark that nothing confirms it", () => {
  const none = judged((i) => i >= 4).map((row) => ({
    ...row,
    exact: { ...row.exact, accuracy: 0 },
    agreement: { ...row.agreement, kappa: { estimate: 0, low: 1e-16, high: 1e-16 } },
  }));
  const table = answerTable("with", { accuracies, scores, overlaps, judged: none });
  const roco = table.find((row) => row.dataset === "ROCO" && row.answers === "ours, open questions")!;
  assert(/^50\.0% \(.*unconfirmed: exact match says the same/.test(String(roco.judge)), `${roco.judge}`);
  assertEquals(judgedRows(none, "judge")[0].kappa, "not defined");
});

Deno.test("every location is in table 2, also the second one of a name that the paper gives once", () => {
  const group = (name: string, estimate: number) =>
    ({
      ...{ group: name, items: 4, images: 2, accuracy: estimate },
      byImage: { estimate, low: 0, high: 1 },
    }) as GroupAccuracy;
  const rows = table2([group("Chest, Pulmonary", 0.5), group("Chest, Heart", 0.25), group("Eye", 1)]);
  assertEquals(rows.map((row) => row.location).filter((name) => /Chest|Eye/.test(String(name))), [
    ...["Chest", "Chest, Heart", "Eye"],
  ]);
});

Deno.test("a judge whose agreement with exact match is no more than chance is not printed", () => {
  for (const worthless of [judged(() => true), judged((i) => i % 2 === 0)]) {
    const table = answerTable("with", { accuracies, scores, overlaps, judged: worthless });
    const roco = table.find((row) => row.dataset === "ROCO" && row.answers === "ours, open questions")!;
    assert(String(roco.judge).startsWith("no information (kappa "), `${roco.judge}`);
  }
});

const rocoJudge = (of: ReturnType<typeof judged>) =>
  String(
    answerTable("with", { accuracies, scores, overlaps, judged: of })
      .find((row) => row.dataset === "ROCO" && row.answers === "ours, open questions")!.judge,
  );
/** A person who says so of the i-th answer. */
const person = (right: (i: number) => boolean) => ({ cell: { name }, open }: CellAnswers) =>
  new Map(open.map(({ id, run }, i) => [answerKey({ cell: name, id, run }), right(i)]));

Deno.test("a believed judge is printed with its kappa", () => {
  assert(/^50\.0% \(.*\), kappa 0\.80 \(/.test(rocoJudge(judged((i) => i >= 4))));
});

Deno.test("a person's word goes before exact match, for and against the judge", () => {
  // Exact match: right from the fourth on. The judge says the contrary; a person agrees with it.
  const contrary = (i: number) => i < 4;
  assert(rocoJudge(judged(contrary)).startsWith("no information (kappa -"));
  const graded = rocoJudge(judged(contrary, person(contrary)));
  assert(/^40\.0% \(.*\), kappa 1\.00 \(.*\) with a person$/.test(graded), graded);
  const against = rocoJudge(judged((i) => i >= 4, person((i) => i % 2 === 0)));
  assert(/^no information \(kappa -?0\.\d\d with a person\)$/.test(against), against);
});

Deno.test("a judge that is worthless over all systems is printed for none of them", () => {
  // It agrees with exact match on the second system, and says the contrary of it on the first.
  const both = ["medpix2__with", "roco_v2__with"].map((name) =>
    answers.find(({ cell }) => cell.name === name)!
  );
  const verdicts = both.flatMap((own, k) =>
    verdictScores(
      own.open.map(({ id, run }, i) => ({ id, run, correct: (i >= 4) === (k === 1) } as JudgeVerdict)),
      own,
      items,
    )
  );
  const cells = judgedCells(scoreTable([...rows, ...verdicts]));
  assert(cells[1].agreement.kappa.low > 0.9, "on the second system alone it would be believed");
  assert(rocoJudge(cells).startsWith("no information (kappa "));
});

Deno.test("the report on another system gives no share of a worthless judge either", () => {
  const report = (of: ReturnType<typeof judged>) => {
    const system = { name: "other", cells: [], judge: "judge" };
    const text = externalReport(system, scores, { grid: scores, overlaps: [], judged: of });
    return text.split("## The judge")[1];
  };
  assert(report(judged((i) => i >= 4)).includes("0.5"));
  const worthless = report(judged((i) => i % 2 === 0));
  assert(worthless.includes("no information") && !worthless.includes("0.4"), worthless);
});
