import { assert, assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import { delay } from "@std/async";
import { join } from "@std/path";
import OpenAI from "openai";
import sharp from "sharp";
import { ChatError, newPiece, readChat } from "../../lib/cli/support/chat.ts";
import { serveHandler } from "../../lib/cli/support/serve_handler.ts";
import { takeTurns } from "../../lib/cli/support/turns.ts";
import { loadConfig } from "../../lib/config/mod.ts";
import { type AskedItem, askServer } from "../../lib/evaluation/mod.ts";
import { visionPrompt } from "../../lib/evaluation/external.ts";
import { answerPrompts, initAdapter, openModel } from "../../lib/model/mod.ts";
import { tf } from "../../lib/tensor/mod.ts";
import { questionPrefix } from "../../lib/text/mod.ts";
import { chrome, withPage } from "../jupyter/browser.ts";

const dir = await Deno.makeTempDir({ prefix: "serve-" }), images = join(dir, "images");
await Deno.mkdir(images);
globalThis.addEventListener("unload", () => Deno.removeSync(dir, { recursive: true }));

const config = loadConfig({}), opened = await openModel(config), TOKEN = "key-of-this-test";
const HOSTILE = `"><img src=x onerror="globalThis.owned = 1">`;
const adapter = initAdapter(opened.model.config, { r: 2, alpha: 4, towers: "text", seed: 1 });
for (const [name, x] of Object.entries(adapter.params)) {
  if (name.includes("lora_B")) adapter.params[name] = tf.randomUniform(x.shape, -3, 3, "float32", 7);
}
const models = [
  { name: "base", model: opened.model },
  { name: HOSTILE, model: { ...opened.model, adapter } },
];
const PICTURE = join(dir, "picture.png");
await sharp({ create: { width: 64, height: 48, channels: 3, background: "#888888" } })
  .composite([{
    input: { create: { width: 20, height: 20, channels: 3, background: "white" } },
    left: 30,
    top: 10,
  }])
  .png().toFile(PICTURE);
const bytes = await Deno.readFile(PICTURE), QUESTION = "what modality is this image?";

async function start(notice = opened.card.notice) {
  const card = { ...opened.card, notice };
  const handler = await serveHandler({
    models,
    opened: { ...opened, card },
    config,
    token: TOKEN,
    folder: images,
  });
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, handler);
  const base = `http://127.0.0.1:${server.addr.port}`;
  const client = new OpenAI({ baseURL: `${base}/v1`, apiKey: TOKEN, maxRetries: 0 });
  return { base, client, [Symbol.asyncDispose]: () => server.shutdown() };
}

const url = `data:image/png;base64,${bytes.toBase64()}`;
const content = (text = QUESTION) => [
  { type: "image_url" as const, image_url: { url } },
  { type: "text" as const, text },
];
const asked = { model: "base", messages: [{ role: "user" as const, content: content() }] };
const direct = async (model = opened.model, seeds?: number[]) => {
  const settings = { maxNewTokens: 256, batchSize: 1, ...(seeds ? { temperature: 1.5 } : {}) };
  const prompt = { imagePath: PICTURE, prefix: questionPrefix({ question: QUESTION }), seeds };
  const [answers] = await answerPrompts(model, opened.tokenizer, opened.store, [prompt], settings);
  return answers.map(({ text }) => text);
};

Deno.test("an OpenAI client gets the model's own answers: greedy, sampled by seed, of an adapter, as a stream", async () => {
  await using server = await start();
  const { chat, models: list } = server.client;
  assertEquals((await list.list()).data.map(({ id }) => id), ["base", HOSTILE]);
  const plain = await chat.completions.create(asked);
  assertEquals(plain.choices.map(({ message }) => message.content), await direct());
  assertEquals([plain.model, plain.choices[0].finish_reason], ["base", "stop"]);
  const drawn = await chat.completions.create({ ...asked, temperature: 1.5, n: 3, seed: 2 ** 31 - 2 });
  assertEquals(
    drawn.choices.map(({ message }) => message.content),
    await direct(opened.model, [2 ** 31 - 2, 2 ** 31 - 1, -(2 ** 31)]),
  );
  const adapted = await direct(models[1].model);
  assert(adapted[0] !== plain.choices[0].message.content);
  const stream = await chat.completions.create({ ...asked, model: HOSTILE, stream: true, max_tokens: 256 });
  let text = "";
  for await (const { choices: [{ delta }] } of stream) text += delta.content ?? "";
  assertEquals(text, adapted[0]);
  const cut = await chat.completions.create({ ...asked, model: HOSTILE, max_completion_tokens: 1 });
  assertEquals(cut.choices[0].finish_reason, adapted[0] === "" ? "stop" : "length");
  assertEquals([...Deno.readDirSync(images)], []);
});

Deno.test("a stream has an answer's tokens one by one, of several answers each its own, and its end", async () => {
  await using server = await start();
  const settings = { temperature: 1.5, n: 3, seed: 7, max_tokens: 12, model: HOSTILE };
  const whole = await server.client.chat.completions.create({ ...asked, ...settings });
  const stream = await server.client.chat.completions.create({ ...asked, ...settings, stream: true });
  const pieces: string[][] = [[], [], []], reasons: (string | null)[] = [];
  for await (const { choices: [{ index, delta, finish_reason }] } of stream) {
    if (delta.content) pieces[index].push(delta.content);
    if (finish_reason) reasons[index] = finish_reason;
  }
  assertEquals(pieces.map((own) => own.join("")), whole.choices.map(({ message }) => message.content));
  assertEquals(reasons, whole.choices.map(({ finish_reason }) => finish_reason));
  assert(pieces.some((own) => own.length > 1), JSON.stringify(pieces));
});

Deno.test("a client that goes while an answer streams to it frees the model for the next", async () => {
  await using server = await start();
  const leaving = new AbortController(), body = { ...asked, model: HOSTILE, stream: true, max_tokens: 256 };
  const response = await fetch(`${server.base}/v1/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${TOKEN}`, "content-type": "application/json" },
    body: JSON.stringify(body),
    signal: leaving.signal,
  });
  const reader = response.body!.getReader();
  await reader.read();
  leaving.abort();
  await reader.read().catch(() => {});
  const next = await server.client.chat.completions.create(asked);
  assertEquals(next.choices.map(({ message }) => message.content), await direct());
  assertEquals([...Deno.readDirSync(images)], []);
});

Deno.test("what is streamed leaves while the model computes, an error after it is written, one before it thrown", async () => {
  const { inTurn, streamed } = takeTurns(2),
    work = () => {
      for (const end = performance.now() + 20; performance.now() < end;);
    };
  let isDone = false;
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    () =>
      streamed("text/plain", (error) => `${error}`, async (begin) => {
        const send = begin();
        for (let i = 0; i < 40; i++) {
          await send(`${i} `);
          work();
        }
        isDone = true;
        throw new Error("at last");
      }),
  );
  try {
    const { body } = await fetch(`http://127.0.0.1:${server.addr.port}`);
    const reader = body!.pipeThrough(new TextDecoderStream()).getReader();
    const [first, second] = [await reader.read(), await reader.read()];
    assertEquals([first.value?.startsWith("0 "), second.done, isDone], [true, false, false]);
    let rest = "";
    for (let read = second; !read.done; read = await reader.read()) rest += read.value;
    assert(rest.endsWith("39 Error: at last"), rest);
  } finally {
    await server.shutdown();
  }
  const failing = () => streamed("text/plain", String, () => Promise.reject(new Error("too early")));
  await assertRejects(failing, Error, "too early");
  const { promise, resolve } = Promise.withResolvers<void>(),
    busy = [inTurn(() => promise), inTurn(() => promise)];
  await assertRejects(failing, ChatError, "2 requests wait already");
  resolve();
  await Promise.all(busy);
});

Deno.test("a piece of an answer is what is new of it; half a character waits", () => {
  assertEquals(newPiece("", "left"), "left");
  assertEquals(newPiece("left", "left lung"), " lung");
  assertEquals(newPiece("left", "left \uFFFD"), " ");
  assertEquals(newPiece("left", "left \uFFFD", true), " \uFFFD");
  assertThrows(() => newPiece("é", "\uFFFD\uFFFD\uFFFD", true), Error, 'but "é" was sent of it');
  assertEquals([newPiece("left", "left"), newPiece("a", "b")], ["", ""]);
});

Deno.test("./lab evaluate's questions are answered by it", async () => {
  await using server = await start();
  const item = {
    id: "1",
    imageId: "1",
    imagePath: PICTURE,
    question: QUESTION,
    answer: "CT",
    choices: null,
    answerType: "open",
  };
  const endpoint = { baseURLs: [`${server.base}/v1`], model: "base" };
  const options = {
    runs: 1,
    temperature: 1,
    seed: 1,
    concurrency: 1,
    journalPath: join(dir, "journal.jsonl"),
    maxRetries: 0,
  };
  const { Secret } = await import("../../lib/llm/secret.ts");
  const [{ answer }] = await askServer(
    { ...endpoint, apiKey: new Secret(TOKEN) },
    [item as AskedItem],
    options,
  );
  const prefix = questionPrefix({ question: visionPrompt(item as AskedItem, false) });
  const prompt = { imagePath: PICTURE, prefix }, settings = { maxNewTokens: 128, batchSize: 1 };
  const [[own]] = await answerPrompts(opened.model, opened.tokenizer, opened.store, [prompt], settings);
  assertEquals(answer, own.text);
});

Deno.test("what a model cannot do is refused by name, never passed over", () => {
  const refused = (change: Record<string, unknown>) =>
    assertThrows(() => readChat({ ...asked, ...change }), ChatError).message;
  const message = (parts: unknown, role = "user") => ({ messages: [{ role, content: parts }] });
  assertMatch(refused({ tools: [] }), /tools/);
  assertMatch(refused({ logprobs: true }), /logprobs/);
  assertMatch(refused({ response_format: { type: "json_object" } }), /response_format/);
  assertMatch(refused({ stop: ["x"] }), /stop/);
  assertMatch(refused({ n: 3 }), /temperature above 0/);
  assertMatch(refused({ seed: 2 ** 31 }), /seed/);
  assertMatch(refused({ max_tokens: 0 }), /max_tokens/);
  assertMatch(refused(message(content(), "system")), /found system: this model knows no system prompt/);
  assertMatch(refused({ messages: [...asked.messages, ...asked.messages] }), /found user, user/);
  assertMatch(refused(message("which organ?")), /found 0 images and a text/);
  assertMatch(refused(message([...content(), content()[0]])), /found 2 images/);
  assertMatch(refused(message(content(" "))), /no text/);
  for (
    const address of [
      "http://127.0.0.1/a.png",
      "file:///etc/passwd",
      "data:image/png,x",
      "data:image/png;base64,====",
    ]
  ) {
    assertMatch(
      refused(message([{ type: "image_url", image_url: { url: address } }, content()[1]])),
      /image_url: /,
    );
  }
  const read = readChat({
    ...asked,
    temperature: 0.5,
    top_p: 0.9,
    seed: 4,
    user: "me",
    frequency_penalty: 0,
  });
  assertEquals([read.question, read.temperature, read.topP, read.seed, read.answers, read.stream], [
    QUESTION,
    0.5,
    0.9,
    4,
    1,
    false,
  ]);
  assertEquals(read.image, bytes);
});

Deno.test("only its own page and who holds the key are answered, JSON only, an image only", async () => {
  await using server = await start();
  const headers = { authorization: `Bearer ${TOKEN}`, "content-type": "application/json" };
  const post = async (
    change: HeadersInit,
    body: BodyInit = JSON.stringify(asked),
    path = "/v1/chat/completions",
  ) => {
    const response = await fetch(server.base + path, {
      method: "POST",
      headers: { ...headers, ...change as object },
      body,
    });
    const { error } = await response.json();
    return `${response.status} ${error?.message ?? ""}`;
  };
  assertMatch(await post({ authorization: "" }), /^401 The key is missing or wrong/);
  assertMatch(await post({ authorization: `Bearer ${TOKEN}x` }), /^401/);
  assertMatch(await post({ origin: "http://evil.test" }), /^403/);
  assertMatch(await post({ "content-type": "text/plain" }), /^415/);
  assertMatch(await post({}, "{"), /^400 The body is not JSON/);
  assertMatch(await post({}, "x".repeat(2 ** 25 + 1)), /^413/);
  assertMatch(
    await post({}, JSON.stringify({ ...asked, model: "gpt" })),
    /^404 There is no model "gpt"; expected base/,
  );
  assertMatch(await post({}, JSON.stringify(asked), "/v1/embeddings"), /^404/);
  assertMatch(
    await post({}, JSON.stringify({ image: btoa("text"), questions: [QUESTION] }), "/api/ask"),
    /^400 The image cannot be read/,
  );
  assertMatch(await post({}, JSON.stringify({ image: bytes.toBase64(), questions: [] }), "/api/ask"), /^400/);
  const long = "what is this ".repeat(600);
  assertMatch(
    await post({}, JSON.stringify({ ...asked, messages: [{ role: "user", content: content(long) }] })),
    /^400 Expected a prompt of at most 512 tokens/,
  );
  // Of Chinese, fewer characters than the page's limit are too many tokens.
  const pageBody = JSON.stringify({ image: bytes.toBase64(), questions: [QUESTION, "肺".repeat(1900)] });
  assertMatch(await post({}, pageBody, "/api/ask"), /^400 Expected a prompt of at most 512 tokens/);
  assertMatch(await post({}, JSON.stringify({ ...asked, temperature: 1e-300 })), /^400 temperature/);
  using connection = await Deno.connect({ hostname: "127.0.0.1", port: Number(new URL(server.base).port) });
  await connection.write(
    new TextEncoder().encode("GET / HTTP/1.1\r\nHost: evil.test\r\nConnection: close\r\n\r\n"),
  );
  assertMatch(await new Response(connection.readable).text(), /^HTTP\/1\.1 403/);
  const page = await fetch(server.base);
  assertEquals([page.status, page.headers.get("x-frame-options")], [200, "DENY"]);
  assert(!(await page.text()).includes(TOKEN));
  assertEquals([...Deno.readDirSync(images)], []);
});

Deno.test("a request of a client that has gone is no fault, and a fault is told to the client as any other error", async () => {
  const told: unknown[] = [], { error: tell } = console;
  console.error = (fault) => void told.push(fault);
  try {
    await using server = await start();
    const gone = await Deno.connect({ hostname: "127.0.0.1", port: Number(new URL(server.base).port) });
    await gone.write(
      new TextEncoder().encode(
        "POST /api/ask HTTP/1.1\r\nHost: localhost\r\n" +
          `Authorization: Bearer ${TOKEN}\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{`,
      ),
    );
    await delay(200);
    gone.close();
    await delay(200);
    assertEquals(told, []);
    const ask = { image: bytes.toBase64(), questions: [QUESTION] };
    await Deno.rename(images, `${images}-away`);
    const headers = { authorization: `Bearer ${TOKEN}`, "content-type": "application/json" };
    const failed = await fetch(`${server.base}/api/ask`, {
      method: "POST",
      headers,
      body: JSON.stringify(ask),
    });
    assertEquals([failed.status, (await failed.json()).error.type, told.length], [500, "server_error", 1]);
  } finally {
    await Deno.rename(`${images}-away`, images);
    console.error = tell;
  }
});

Deno.test({
  name:
    "[needs Chromium] the page answers about a chosen picture by both models, beside a grey one, with maps; texts stay texts",
  ignore: chrome === undefined,
  fn: async () => {
    await using server = await start(HOSTILE);
    const [expected] = await direct();
    await withPage(async (page) => {
      const errors: string[] = [], elsewhere: string[] = [];
      page.on("pageerror", (error) => errors.push(error.message));
      page.on("console", (message) => message.type() === "error" && errors.push(message.text()));
      page.on(
        "request",
        (request) =>
          request.url().startsWith(server.base) || request.url().startsWith("data:") ||
          elsewhere.push(request.url()),
      );
      await page.goto(`${server.base}/#${TOKEN}`);
      assertEquals(await page.textContent("#notice"), `Note: ${HOSTILE}.`);
      await page.setInputFiles("#file", PICTURE);
      await page.fill("#questions", `${QUESTION}\n${HOSTILE}?`);
      await page.click("#ask");
      await page.locator("#status", { hasText: "Answered." }).waitFor({ timeout: 120_000 });
      assertEquals(await page.locator("article h2").allTextContents(), [QUESTION, `${HOSTILE}?`]);
      assertEquals(await page.locator("figure .answer").first().textContent(), expected);
      assertEquals(await page.locator("figure").count(), 4);
      const drawn = () =>
        page.locator("canvas").first().evaluate((canvas) =>
          (canvas as unknown as { toDataURL(): string }).toDataURL()
        );
      const rollout = await drawn();
      await page.selectOption("#map", "raw");
      const raw = await drawn();
      await page.selectOption("#map", "none");
      assertEquals(new Set([rollout, raw, await drawn()]).size, 3);
      assertEquals([errors, elsewhere, await page.evaluate(() => "owned" in globalThis)], [[], [], false]);
      const shot = Deno.env.get("LAB_SHOT");
      if (shot) await page.screenshot({ path: shot, fullPage: true });
    });
  },
});
