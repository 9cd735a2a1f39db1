import { assert, assertAlmostEquals, assertEquals, assertRejects } from "@std/assert";
import {
  accuracyOf,
  type CellAnswers,
  type EvaluationItem,
  type GridItems,
  judgeOpen,
  type JudgeVerdict,
  verdictScores,
} from "../../lib/evaluation/mod.ts";
import { EVALUATED_CELLS } from "../../lib/evaluation/cells.ts";
import { parseVerdict } from "../../lib/evaluation/judge.ts";
import { judgeAgreement } from "../../lib/evaluation/judge_cells.ts";
import { startReplayServer } from "../support/replay_server.ts";

const items: EvaluationItem[] = Array.from({ length: 8 }, (_, i) => ({
  id: `q${i}`,
  imageId: `image${i}`,
  question: "what is seen?",
  answer: i % 2 ? "pleural effusion" : "fracture of the left rib",
  choices: null,
  answerType: "open",
}));
const predictions = items.map((item, i) => ({
  id: item.id,
  run: 0,
  answer: i < 6 ? item.answer : "normal",
  seed: i,
  cut: false,
}));

const own: CellAnswers = {
  cell: EVALUATED_CELLS.find(({ name }) => name === "roco_v2__with")!,
  ...{ short: [], blank: [], shuffled: [], open: predictions },
};
const grid = { roco_v2: { short: [], open: items } } as unknown as GridItems;
/** The verdicts as scores. */
const scored = (verdicts: readonly JudgeVerdict[]) => verdictScores(verdicts, own, grid);

/** A judge that compares the two answers it is given; it never says anything readable about item 3. */
function startJudge() {
  let calls = 0;
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, async (request) => {
    calls++;
    const body = await request.json();
    const text: string = body.messages[1].content;
    const gold = text.match(/Reference answer: (.*)/)![1];
    const said = text.match(/Student's answer: (.*)/)![1];
    const content = calls === 4
      ? "I cannot say"
      : JSON.stringify({ reason: "compared", correct: gold === said });
    return Response.json({
      id: "x",
      object: "chat.completion",
      created: 0,
      model: "comparer",
      choices: [{ index: 0, message: { role: "assistant", content }, finish_reason: "stop" }],
      usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
    });
  });
  return { server, calls: () => calls, baseURL: `http://127.0.0.1:${server.addr.port}/v1` };
}

Deno.test("Each open answer is judged once; verdicts, accuracy and agreement follow, and a second run asks nothing", async () => {
  const judge = startJudge();
  const folder = await Deno.makeTempDir();
  try {
    const run = () =>
      judgeOpen(items, predictions, { baseURLs: [judge.baseURL], model: "comparer" }, {
        journalPath: `${folder}/judge.jsonl`,
        concurrency: 1,
        seed: 1,
      });
    const verdicts = await run();
    assertEquals(judge.calls(), 8);
    assertEquals(verdicts.map((v) => v.correct), [true, true, true, null, true, true, false, false]);
    assertEquals(verdicts[3].raw, "I cannot say");
    const { items: judged, accuracy, unread, byImage } = accuracyOf(scored(verdicts))!;
    assertEquals([judged, accuracy, unread], [8, 5 / 8, 1 / 8], "unread is wrong, and counted");
    assert(byImage.low < 5 / 8 && byImage.high > 5 / 8);
    const truth = new Map(items.map((item, i) => [`${item.id}#0`, i < 6]));
    assertAlmostEquals(judgeAgreement(scored(verdicts), truth).kappa.estimate, 5 / 7, 1e-12); // item 3 is unread
    assertEquals((await run()).map((v) => v.correct), verdicts.map((v) => v.correct));
    assertEquals(judge.calls(), 8);
  } finally {
    await judge.server.shutdown();
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("replies cut before a verdict are named and counted, and what the server refuses is kept", async () => {
  const replies = [
    { text: "<think> {The student", finishReason: "length" },
    { text: '{"correct": true, "reason": "sa', finishReason: "length" },
    "none",
  ];
  const server = startReplayServer((body, call) =>
    "temperature" in body
      ? Response.json({ error: { message: "no temperature", param: "temperature" } }, { status: 400 })
      : replies[call - 1]
  );
  const folder = await Deno.makeTempDir();
  const judge = { baseURLs: [server.baseURL], model: "m" };
  const options = { journalPath: `${folder}/judge.jsonl`, concurrency: 1, seed: 1 };
  const verdicts = await judgeOpen(items.slice(0, 3), predictions.slice(0, 3), judge, options);
  await server.stop();
  await Deno.remove(folder, { recursive: true });
  assertEquals(verdicts.map(({ correct, cut }) => [correct, cut]), [[null, true], [true, false], [
    null,
    false,
  ]]);
  assertEquals(verdicts.map(({ error }) => error), [
    "the reply was cut at the token limit before a verdict",
    null,
    "the reply holds no verdict",
  ]);
  assertEquals(verdicts[0].refused, ["temperature"]);
  const { accuracy, unread } = accuracyOf(scored(verdicts))!;
  assertEquals([accuracy, unread], [1 / 3, 2 / 3]);
});

Deno.test("an item that must stay on this machine is not judged elsewhere", async () => {
  const marked = items.map((item, i) => ({ ...item, noThirdParty: i === 5 }));
  const judge = { baseURLs: ["https://judge.example/v1"], model: "comparer" };
  const options = { journalPath: "/none/judge.jsonl", concurrency: 1, seed: 1 };
  await assertRejects(
    () => judgeOpen(marked, predictions, judge, options),
    Error,
    "1 of 8 requests carry rows",
  );
});

Deno.test("A verdict is found inside other text; anything else is none", () => {
  assertEquals(parseVerdict('Sure: {"reason":"same","correct":true}.'), { reason: "same", correct: true });
  assertEquals(parseVerdict('{"correct":"yes","reason":""}'), null);
  assertEquals(parseVerdict("correct"), null);
  assertEquals(parseVerdict('{"correct": true}'), { correct: true, reason: "" });
  assertEquals(parseVerdict('{"correct": false, "reason": "The student na'), { correct: false, reason: "" });
  assertEquals(parseVerdict('{"correct": fal'), null);
  assertEquals(parseVerdict('Braces {like these}. {"correct": false, "reason": "other side"}'), {
    correct: false,
    reason: "other side",
  });
  assertEquals(parseVerdict("{not json}"), null);
});
