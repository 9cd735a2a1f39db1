import { assert, assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import { join } from "@std/path";
import sharp from "sharp";
import {
  askServer,
  overlapTable,
  questionLines,
  readPredictions,
  scoreTable,
  sortPredictions,
  systemScores,
  withOtherImages,
} from "../../lib/evaluation/mod.ts";
import { visionPrompt } from "../../lib/evaluation/external.ts";
import type { QaPair } from "../../lib/synthesis/mod.ts";
import { externalReport } from "../../lib/report/mod.ts";

const dir = await Deno.makeTempDir({ prefix: "external-" });
globalThis.addEventListener("unload", () => Deno.removeSync(dir, { recursive: true }));

/** Items about three pictures, each of one grey level; the first is larger than is sent. */
const LEVELS = [40, 90, 200], SIZES = [[2048, 512], [32, 32], [48, 40]] as const;
const paths = await Promise.all(LEVELS.map(async (level, i) => {
  const path = join(dir, `${level}.png`), [width, height] = SIZES[i];
  await sharp({ create: { width, height, channels: 3, background: { r: level, g: level, b: level } } }).png()
    .toFile(path);
  return path;
}));
const item = (i: number, fields: Partial<QaPair> = {}) =>
  ({
    id: `q${i}`,
    dataset: "slake",
    split: "test",
    imageId: `image${i % 3}`,
    imagePath: paths[i % 3],
    question: `how bright is picture ${i}?`,
    answer: `${LEVELS[i % 3]}`,
    choices: null,
    answerType: "open",
    ...fields,
  }) as QaPair;
const items = Array.from({ length: 6 }, (_, i) => item(i));

interface Request {
  seed: number;
  temperature: number;
  messages: { content: [{ image_url: { url: string } }, { text: string }] }[];
}

/** A stand-in for a vision model's server: it answers with the brightness of the picture's middle, and its size. */
function startServer(reply: (text: string, calls: number) => Response | null = () => null) {
  const requests: (Request & { question: string; width: number })[] = [];
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, async (http) => {
    const body: Request = await http.json(), [{ image_url }, { text }] = body.messages[0].content;
    const png = Uint8Array.fromBase64(image_url.url.replace(/^data:image\/png;base64,/, ""));
    const { data, info } = await sharp(png).removeAlpha().raw().toBuffer({ resolveWithObject: true });
    requests.push({ ...body, question: text, width: info.width });
    const special = reply(text, requests.length);
    if (special) return special;
    const content = `<think>let me see: 1</think> ${
      data[3 * (info.width * (info.height >> 1) + (info.width >> 1))]
    }`;
    return Response.json({
      ...{ id: "x", object: "chat.completion", created: 0, model: "seer" },
      choices: [{ index: 0, message: { role: "assistant", content }, finish_reason: "stop" }],
      usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
    });
  });
  const endpoint = { baseURLs: [`http://127.0.0.1:${server.addr.port}/v1`], model: "seer" };
  return { endpoint, requests, [Symbol.asyncDispose]: () => server.shutdown() };
}

let journals = 0;
const options = (runs: number) => ({
  ...{ runs, temperature: 0.7, seed: 3, concurrency: 2, maxRetries: 0 },
  journalPath: join(dir, `journal-${journals++}.jsonl`),
});

Deno.test("a server sees each question with its own picture, not larger than 1,024 pixels, and its answers are in order", async () => {
  await using server = startServer();
  const predictions = await askServer(server.endpoint, items, options(2));
  assertEquals(
    predictions.map(({ id, run }) => `${id}/${run}`),
    items.flatMap(({ id }) => [`${id}/0`, `${id}/1`]),
  );
  assertEquals(predictions.map(({ answer }) => answer), items.flatMap(({ answer }) => [answer, answer]));
  assertEquals(new Set(server.requests.map(({ width }) => width)), new Set([1024, 32, 48]));
  assertEquals(new Set(server.requests.map(({ temperature }) => temperature)), new Set([0.7]));
  assertEquals(new Set(server.requests.map(({ seed }) => seed)).size, 12);
  for (const { question } of server.requests) {
    assertMatch(question, /^how bright is picture \d\?\nAnswer in one to three words\.$/);
  }
});

Deno.test("an answer's seed is its own: a shorter list in another order is asked the same", async () => {
  await using server = startServer();
  const all = await askServer(server.endpoint, items, options(2));
  const some = await askServer(server.endpoint, [items[4], items[1]], options(2));
  const seedOf = new Map(all.map(({ id, run, seed }) => [`${id}/${run}`, seed]));
  assertEquals(
    some.map(({ id, run, seed }) => [`${id}/${run}`, seed]),
    some.map(({ id, run }) => [
      `${id}/${run}`,
      seedOf.get(`${id}/${run}`),
    ]),
  );
});

Deno.test("one run is greedy; the controls show grey or another's picture", async () => {
  await using server = startServer();
  const [one] = await askServer(server.endpoint, items.slice(0, 1), options(1));
  assertEquals([one.seed, server.requests[0].temperature], [null, 0]);
  const grey = await askServer(server.endpoint, items, { ...options(1), blankImages: true });
  assertEquals(new Set(grey.map(({ answer }) => answer)), new Set(["128"]));
  const others = await askServer(server.endpoint, withOtherImages(items, 3), options(1));
  others.forEach(({ id, answer }, i) => assert(id === items[i].id && answer !== items[i].answer));
  assertEquals(withOtherImages(items.slice(0, 1), 3), []);
});

Deno.test("a refusal is an empty answer; a fault ends with a sentence, and the next run asks only for what is missing", async () => {
  let faulty = true;
  await using server = startServer((text) => {
    if (text.includes("picture 1")) {
      const message = { role: "assistant", content: null, refusal: "I cannot help with that" };
      return Response.json({
        ...{ id: "x", object: "chat.completion", created: 0, model: "seer" },
        choices: [{ index: 0, message, finish_reason: "stop" }],
      });
    }
    return faulty && text.includes("picture 5") ? new Response("out of memory", { status: 500 }) : null;
  });
  const asked = options(1);
  await assertRejects(
    () => askServer(server.endpoint, items, asked),
    Error,
    "Expected answers to 6 requests, found 1 that failed",
  );
  faulty = false;
  const before = server.requests.length;
  const predictions = await askServer(server.endpoint, items, asked);
  assertEquals(server.requests.length - before, 1);
  assertEquals(predictions.map(({ answer }) => answer), ["40", "", "200", "40", "90", "200"]);
});

Deno.test("the prompt says what kind of answer is wanted", () => {
  assertEquals(
    visionPrompt(item(0, { choices: ["CT", "MRI"] }), false),
    "how bright is picture 0?\nA: CT\nB: MRI\nAnswer with the letter of the right option only.",
  );
  assertMatch(visionPrompt(item(0, { answerType: "closed" }), false), /Answer yes or no/);
  assertMatch(visionPrompt(item(0), true), /Answer in one sentence\.$/);
});

Deno.test("predictions are read line by line; the first that is none is named", () => {
  const text =
    '{"id": "q0", "answer": "40", "model": "mine"}\r\n\n{"id": "q0", "answer": "", "run": 1, "cut": true}\n';
  assertEquals(readPredictions("\ufeff" + text), readPredictions(text)); // as editors on Windows write it
  assertEquals(readPredictions(text), [
    { id: "q0", run: 0, answer: "40", seed: null, cut: false },
    { id: "q0", run: 1, answer: "", seed: null, cut: true },
  ]);
  for (
    const [line, found] of [
      ["{", "Line 2: .*no JSON"],
      ['{"id": "q1"}', "Line 2: .*answer"],
      ['{"id": "q1", "answer": 3}', "Line 2: .*answer"],
      ['{"id": "q1", "answer": "x", "run": 0.5}', "Line 2: .*run"],
    ]
  ) {
    assertMatch(
      assertThrows(() => readPredictions(`{"id": "q0", "answer": "a"}\n${line}`), Error).message,
      new RegExp(found),
    );
  }
  assertMatch(assertThrows(() => readPredictions(" \n"), Error).message, /found none/);
});

Deno.test("questions are written without their answers; predictions about others are refused", () => {
  const questions = [["slake", { short: items.slice(0, 4), open: items.slice(4) }]] as const;
  const lines = questionLines(questions).trim().split("\n").map((line) => JSON.parse(line));
  assertEquals(lines.map(({ id, kind }) => `${id} ${kind}`), [
    "q0 short",
    "q1 short",
    "q2 short",
    "q3 short",
    "q4 open",
    "q5 open",
  ]);
  assertEquals(Object.keys(lines[0]), ["id", "test_set", "kind", "image", "question", "choices", "prompt"]);
  const given = (id: string) => ({ id, run: 0, answer: "40", seed: null, cut: false });
  const [[testSet, { short, open }]] = sortPredictions([given("q0"), given("q5")], questions);
  assertEquals([testSet, short.length, open.length], ["slake", 1, 1]);
  assertMatch(
    assertThrows(() => sortPredictions([given("q9")], questions), Error).message,
    /about "q9", which is none/,
  );
});

Deno.test("the report sets a system beside its controls and the systems that were asked the same questions", () => {
  const answered = (right: (i: number) => boolean, of = items) =>
    of.map(({ id, answer }, i) => ({
      id,
      run: 0,
      answer: right(i) ? answer : "no idea",
      seed: null,
      cut: false,
    }));
  const none = { open: [], blank: [], shuffled: [] };
  const score = (cell: string, right: (i: number) => boolean, of = items) =>
    systemScores(cell, { short: of, open: [] }, { ...none, short: answered(right, of) }, [
      item(9, { answer: "90" }),
    ]);
  const table = scoreTable(score("slake__mine", (i) => i !== 1));
  const grid = scoreTable([
    ...score("slake__with", (i) => i < 3),
    ...score("roco_v2__with", () => true, items.slice(0, 5)), // other questions
  ]);
  const [answers, copy] = overlapTable(items, answered(() => true));
  const system = { name: "mine", cells: [{ name: "slake__mine", testSet: "slake" as const }], judge: null };
  const report = externalReport(system, table, {
    grid,
    overlaps: [{ cell: "slake__mine", items: 6, answers, copy, typical: null }],
    judged: [],
  });
  const rows = report.split("\n").filter((line) => line.startsWith("| slake"));
  assertMatch(
    rows[0],
    /^\| slake \| 6 \| 3 \| 1 \| 83\\\.3% \(.*\) \| – \| 0% \| – \| – \| 33\\\.3% \| 33\\\.3% \|$/,
  );
  assertEquals(rows.filter((line) => line.includes("\\_\\_with")).length, 1);
  assertMatch(report, /\| slake \| slake\\_\\_with \| 33\\\.3 \(/);
  assert(!report.includes("roco") && !report.includes("The judge"));
  assertMatch(report, /copy of the question/);
});

Deno.test("./lab evaluate refuses an empty name before it reads anything", async () => {
  const { run } = await import("../../lib/cli/evaluate.ts");
  const message = "--name is empty";
  await assertRejects(() => run(["--predictions", "nowhere.jsonl", "--name", " "]), Error, message);
});
