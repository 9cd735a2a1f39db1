import { assert, assertEquals, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";
import {
  complete,
  type CompletionRequest,
  type Endpoint,
  LlmError,
  type LlmErrorKind,
} from "@lib/llm/mod.ts";
import { replicasOf } from "@lib/llm/replicas.ts";
import {
  completion,
  type FaultServer,
  type Reaction,
  reply,
  said,
  startFaultServer,
} from "./fault_server.ts";

const request: CompletionRequest = {
  messages: [{ role: "user", content: "say it" }],
  seed: 1,
  temperature: 0,
  maxTokens: 9,
};
const quick = { retryDelayMs: 1, maxRetries: 2 };
const endpointOf = ({ baseURL }: FaultServer, timeoutSeconds = 20): Endpoint => ({
  baseURLs: [baseURL],
  model: "m",
  timeoutSeconds,
});

async function withServer<T>(
  react: (attempt: number) => Reaction,
  test: (server: FaultServer) => Promise<T>,
): Promise<T> {
  const server = startFaultServer((_, attempt) => react(attempt));
  try {
    return await test(server);
  } finally {
    await server.stop();
  }
}

const answer = reply(completion({ content: "fine" }));
const error = (status: number, headers = "") => reply(`{"error":{"message":"no luck"}}`, { status, headers });

/** Faults that may pass: asked again, and named when they do not pass. */
const TRANSIENT: Record<string, [LlmErrorKind, Reaction]> = {
  "429 without Retry-After": ["rate_limit", { writes: [error(429)] }],
  "429 with Retry-After": ["rate_limit", { writes: [error(429, "retry-after: 0.01\r\n")] }],
  "429 with a Retry-After in the past": ["rate_limit", {
    writes: [error(429, "retry-after: Wed, 21 Oct 2015 07:28:00 GMT\r\n")],
  }],
  "429 with a Retry-After that is none": ["rate_limit", { writes: [error(429, "retry-after: soon\r\n")] }],
  "500": ["server", { writes: [error(500)] }],
  "502 with a page of HTML": ["server", {
    writes: [reply("<html>\n<h1>Bad\n gateway</h1></html>", { status: 502, type: "text/html" })],
  }],
  "529": ["server", { writes: [error(529)] }],
  "408": ["timeout", { writes: [error(408)] }],
  "a socket that hangs": ["timeout", { then: "hang" }],
  "a body that hangs": ["timeout", { writes: [answer.slice(0, -20)], then: "hang" }],
  "an error whose body hangs": ["timeout", { writes: [error(500).slice(0, -20)], then: "hang" }],
  "a connection closed without a word": ["disconnected", { then: "close" }],
  "a connection closed within the headers": ["disconnected", {
    writes: [answer.slice(0, 30)],
    then: "close",
  }],
  "a truncated body": ["disconnected", { writes: [answer.slice(0, -20)], then: "close" }],
  "a truncated stream of chunks": ["disconnected", {
    writes: [
      `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n8\r\n{"model"\r\n`,
    ],
    then: "close",
  }],
  "bytes that are no HTTP": ["disconnected", { writes: ["SSH-2.0-OpenSSH_9.6\r\n"], then: "close" }],
  "invalid JSON": ["malformed", { writes: [reply(`{"choices": [`)] }],
  "two JSON objects": ["malformed", {
    writes: [reply(completion({ content: "a" }) + completion({ content: "b" }))],
  }],
  "a page with status 200": ["malformed", { writes: [reply("<html>log in</html>", { type: "text/html" })] }],
  "an empty body": ["malformed", { writes: [reply("")] }],
  "null": ["malformed", { writes: [reply("null")] }],
  "no choices": ["malformed", { writes: [reply(`{"model":"m","choices":[]}`)] }],
  "an error with status 200": ["malformed", { writes: [reply(`{"error":{"message":"upstream"}}`)] }],
  "a stream that was not asked for": ["malformed", {
    writes: [
      reply(`data: {"choices":[{"delta":{"content":"fine"}}]}\n\ndata: [DONE]\n\n`, {
        type: "text/event-stream",
      }),
    ],
  }],
};

for (const [name, [kind, fault]] of Object.entries(TRANSIENT)) {
  Deno.test(`${name}: asked again, and "${kind}" if it stays`, async () => {
    const seconds = fault.then === "hang" ? 0.5 : undefined;
    await withServer((attempt) => attempt === 0 ? fault : said("fine"), async (server) => {
      const done = await complete(endpointOf(server, seconds), request, quick);
      assertEquals([done.text, done.retries, server.asked.length], ["fine", 1, 2]);
    });
    await withServer(() => fault, async (server) => {
      const failure = await assertRejects(
        () => complete(endpointOf(server, seconds), request, quick),
        LlmError,
      );
      assertEquals([failure.kind, failure.retries, server.asked.length], [kind, 2, 3]);
      assertMatch(failure.message, new RegExp(`m: ${kind}: `));
      assert(!failure.message.includes("\n") && failure.message.length < 400);
    });
  });
}

/** Replies that another attempt would not better. */
const FINAL: Record<string, [LlmErrorKind, string, Reaction]> = {
  "empty content": ["empty", `finished by "stop"`, said("")],
  "content of spaces": ["empty", `finished by "stop"`, said(" \n ")],
  "no content, all tokens spent on thinking": ["cut", "the token limit came before any text", {
    writes: [reply(completion({ content: null, reasoning_content: "hm" }, { finish: "length" }))],
  }],
  "a refusal": ["refusal", "I cannot help", {
    writes: [reply(completion({ content: null, refusal: "I cannot help" }))],
  }],
  "an answer cut by a filter": ["refusal", "content filter", {
    writes: [reply(completion({ content: "The" }, { finish: "content_filter" }))],
  }],
  "spent credit": ["quota", "no more money", {
    writes: [reply(`{"error":{"message":"no more money","code":"insufficient_quota"}}`, { status: 429 })],
  }],
  "payment required": ["quota", "no luck", { writes: [error(402)] }],
  "401": ["auth", "check it in the environment", { writes: [error(401)] }],
  "403": ["auth", "check it in the environment", { writes: [error(403)] }],
  "400": ["rejected", "no luck", { writes: [error(400)] }],
  "404": ["rejected", "no luck", { writes: [error(404)] }],
};

for (const [name, [kind, words, fault]] of Object.entries(FINAL)) {
  Deno.test(`${name}: "${kind}" at once`, async () => {
    await withServer(() => fault, async (server) => {
      const failure = await assertRejects(
        () => complete(endpointOf(server), request, quick),
        LlmError,
        words,
      );
      assertEquals([failure.kind, failure.retries, server.asked.length], [kind, 0, 1]);
      const paid = ["empty", "cut", "refusal"].includes(kind);
      assertEquals(
        failure.tokens,
        paid ? { promptTokens: 3, completionTokens: 2 } : {
          promptTokens: null,
          completionTokens: null,
        },
      );
    });
  });
}

Deno.test("a reset connection is asked again", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  let connections = 0;
  const accepting = (async () => {
    for await (const conn of listener) {
      connections++;
      await conn.read(new Uint8Array(10)); // what is left unread makes closing a reset
      conn.close();
    }
  })();
  const baseURLs = [`http://127.0.0.1:${(listener.addr as Deno.NetAddr).port}/v1`];
  const failure = await assertRejects(() => complete({ baseURLs, model: "m" }, request, quick), LlmError);
  listener.close();
  await accepting;
  assertEquals([failure.kind, connections], ["disconnected", 3]);
});

Deno.test("another language arrives whole, however its bytes are cut", async () => {
  const text = "左肺上叶有一个结节。 Ærøskøbing 🫁";
  const bytes = new TextEncoder().encode(reply(completion({ content: text })));
  for (const size of [1, 7, 64]) {
    const writes = Array.from(
      { length: Math.ceil(bytes.length / size) },
      (_, i) => bytes.slice(i * size, (i + 1) * size),
    );
    const sent = size === 1 ? [...writes.slice(0, 200), ...[bytes.slice(200)]] : writes;
    await withServer(() => ({ writes: sent }), async (server) => {
      assertEquals((await complete(endpointOf(server), request)).text, text);
    });
  }
});

Deno.test("a cut answer says so, another model is named, of several choices the first counts", async () => {
  const body = JSON.parse(completion({ content: "first" }, { model: "other", finish: "length" }));
  body.choices.push({ index: 1, message: { content: "second" }, finish_reason: "stop" });
  body.usage = { prompt_tokens: "?" };
  await withServer(() => ({ writes: [reply(JSON.stringify(body))] }), async (server) => {
    const done = await complete(endpointOf(server), request);
    assertEquals([done.text, done.finishReason, done.model], ["first", "length", "other"]);
    assertEquals([done.promptTokens, done.completionTokens], [null, null]);
  });
});

Deno.test("a redirect is not followed: the request goes nowhere else", async () => {
  await withServer(() => said("elsewhere"), async (elsewhere) => {
    const headers = `location: ${elsewhere.baseURL}/chat/completions\r\n`;
    await withServer(() => ({ writes: [reply("", { status: 307, headers })] }), async (server) => {
      const failure = await assertRejects(
        () => complete(endpointOf(server), request, quick),
        LlmError,
        "307",
      );
      assertEquals([failure.kind, server.asked.length, elsewhere.asked.length], ["rejected", 1, 0]);
    });
  });
});

Deno.test("a server that wants max_completion_tokens gets it from then on", async () => {
  const refused = reply(
    `{"error":{"message":"Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead."}}`,
    { status: 400 },
  );
  await withServer((attempt) => attempt === 0 ? { writes: [refused] } : said("fine"), async (server) => {
    const endpoint = endpointOf(server);
    assertEquals((await complete(endpoint, request)).text, "fine");
    assertEquals((await complete(endpoint, request)).retries, 0);
    assertEquals(server.asked.length, 3);
  });
});

Deno.test("a Retry-After as HTTP date is waited for; an absurd one for a minute at most, and the error says so", async () => {
  const date = new Date(Date.now() + 2000);
  date.setMilliseconds(0);
  const later = { writes: [error(429, `retry-after: ${date.toUTCString()}\r\n`)] };
  await withServer((attempt) => attempt === 0 ? later : said("fine"), async (server) => {
    await complete(endpointOf(server), request, quick);
    assert(Date.now() >= date.getTime());
  });
  for (const seconds of ["86400", "9".repeat(400)]) {
    await withServer(() => ({ writes: [error(429, `retry-after: ${seconds}\r\n`)] }), async (server) => {
      const endpoint = endpointOf(server);
      const asked = () => complete(endpoint, request, { maxRetries: 0 });
      const failure = await assertRejects(asked, LlmError, "at most 60 s are waited");
      assertStringIncludes(
        failure.message,
        seconds === "86400" ? "asked for a pause of 86400 s" : "Infinity s",
      );
      const [{ pausedUntil }] = replicasOf(endpoint).list;
      assert(pausedUntil - performance.now() <= 60_000);
    });
  }
});
