import { assert, assertEquals, assertRejects } from "@std/assert";
import { complete, type CompletionRequest, LlmError } from "@lib/llm/mod.ts";
import { type ReplayReply, startReplayServer } from "../support/replay_server.ts";
import { Secret } from "@lib/llm/secret.ts";

const request: CompletionRequest = {
  messages: [{ role: "user", content: "two words" }],
  seed: 7,
  temperature: 0.5,
  maxTokens: 9,
};
const fault = (status: number, message = "fault", headers: Record<string, string> = {}) =>
  Response.json({ error: { message } }, { status, headers });
const quick = { retryDelayMs: 1 };

async function withServer(
  reply: (call: number) => ReplayReply | Promise<ReplayReply>,
  test: (server: ReturnType<typeof startReplayServer>) => Promise<void>,
) {
  const server = startReplayServer((_, call) => reply(call));
  try {
    await test(server);
  } finally {
    await server.stop();
  }
}

Deno.test("a completion carries text, finish reason and token counts, and sends seed and schema", async () => {
  await withServer(() => ({ text: "a b c", finishReason: "length" }), async (server) => {
    const schema = { name: "pair", schema: { type: "object" } };
    const done = await complete({ baseURLs: [server.baseURL], model: "m" }, { ...request, schema });
    assertEquals([done.text, done.finishReason, done.promptTokens, done.completionTokens], [
      "a b c",
      "length",
      2,
      3,
    ]);
    assertEquals([done.retries, done.structured], [0, true]);
    const { body } = server.requests[0];
    assertEquals([body.seed, body.temperature, body.max_tokens], [7, 0.5, 9]);
    assertEquals(body.response_format, { type: "json_schema", json_schema: { ...schema, strict: true } });
  });
});

Deno.test("server faults are tried again, up to the limit", async () => {
  await withServer((call) => call < 2 ? fault(503) : "fine", async (server) => {
    const done = await complete({ baseURLs: [server.baseURL], model: "m" }, request, quick);
    assertEquals([done.text, done.retries], ["fine", 2]);
  });
  await withServer(() => fault(500), async (server) => {
    const endpoint = { baseURLs: [server.baseURL], model: "m" };
    const error = await assertRejects(
      () => complete(endpoint, request, { ...quick, maxRetries: 2 }),
      LlmError,
    );
    assertEquals([error.kind, error.retries, server.requests.length], ["server", 2, 3]);
  });
});

Deno.test("Retry-After is waited for", async () => {
  await withServer(
    (call) => call === 0 ? fault(429, "slow down", { "retry-after": "0.3" }) : "fine",
    async (server) => {
      const done = await complete({ baseURLs: [server.baseURL], model: "m" }, request, quick);
      assertEquals(done.retries, 1);
      assert(done.seconds >= 0.29, `${done.seconds}`);
    },
  );
});

Deno.test("a wrong key and a faulty request fail at once", async () => {
  for (
    const [status, kind] of [[401, "auth"], [403, "auth"], [400, "rejected"], [404, "rejected"]] as const
  ) {
    await withServer(() => fault(status), async (server) => {
      const error = await assertRejects(
        () => complete({ baseURLs: [server.baseURL], model: "m" }, request),
        LlmError,
      );
      assertEquals([error.kind, server.requests.length], [kind, 1]);
    });
  }
});

Deno.test("a reply that is not a chat completion is tried again, then named", async () => {
  await withServer((call) => call === 0 ? Response.json({ hello: 1 }) : "fine", async (server) => {
    assertEquals((await complete({ baseURLs: [server.baseURL], model: "m" }, request, quick)).retries, 1);
  });
  await withServer(() => Response.json({ choices: [] }), async (server) => {
    const endpoint = { baseURLs: [server.baseURL], model: "m" };
    const error = await assertRejects(
      () => complete(endpoint, request, { ...quick, maxRetries: 1 }),
      LlmError,
    );
    assertEquals(error.kind, "malformed");
  });
});

Deno.test("a server that refuses response_format is asked without it from then on", async () => {
  const server = startReplayServer((body) =>
    body.response_format ? fault(400, "response_format is not supported") : "plain"
  );
  const endpoint = { baseURLs: [server.baseURL], model: "m" };
  const asked = { ...request, schema: { name: "pair", schema: { type: "object" } } };
  const first = await complete(endpoint, asked);
  const second = await complete(endpoint, asked);
  await server.stop();
  assertEquals([first.structured, second.structured, server.requests.length], [false, false, 3]);
});

Deno.test("a slow server is given up after the timeout, a lost one is unreachable", async () => {
  await withServer(() => new Promise((resolve) => setTimeout(() => resolve("late"), 300)), async (server) => {
    const endpoint = { baseURLs: [server.baseURL], model: "m", timeoutSeconds: 0.05 };
    const error = await assertRejects(
      () => complete(endpoint, request, { ...quick, maxRetries: 1 }),
      LlmError,
      "no reply in 0.05 s",
    );
    assertEquals(error.kind, "timeout");
  });
  const gone = { baseURLs: ["http://127.0.0.1:9/v1"], model: "m" };
  const error = await assertRejects(() => complete(gone, request, { ...quick, maxRetries: 1 }), LlmError);
  assertEquals(error.kind, "unreachable");
});

Deno.test("an abort ends a request in flight and a pause between attempts", async () => {
  for (
    const reply of [
      () => fault(503),
      () => new Promise<string>((resolve) => setTimeout(() => resolve("late"), 300)),
    ]
  ) {
    await withServer(reply, async (server) => {
      const endpoint = { baseURLs: [server.baseURL], model: "m" };
      const signal = AbortSignal.timeout(60);
      const start = performance.now();
      const error = await assertRejects(() =>
        complete(endpoint, request, { signal, retryDelayMs: 20_000 })
      ) as Error;
      assertEquals(error.name, "TimeoutError");
      assert(performance.now() - start < 2000);
    });
  }
});

Deno.test("requests go to the least loaded server, a retry goes to another one", async () => {
  const slow = () => new Promise<string>((resolve) => setTimeout(() => resolve("ok"), 60));
  const [a, b] = [startReplayServer(slow), startReplayServer(slow)];
  const both = { baseURLs: [a.baseURL, b.baseURL], model: "m" };
  await Promise.all(Array.from({ length: 6 }, () => complete(both, request)));
  assertEquals([a.requests.length, b.requests.length], [3, 3]);
  const broken = startReplayServer(() => fault(500));
  const mixed = { baseURLs: [broken.baseURL, b.baseURL], model: "m" };
  const done = await complete(mixed, request, quick);
  assertEquals([done.text, done.retries, broken.requests.length], ["ok", 1, 1]);
  await Promise.all([a.stop(), b.stop(), broken.stop()]);
});

Deno.test("the key is sent, and neither an error nor an answer that repeats it lets it out", async () => {
  const apiKey = new Secret("sk-planted");
  await withServer(
    (call) => call === 0 ? fault(401, "bad key sk-planted") : "you sent sk-planted",
    async (server) => {
      const endpoint = { baseURLs: [server.baseURL], model: "m", apiKey };
      const error = await assertRejects(() => complete(endpoint, request), LlmError);
      assert(!Deno.inspect(error).includes("sk-planted"));
      assertEquals((await complete(endpoint, request)).text, "you sent [redacted]");
      assertEquals(server.requests[0].authorization, "Bearer sk-planted");
    },
  );
});
