import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { delay } from "@std/async";
import { join } from "@std/path";
import { z } from "zod";
import { paths } from "@lib/config/mod.ts";
import { complete, LlmError, startEmbeddedServer } from "@lib/llm/mod.ts";
import { EMBEDDED_MODEL_SHA256 } from "@lib/llm/embedded.ts";
import { servers } from "./server_processes.ts";

const schema = {
  name: "reply",
  schema: {
    type: "object",
    properties: { organ: { type: "string", maxLength: 20 } },
    required: ["organ"],
    additionalProperties: false,
  },
};
const request = {
  messages: [{ role: "user" as const, content: 'Name an organ as JSON, like {"organ": "liver"}.' }],
  schema,
  seed: 3,
  temperature: 0.7,
  maxTokens: 24,
};

Deno.test("the embedded model answers within the schema, the same for the same seed, and ends with stop()", async () => {
  const server = await startEmbeddedServer();
  try {
    assert(server.baseURLs[0].startsWith("http://127.0.0.1:"));
    const done = await complete(server, request);
    z.strictObject({ organ: z.string().max(20) }).parse(JSON.parse(done.text));
    assert(done.completionTokens! > 0 && done.completionTokens! <= 24 && done.promptTokens! > 0);
    assertEquals(done.model, server.model);
    assertEquals((await complete(server, request)).text, done.text);
  } finally {
    await server.stop();
  }
  await assertRejects(() => complete(server, request, { maxRetries: 0 }), LlmError, "unreachable");
});

Deno.test("several processes are one endpoint and all end with stop()", async () => {
  const server = await startEmbeddedServer({ processes: 2 });
  try {
    assertEquals(new Set(server.baseURLs).size, 2);
    const both = await Promise.all([complete(server, request), complete(server, request)]);
    assertEquals(both[0].text, both[1].text);
  } finally {
    await server.stop();
  }
  for (const baseURL of server.baseURLs) {
    await assertRejects(() => fetch(`${baseURL}/models`));
  }
});

Deno.test("a start that is stopped ends within two seconds, leaves no process, and can be made again", async () => {
  const stop = new AbortController(), reason = new Error("stopped by the test"), { signal } = stop;
  const starting = startEmbeddedServer({ processes: 2, signal });
  for (let i = 0; servers().length < 2 && i < 100; i++) await delay(1); // a process has its name a moment after its start
  assertEquals(servers().length, 2);
  setTimeout(() => stop.abort(reason), 50);
  const begun = performance.now();
  assertEquals(await assertRejects(() => starting), reason);
  assert(performance.now() - begun < 2000);
  assertEquals(servers(), []);
  assertEquals(await assertRejects(() => startEmbeddedServer({ signal })), reason);
  const later = new AbortController();
  await using server = await startEmbeddedServer({ signal: later.signal });
  later.abort(reason); // what has started goes on
  assert((await complete(server, request)).text);
});

Deno.test("a model file that is not the pinned one is refused", async () => {
  const script = join(import.meta.dirname!, "../../lib/llm/embedded_server.py");
  const { stdout, code } = await new Deno.Command(join(paths.venv, "bin/python"), {
    args: [script, "0".repeat(64), "128"],
    stdin: "null",
    stderr: "null",
  }).output();
  const said = JSON.parse(new TextDecoder().decode(stdout)) as { error: string };
  assertEquals(code, 1);
  assertStringIncludes(said.error, `expected sha256 ${"0".repeat(64)}, found ${EMBEDDED_MODEL_SHA256}`);
});

Deno.test("the embedded server goes away with the process that started it, even if that is killed", async () => {
  const parent = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", join(import.meta.dirname!, "embedded_parent.ts")],
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const reader = parent.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const { value } = await reader.read();
  assert(value, "the parent printed no address");
  const { baseURL, key } = JSON.parse(value) as { baseURL: string; key: string };
  const models = `${baseURL}/models`, headers = { authorization: `Bearer ${key}` };
  assertStringIncludes(await (await fetch(models, { headers })).text(), "SmolLM2");
  parent.kill("SIGKILL");
  await parent.status;
  await reader.cancel();
  let alive = true;
  for (let i = 0; i < 50 && alive; i++) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    alive = await fetch(models, { headers }).then((reply) => reply.text().then(() => true), () => false);
  }
  assert(!alive, "the server still answers five seconds after its parent was killed");
});
