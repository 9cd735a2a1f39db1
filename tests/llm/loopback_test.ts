import { assert, assertEquals, assertRejects } from "@std/assert";
import { complete, type Job, runJobs } from "@lib/llm/mod.ts";
import { startReplayServer } from "../support/replay_server.ts";
import { Secret } from "@lib/llm/secret.ts";
import { isLoopback } from "@lib/llm/loopback.ts";

const HERE = [
  "http://127.0.0.1:8000/v1",
  "http://127.8.9.10/v1",
  "http://localhost:11434/v1",
  "http://LOCALHOST/v1",
  "https://[::1]:8000/v1",
  "http://[0:0:0:0:0:0:0:1]/v1",
  "http://0x7f000001/v1",
  "http://2130706433/v1",
  "http://127.1/v1",
  "http://0177.0.0.1/v1",
  "http://evil.example@127.0.0.1/v1",
];

const ELSEWHERE = [
  "http://127.0.0.1.example.com/v1",
  "http://localhost.example/v1",
  "http://localhost.localdomain/v1",
  "http://notlocalhost/v1",
  "http://127.0.0.1@example.com/v1",
  "http://localhost:pass@example.com/v1",
  "http://example.com#@127.0.0.1/v1",
  "http://example.com?127.0.0.1/v1",
  "http://example.com/127.0.0.1/v1",
  "http://0x80000001/v1",
  "http://128.0.0.1/v1",
  "http://0.0.0.0:8000/v1",
  "http://10.0.0.1/v1",
  "http://[::]/v1",
  "http://[::2]/v1",
  "http://[::ffff:127.0.0.1]/v1",
  "http://[64:ff9b::7f00:1]/v1",
  "https://api.openai.com/v1",
];

Deno.test("an address is this machine, or only looks like it", () => {
  for (const address of HERE) assert(isLoopback(address), address);
  for (const address of ELSEWHERE) assert(!isLoopback(address), address);
});

const jobs = (n: number, marked: number[]): Job[] =>
  Array.from({ length: n }, (_, i) => ({
    id: `job ${i}`,
    request: { messages: [{ role: "user", content: `say ${i}` }], seed: i, temperature: 0, maxTokens: 5 },
    ...(marked.includes(i) ? { noThirdParty: true } : {}),
  }));

Deno.test("rows that must stay here are refused before anything is sent, when one server of several is elsewhere", async () => {
  const folder = await Deno.makeTempDir();
  const server = startReplayServer(() => "fine");
  const options = { concurrency: 2, journalPath: `${folder}/deep/journal.jsonl` };
  try {
    for (const address of ELSEWHERE) {
      const baseURLs = [server.baseURL, address], apiKey = new Secret("sk-planted-key");
      const error = await assertRejects(
        () => runJobs({ baseURLs, model: "m", apiKey }, jobs(9, [3, 8]), options),
        Error,
        `2 of 9 requests carry rows that must not be sent to a third party, but ${new URL(address).host} is`,
      );
      assert(!Deno.inspect(error).includes("planted") && !error.message.includes("pass"));
      await assertRejects(
        () => complete({ baseURLs, model: "m" }, jobs(1, [])[0].request, { noThirdParty: true }),
        Error,
        "1 of 1 requests",
      );
    }
    assertEquals([server.requests.length, [...Deno.readDirSync(folder)].length], [0, 0]);
    const here = await runJobs({ baseURLs: [server.baseURL], model: "m" }, jobs(9, [3, 8]), options);
    assertEquals(here.map((outcome) => outcome.completion?.text), new Array(9).fill("fine"));
    assertEquals((await Deno.stat(options.journalPath)).mode! & 0o777, 0o600);
  } finally {
    await server.stop();
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("a request to this machine passes by the proxy of the environment, which is left as it was", async () => {
  const server = startReplayServer(() => "direct");
  let proxied = 0;
  const proxy = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, () => {
    proxied++;
    return new Response("no", { status: 502 });
  });
  const names = ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "NO_PROXY", "no_proxy"];
  const before = names.map((name) => Deno.env.get(name));
  try {
    names.slice(0, 3).forEach((name) => Deno.env.set(name, `http://127.0.0.1:${proxy.addr.port}`));
    Deno.env.delete("NO_PROXY");
    Deno.env.set("no_proxy", "example.com");
    const client = Deno.createHttpClient({}); // as the environment says
    const { port } = new URL(server.baseURL);
    for (const host of ["127.0.0.1", "localhost"]) {
      const endpoint = { baseURLs: [`http://${host}:${port}/v1`], model: "m" };
      assertEquals((await complete(endpoint, jobs(1, [])[0].request)).text, "direct");
      assertEquals(proxied, 0);
    }
    assertEquals([Deno.env.get("NO_PROXY"), Deno.env.get("no_proxy")], [undefined, "example.com"]);
    await (await fetch(`http://127.0.0.1:${port}/v1/models`, { client })).body?.cancel();
    assertEquals(proxied, 1, "the proxy of this test is one");
    client.close();
  } finally {
    names.forEach((name, i) =>
      before[i] === undefined ? Deno.env.delete(name) : Deno.env.set(name, before[i]!)
    );
    await Promise.all([server.stop(), proxy.shutdown()]);
  }
});
