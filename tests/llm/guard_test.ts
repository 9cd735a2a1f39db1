import { assert, assertEquals } from "@std/assert";
import { join } from "@std/path";
import { paths } from "@lib/config/mod.ts";
import { complete, startEmbeddedServer } from "@lib/llm/mod.ts";
import { EMBEDDED_MODEL_SHA256 } from "@lib/llm/embedded.ts";

const llm = join(import.meta.dirname!, "../../lib/llm"), python = join(paths.venv, "bin/python");
const messages = [{ role: "user" as const, content: "Name an organ." }];
const request = { messages, seed: 1, temperature: 0, maxTokens: 4 };
const nested = (n: number) => "[".repeat(n) + "]".repeat(n);

/** A body whose schema is `schema`. */
const asking = (schema: unknown) => ({
  messages,
  max_tokens: 4,
  response_format: { type: "json_schema", json_schema: { name: "x", strict: true, schema } },
});
const deep = (n: number) => `{"type":"array","items":`.repeat(n) + `{"type":"string"}` + "}".repeat(n);

/** What is sent with the right key -> the status it gets. */
const BODIES: [string, string | object, number][] = [
  ["a grammar of 50,000 brackets", {
    messages,
    grammar: `root ::= ${"(".repeat(50_000)}"a"${")".repeat(50_000)}`,
  }, 400],
  ["a small grammar", { messages, grammar: 'root ::= "a"' }, 400],
  ["a schema of 30,000 levels", JSON.stringify(asking("X")).replace('"X"', deep(30_000)), 400],
  ["a schema with a pattern", asking({ type: "string", pattern: "((a{999}){999}){999}" }), 400],
  ["a schema that refers to itself", asking({ $ref: "#" }), 400],
  ["a schema with a billion characters", asking({ type: "string", maxLength: 1e9 }), 400],
  ["a schema that is long", asking({ type: "string", enum: Array(5000).fill("word") }), 400],
  ["a schema that is none", asking([1]), 400],
  ["200,000 brackets", nested(200_000), 400],
  ["half a JSON text", '{"messages": [', 400],
  ["a list", "[]", 400],
  ["two megabytes", { messages: [{ role: "user", content: "x".repeat(2 ** 21) }] }, 413],
  ["more than the context", { messages: [{ role: "user", content: "x y ".repeat(10_000) }] }, 400],
];

Deno.test("the embedded server takes its own client's requests and survives all others", async (t) => {
  const planted = {
    HF_TOKEN: "hf_planted_1",
    TEACHER_API_KEY: "sk_planted_2",
    JUDGE_API_KEY: "sk_planted_3",
  };
  for (const [name, value] of Object.entries(planted)) Deno.env.set(name, value);
  await using server = await startEmbeddedServer();
  for (const name of Object.keys(planted)) Deno.env.delete(name);
  const base = server.baseURLs[0], chat = `${base}/chat/completions`;
  const json = { "content-type": "application/json" };
  const keyed = { ...json, authorization: `Bearer ${server.apiKey.reveal()}` };
  const status = async (url: string, init: RequestInit) => {
    const response = await fetch(url, init);
    await response.body?.cancel();
    return response.status;
  };
  const body = JSON.stringify({ messages, max_tokens: 4 });
  const post = (headers: HeadersInit) => status(chat, { method: "POST", body, headers });

  await t.step("no secret of this process is in its environment", async () => {
    const own = await childrenWith("embedded_server.py");
    assertEquals(own.length, 1);
    const environment = await Deno.readTextFile(`/proc/${own[0]}/environ`);
    const names = environment.split("\0").filter(Boolean).map((pair) => pair.split("=")[0]);
    // Python, which ties the server to this process, names the encoding.
    assertEquals(names.filter((name) => !["LD_LIBRARY_PATH", "TMPDIR", "LC_CTYPE"].includes(name)), []);
    assert(!environment.includes("planted"));
    const command = await Deno.readTextFile(`/proc/${own[0]}/cmdline`);
    assert(!command.includes(server.apiKey.reveal()));
  });

  await t.step("without the key, from a page, as text or elsewhere: refused", async () => {
    assertEquals(await post(json), 401);
    assertEquals(await post({ ...json, authorization: "Bearer wrong" }), 401);
    assertEquals(await post({ ...keyed, authorization: "Bearer \xe9" }), 401);
    assertEquals(await post({ ...keyed, origin: "https://evil.example" }), 403);
    assertEquals(await post({ ...keyed, "content-type": "text/plain" }), 415);
    assertEquals(await status(`${base}/models`, {}), 401);
    for (const path of ["/props", "/slots", "/metrics", "/", "/v1/completions", "/v1/chat/completions"]) {
      assertEquals(await status(new URL(path, base).href, { headers: keyed }), 404, path);
    }
    const options = await status(chat, { method: "OPTIONS", headers: { origin: "https://evil.example" } });
    assert(options >= 400);
    const stream = new Blob([body]).stream();
    assertEquals(await status(chat, { method: "POST", body: stream, headers: keyed }), 411);
    const other = await rawStatus(new URL(base), `GET /v1/models HTTP/1.1\r\nHost: evil.example\r\n\r\n`);
    assertEquals(other, 403);
  });

  for (const [what, sent, expected] of BODIES) {
    await t.step(`${what}: ${expected}`, async () => {
      const text = typeof sent === "string" ? sent : JSON.stringify(sent);
      const response = await fetch(chat, { method: "POST", body: text, headers: keyed });
      const said = await response.text();
      assertEquals(response.status, expected, said.slice(0, 200));
      assert(said.length < 500 && JSON.parse(said).error.message.length > 0);
    });
  }

  await t.step("when a client leaves, the model is free for the next", async () => {
    const leave = AbortSignal.timeout(300);
    const long = { ...request, maxTokens: 700 };
    await complete(server, long, { signal: leave }).catch(() => {});
    const start = performance.now();
    const { text } = await complete(server, request);
    assert(text.length > 0);
    assert(performance.now() - start < 15_000, "the abandoned request went on");
  });
});

/** Ids of this process's children whose command line has `word`. */
async function childrenWith(word: string): Promise<number[]> {
  const found: number[] = [];
  for await (const { name } of Deno.readDir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const read = (file: string) => Deno.readTextFile(`/proc/${name}/${file}`).catch(() => "");
    const parent = /^PPid:\s+(\d+)$/m.exec(await read("status"))?.[1];
    if (Number(parent) === Deno.pid && (await read("cmdline")).includes(word)) found.push(Number(name));
  }
  return found;
}

/** Sends bytes as they are; the status of the answer, null when the connection was closed without one. */
async function rawStatus({ hostname, port }: URL, text: string): Promise<number | null> {
  using connection = await Deno.connect({ hostname, port: Number(port) });
  await connection.write(new TextEncoder().encode(text));
  const piece = new Uint8Array(64);
  const n = await connection.read(piece);
  return n === null ? null : Number(new TextDecoder().decode(piece.subarray(0, n)).split(" ")[1]);
}

Deno.test("connections that are silent or drip are closed, and do not keep others out for long", async () => {
  const code = "import sys, embedded_guard as g; g.READ_S = 1; g.MAX_CONNECTIONS = 8; " +
    "print(g.serve('http://127.0.0.1:9', 'inner', 'key'), flush=True); sys.stdin.read()";
  const child = new Deno.Command(python, { args: ["-c", code], cwd: llm, stdin: "piped", stdout: "piped" })
    .spawn();
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const base = new URL((await reader.read()).value!.trim());
  const held: Deno.Conn[] = [];
  for (let i = 0; i < 20; i++) {
    held.push(await Deno.connect({ hostname: base.hostname, port: Number(base.port) }));
  }
  const start = performance.now();
  const closed = await Promise.all(held.map(async (connection, i) => {
    const drip = i % 2 === 0
      ? setInterval(() => connection.write(new Uint8Array([65])).catch(() => {}), 100)
      : 0;
    const n = await connection.read(new Uint8Array(16)).catch(() => null);
    clearInterval(drip);
    connection.close();
    return n;
  }));
  assertEquals(closed, Array(20).fill(null));
  assert(performance.now() - start < 8_000);
  assertEquals((await fetch(base)).status, 401);
  await reader.cancel();
  await child.stdin.close();
  await child.status;
});

Deno.test("Linux ends the server with the process that started it, though its standard input stays open", async () => {
  const script = `exec 3<&0; "$0" -I -S "$3" $$ "$0" -s -B "$1" "$2" 768 <&3 & wait`; // as tiedCommand
  const parent = new Deno.Command("sh", {
    args: [
      "-c",
      script,
      python,
      join(llm, "embedded_server.py"),
      EMBEDDED_MODEL_SHA256,
      join(llm, "../config/end_with_parent.py"),
    ],
    env: { LD_LIBRARY_PATH: join(paths.venv, "lib/gomp") },
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const lifeline = parent.stdin.getWriter();
  await lifeline.write(new TextEncoder().encode("key\n"));
  const reader = parent.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const { address, error } = JSON.parse((await reader.read()).value!) as { address: string; error?: string };
  assertEquals(error, undefined);
  const answers = () => fetch(address).then((r) => r.text()).then(() => true, () => false);
  assert(await answers());
  parent.kill("SIGKILL");
  for (let i = 0; i < 50 && await answers(); i++) await new Promise((resolve) => setTimeout(resolve, 100));
  assert(!await answers(), "the server still answers five seconds after its parent was killed");
  await reader.cancel();
  await lifeline.close().catch(() => {});
  await parent.status;
});
