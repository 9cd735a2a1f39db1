import { assert, assertEquals, assertRejects } from "@std/assert";
import { sha256 } from "@lib/config/mod.ts";
import { type ReplayRequest, startReplayServer } from "../support/replay_server.ts";
import { sourcePairs, type SynthesisOptions, synthesize } from "@lib/synthesis/mod.ts";
import { readVerdict } from "@lib/synthesis/verify.ts";
import { templatePairs } from "@lib/synthesis/pair.ts";
import { captioned } from "./records.ts";

const records = [
  captioned("1", "x-ray of the chest with a nodule in the left lung"),
  captioned("2", "ct of the abdomen with a cyst in the right kidney", {
    dataset: "medpix2",
    id: "medpix2/train/2",
  }),
  captioned("3", null),
  captioned("4", "mri of the head with a hemorrhage in the left brain"),
];

/** A teacher that knows two answers by heart and rambles otherwise. */
function reply({ messages }: ReplayRequest): string {
  const last = messages.at(-1)!.content;
  if (last.includes("chest")) return `{"question": "Which organ is affected?", "answer": "lung."}`;
  if (last.includes("abdomen")) {
    return "Q: Which side is affected?\nA: left\n\nQ: Which side is the cyst on?\nA: right";
  }
  return "I cannot help with that.";
}

async function withTeacher<T>(
  test: (options: SynthesisOptions, server: ReturnType<typeof startReplayServer>) => Promise<T>,
): Promise<T> {
  const dir = await Deno.makeTempDir();
  const server = startReplayServer(reply);
  try {
    const endpoint = { baseURLs: [server.baseURL], model: "stand-in" };
    const options: SynthesisOptions = {
      endpoint,
      seed: 1,
      temperature: 0.5,
      maxTokens: 40,
      concurrency: 2,
      journalPath: `${dir}/journal.jsonl`,
      kinds: ["open"],
    };
    return await test(options, server);
  } finally {
    await server.stop();
    await Deno.remove(dir, { recursive: true });
  }
}

Deno.test("captions become pairs with provenance, and everything lost is counted", async () => {
  await withTeacher(async (options) => {
    const result = await synthesize(records, options);
    assertEquals(result.pairs.map((p) => [p.id, p.question, p.answer]), [
      ["roco_v2/train/1#teacher/0", "Which organ is affected?", "lung"],
      ["medpix2/train/2#teacher/0/1", "Which side is the cyst on?", "right"],
    ]);
    assertEquals(result.dropped.map((p) => p.answer), ["left"]);
    const { captions, requests, failed, shapes, problems, parsed } = result.counts;
    assertEquals([captions, requests, parsed, failed], [3, 3, 3, {}]);
    assertEquals([shapes, problems], [{ json: 1, qa_text: 1, none: 1 }, { refusal: 1 }]);
    assertEquals(result.counts.filters.find((f) => f.filter === "evidence")!.dropped, 1);
    assert(result.tokens.prompt > 100 && result.tokens.completion > 10);

    const [pair] = result.pairs;
    assertEquals([pair.origin, pair.prompt, pair.model, pair.temperature], [
      "teacher",
      "literature-open-v1",
      "stand-in",
      0.5,
    ]);
    assertEquals(pair.rawSha256, sha256(`{"question": "Which organ is affected?", "answer": "lung."}`));
    assert(Number.isInteger(pair.seed));
    assertEquals([pair.sourceId, pair.original], ["1", null]);
    assertEquals(pair.server, new URL(options.endpoint.baseURLs[0]).host);
    assert(Math.abs(Date.parse(pair.time!) - Date.now()) < 60_000);
    assertEquals(result.pairs[1].prompt, "case-open-v1");
  });
});

Deno.test("requests and pairs follow from seed and records alone, and a second run asks nothing", async () => {
  const run = (changes: Partial<SynthesisOptions>, chosen = records) =>
    withTeacher(async (options, server) => {
      const all = { ...options, kinds: undefined, pairsPerCaption: 3, ...changes };
      const first = await synthesize(chosen, all);
      const asked = server.requests.map(({ body }) => JSON.stringify(body)).sort();
      const again = await synthesize(chosen, all);
      assertEquals([server.requests.length, again.resumed], [asked.length, asked.length]);
      assertEquals(again.pairs, first.pairs);
      return { asked, pairs: first.pairs.map(({ server: _, time: __, ...pair }) => pair) };
    });
  const one = await run({ concurrency: 1 });
  assertEquals(one.asked.length, 9);
  assertEquals(await run({ concurrency: 4 }), one);
  const seeds = (bodies: string[]) => bodies.map((body) => (JSON.parse(body) as ReplayRequest).seed);
  assertEquals(new Set(seeds(one.asked)).size, 9);
  assert(JSON.stringify(seeds((await run({ seed: 2 })).asked)) !== JSON.stringify(seeds(one.asked)));
  const part = await run({}, records.slice(0, 1));
  assert(part.asked.every((body) => one.asked.includes(body)));
});

Deno.test("failed requests are counted by reason and do not end the run", async () => {
  const dir = await Deno.makeTempDir();
  const server = startReplayServer((request) =>
    request.messages.at(-1)!.content.includes("chest")
      ? Response.json({ error: { message: "too long" } }, { status: 400 })
      : reply(request)
  );
  const result = await synthesize(records, {
    endpoint: { baseURLs: [server.baseURL], model: "stand-in" },
    seed: 1,
    temperature: 0,
    maxTokens: 40,
    concurrency: 1,
    journalPath: `${dir}/journal.jsonl`,
    kinds: ["open"],
  });
  await server.stop();
  await Deno.remove(dir, { recursive: true });
  assertEquals(result.counts.failed, { rejected: 1 });
  assertEquals([result.counts.requests, result.counts.parsed], [3, 2]);
});

Deno.test("the teacher checks the pairs that pass the rules, in the same journal, and its word is a filter", async () => {
  const asked: string[] = [];
  const server = startReplayServer((request) => {
    const last = request.messages.at(-1)!.content;
    if (!last.includes("Answer:")) return reply(request);
    asked.push(last);
    return last.includes("chest") ? `{"supported": "no"}` : "Yes, it is.";
  });
  const dir = await Deno.makeTempDir();
  const options: SynthesisOptions = {
    endpoint: { baseURLs: [server.baseURL], model: "stand-in" },
    seed: 1,
    temperature: 0.5,
    maxTokens: 40,
    concurrency: 2,
    journalPath: `${dir}/journal.jsonl`,
    kinds: ["open"],
    verify: true,
  };
  const steps = new Set<string>();
  const result = await synthesize(records, { ...options, onProgress: (_, step) => steps.add(step) });
  const again = await synthesize(records, options);
  await server.stop();
  await Deno.remove(dir, { recursive: true });
  assertEquals(asked.length, 2); // not the pair that the caption contradicts, and nothing twice
  assertEquals(result.counts.checks, { supported: 1, unsupported: 1, unread: 0, cut: 0, failed: 0 });
  assertEquals(result.pairs.map((p) => p.answer), ["right"]);
  assertEquals(result.dropped.map((p) => JSON.parse(p.verdicts).llm), [
    "unsupported, says the teacher",
    undefined,
  ]);
  assertEquals([again.pairs, again.resumed, [...steps]], [result.pairs, 5, ["write", "check"]]);
});

Deno.test("verdicts are read with and without JSON, and anything else is none", () => {
  const read = (text: string) => readVerdict({ text });
  assertEquals(read(`{"supported": "yes"}`), "supported");
  assertEquals(read(`{"supported": "no"}`), "unsupported");
  assertEquals(read("No. The caption says left."), "unsupported");
  assertEquals(read("yes or no"), null);
  assertEquals(read("I do not know"), null);
});

Deno.test("rows that may not leave this machine are refused before anything is sent, also for the check", async () => {
  const own = [captioned("1", "x-ray of the chest with a nodule in the left lung", { noThirdParty: true })];
  await withTeacher(async (options, server) => {
    assertEquals((await synthesize(own, options)).pairs[0].noThirdParty, true);
    const elsewhere = { baseURLs: [server.baseURL, "https://teacher.example/v1"], model: "stand-in" };
    const asked = server.requests.length;
    await assertRejects(() => synthesize(own, { ...options, endpoint: elsewhere, seed: 2 }), Error);
    assertEquals(server.requests.length, asked);
  });
});

Deno.test("a data set's own pairs and template pairs keep their origin", () => {
  const asked = captioned("5", null, { question: "Is it normal?", answer: "No", contentType: "Abnormality" });
  const [own, ...rest] = sourcePairs([records[0], asked]);
  assertEquals([own.id, own.origin, own.answerType, own.questionType, rest.length], [
    asked.id,
    "source",
    "closed",
    "Abnormality",
    0,
  ]);
  const made = templatePairs([
    { record: records[0], type: "side", question: "which side is the lesion on?", answer: "left" },
    { record: records[0], type: "presence", question: "is there a lesion?", answer: "yes" },
  ]);
  assertEquals(made.map((p) => [p.id, p.origin, p.answerType, p.model]), [
    ["roco_v2/train/1#template/0", "template", "open", null],
    ["roco_v2/train/1#template/1", "template", "closed", null],
  ]);
});
