import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import {
  complete,
  type CompletionRequest,
  type JobProgress,
  LlmError,
  progressNote,
  runJobs,
} from "@lib/llm/mod.ts";
import { type ReplayRequest, startReplayServer } from "../support/replay_server.ts";
import { readJournal } from "@lib/llm/journal.ts";
import { replicasOf } from "@lib/llm/replicas.ts";

const request: CompletionRequest = {
  messages: [{ role: "user", content: "two words" }],
  schema: { name: "pair", schema: { type: "object" } },
  seed: 7,
  temperature: 0,
  maxTokens: 9,
};
const jobs = Array.from({ length: 60 }, (_, i) => ({ id: `${i}`, request: { ...request, seed: i } }));

/** Refusals in the words of OpenAI, vLLM, FastAPI and others, each with what is refused. */
const REFUSALS: [string, keyof ReplayRequest & string, unknown][] = [
  ["temperature", "temperature", {
    error: {
      message:
        "Unsupported value: 'temperature' does not support 0 with this model. Only the default (1) is.",
      param: "temperature",
      code: "unsupported_value",
    },
  }],
  ["seed", "seed", {
    detail: [{ type: "extra_forbidden", loc: ["body", "seed"], msg: "Not permitted", input: 7 }],
  }],
  ["temperature", "temperature", {
    error: "`temperature` must be strictly positive",
    error_type: "validation",
  }],
  ["response_format", "response_format", { object: "error", message: "guided decoding is off", code: 400 }],
  ["max_tokens", "max_tokens", {
    error: { message: "Unsupported parameter. Use 'max_completion_tokens' instead.", param: "max_tokens" },
  }],
];

async function withServer<T>(
  react: (body: ReplayRequest) => string | Response,
  test: (server: ReturnType<typeof startReplayServer>, journalPath: string) => Promise<T>,
) {
  const dir = await Deno.makeTempDir(), server = startReplayServer(react);
  try {
    return await test(server, `${dir}/journal.jsonl`);
  } finally {
    await server.stop();
    await Deno.remove(dir, { recursive: true });
  }
}

for (const [name, field, words] of REFUSALS) {
  Deno.test(`a refused ${name} is left out after one refusal, and progress and journal say so: ${JSON.stringify(words).slice(0, 40)}`, async () => {
    const react = (body: ReplayRequest) => field in body ? Response.json(words, { status: 400 }) : "fine";
    await withServer(react, async (server, journalPath) => {
      const endpoint = { baseURLs: [server.baseURL], model: "m" };
      let last: JobProgress | undefined;
      const onProgress = (now: JobProgress) => void (last = now);
      const outcomes = await runJobs(endpoint, jobs, { concurrency: 1, journalPath, onProgress });
      assertEquals(outcomes.filter(({ completion }) => completion).length, jobs.length);
      assertEquals(server.requests.length, jobs.length + 1);
      assertStringIncludes(progressNote(last!), `the server refuses ${name}`);
      assertEquals((await readJournal(journalPath)).map(({ completion }) => completion?.refused).at(-1), [
        name,
      ]);
      const limit = server.requests.at(-1)!.body;
      assertEquals(limit.max_tokens ?? limit.max_completion_tokens, 9);
    });
  });
}

Deno.test("several refusals are met one by one, also when many requests are under way", async () => {
  const react = (body: ReplayRequest) => {
    const wrong = ["seed", "temperature", "response_format"].find((name) => name in body);
    return wrong ? Response.json({ message: `unknown field ${wrong}` }, { status: 422 }) : "fine";
  };
  await withServer(react, async (server, journalPath) => {
    const endpoint = { baseURLs: [server.baseURL], model: "m" };
    const outcomes = await runJobs(endpoint, jobs, { concurrency: 8, journalPath });
    assertEquals(outcomes.filter(({ completion }) => completion).length, jobs.length);
    assertEquals(server.requests.length <= jobs.length + 3 * 8, true);
    assertEquals(outcomes.at(-1)!.completion!.refused, ["response_format", "seed", "temperature"]);
  });
});

Deno.test("a request that is too long is rejected itself; nothing is left out for it", async () => {
  const words = [
    "max_tokens is too large: 9. This model's maximum context length is 8 tokens",
    "'max_tokens' or 'max_completion_tokens' must be at most 4",
  ];
  for (const message of words) {
    await withServer(() => Response.json({ error: { message } }, { status: 400 }), async (server) => {
      const endpoint = { baseURLs: [server.baseURL], model: "m" };
      const failure = await assertRejects(() => complete(endpoint, request), LlmError, message);
      assertEquals([failure.kind, server.requests.length], ["rejected", 1]);
      assertEquals([...replicasOf(endpoint).refused], []);
    });
  }
});

Deno.test("a server that takes no request at all ends the run after ten, with its own words", async () => {
  const react = () => Response.json({ error: { message: "the model `m` does not exist" } }, { status: 404 });
  await withServer(react, async (server, journalPath) => {
    const endpoint = { baseURLs: [server.baseURL], model: "m" };
    const run = () => runJobs(endpoint, jobs, { concurrency: 1, journalPath });
    await assertRejects(run, LlmError, "does not exist");
    assertEquals(server.requests.length, 10);
  });
});

Deno.test("rejected requests among answered ones end nothing, and a resumed run may have only such", async () => {
  const react = ({ seed }: ReplayRequest) =>
    seed! % 2 ? Response.json({ error: { message: "too long" } }, { status: 400 }) : "fine";
  await withServer(react, async (server, journalPath) => {
    const endpoint = { baseURLs: [server.baseURL], model: "m" };
    for (const asked of [60, 90]) {
      const outcomes = await runJobs(endpoint, jobs, { concurrency: 1, journalPath });
      assertEquals(outcomes.filter(({ reason }) => reason === "rejected").length, 30);
      assertEquals(server.requests.length, asked);
    }
  });
});

Deno.test("a model that reasons gets room for it, and what was cut without is asked again with it", async () => {
  const react = ({ max_tokens }: ReplayRequest) =>
    Number(max_tokens) > 100 ? "<think>long</think> fine" : { text: "<think>lo", finishReason: "length" };
  const dir = await Deno.makeTempDir(), server = startReplayServer(react);
  const plain = { baseURLs: [server.baseURL], model: "m" }, journalPath = `${dir}/journal.jsonl`;
  for (
    const [endpoint, finish] of [[plain, "length"], [{ ...plain, reasoningTokens: 100 }, "stop"]] as const
  ) {
    const [{ completion }] = await runJobs(endpoint, jobs.slice(0, 1), { concurrency: 1, journalPath });
    assertEquals(completion!.finishReason, finish);
  }
  assertEquals(server.requests.map(({ body }) => body.max_tokens), [9, 109]);
  await server.stop();
  await Deno.remove(dir, { recursive: true });
});
