import { assertEquals, assertRejects } from "@std/assert";
import { complete, LlmError, startEmbeddedServer } from "@lib/llm/mod.ts";
import { servers } from "./server_processes.ts";

const INSTRUCTION = `You write exam questions about radiology images. You are given the caption of one image.
Write one short question that a reader can answer from the image alone, and its short answer. Ask about the modality,
the organ, the side or the finding. Do not ask about history, age, treatment or causes.`;

/** Requests of a long common beginning, of which a server remembers what it has computed. */
const requests = Array.from({ length: 14 }, (_, i) => ({
  messages: [
    { role: "system" as const, content: INSTRUCTION },
    {
      role: "user" as const,
      content: `Caption: Image of the ${["left", "right"][i % 2]} lung, ${i} nodules.`,
    },
  ],
  seed: i,
  temperature: 0.7,
  maxTokens: 32,
}));

Deno.test("equal seeds give equal replies: from any of the servers, in any order, after a request that was cut off", async () => {
  await using server = await startEmbeddedServer({ processes: 2 });
  const [first, second] = server.baseURLs.map((baseURL) => ({ ...server, baseURLs: [baseURL] }));
  const cut = complete(second, requests[5], { signal: AbortSignal.timeout(300) }).catch(() => null);
  const ask = async (endpoint: typeof first, order: number[]) => {
    const texts: string[] = [];
    for (const i of order) texts[i] = (await complete(endpoint, requests[i])).text;
    return texts;
  };
  const order = requests.map((_, i) => i);
  await cut;
  const [there, back] = await Promise.all([ask(first, order), ask(second, order.toReversed())]);
  assertEquals(back, there);
});

Deno.test("equal seeds give equal replies after a server was stopped past the client's patience, and from one that steps in", async () => {
  await using first = await startEmbeddedServer();
  const [pid] = servers().map(Number);
  await using second = await startEmbeddedServer();
  const some = requests.slice(0, 3);
  const ask = async (endpoint: typeof first) => {
    const texts: string[] = [];
    for (const request of some) texts.push((await complete(endpoint, request)).text);
    return texts;
  };
  const before = await ask(first), impatient = { ...first, timeoutSeconds: 2 };
  Deno.kill(pid, "SIGSTOP");
  try {
    await assertRejects(() => complete(impatient, some[0], { maxRetries: 0 }), LlmError);
    assertEquals(await ask(second), before);
  } finally {
    Deno.kill(pid, "SIGCONT");
  }
  assertEquals(await ask(first), before);
});
