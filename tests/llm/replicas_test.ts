import { assert, assertEquals, assertRejects } from "@std/assert";
import { type Endpoint, LlmError, runJobs } from "@lib/llm/mod.ts";
import { readJournal } from "@lib/llm/journal.ts";
import {
  completion,
  type FaultServer,
  type Reaction,
  reply,
  said,
  startFaultServer,
} from "./fault_server.ts";
import { sayings, withJournal } from "./sayings.ts";

const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const slowly = (ms: number) => async (words: string): Promise<Reaction> => {
  await wait(ms);
  return said(`heard ${words}`);
};
const portOf = ({ baseURL }: FaultServer) => Number(new URL(baseURL).port);
const endpointOf = (...servers: FaultServer[]): Endpoint => ({
  baseURLs: servers.map(({ baseURL }) => baseURL),
  model: "m",
});

Deno.test("a replica that dies loses nothing, and gets requests again when it is back", async () => {
  await withJournal(async (journalPath) => {
    const [steady, dying] = [startFaultServer(slowly(10)), startFaultServer(slowly(10))];
    let back: FaultServer | undefined;
    const asked = () => [steady, dying, back].flatMap((server) => server?.asked ?? []);
    let lost = 0;
    const onProgress = async ({ done }: { done: number }) => {
      if (done === 20) {
        lost = -dying.asked.length;
        await dying.stop();
      }
      if (done === 120) back = startFaultServer(slowly(10), { port: portOf(dying) });
    };
    const outcomes = await runJobs(endpointOf(steady, dying), sayings(400), {
      concurrency: 8,
      journalPath,
      retryDelayMs: 20,
      onProgress: (progress) => void onProgress(progress),
    });
    lost += dying.asked.length;
    assert(outcomes.every(({ completion }, i) => completion?.text === `heard say ${i}`));
    const served = new Map<string | null, number>();
    for (const { completion } of outcomes) {
      served.set(completion!.server, (served.get(completion!.server) ?? 0) + 1);
    }
    assertEquals(served.size, 2);
    assert(back!.asked.length > 20, `${back!.asked.length} requests after it was back`);
    const repeated = asked().length - 400;
    assert(repeated <= 8 && lost <= 8, `${repeated} asked again: at most those in flight when it died`);
    assertEquals((await readJournal(journalPath)).length, 400);
    await Promise.all([steady.stop(), back!.stop()]);
  });
});

Deno.test("a run ends when all replicas are gone, and goes on where it was when one is back", async () => {
  await withJournal(async (journalPath) => {
    const servers = Array.from({ length: 6 }, () => startFaultServer(slowly(5)));
    const endpoint = endpointOf(...servers);
    const options = { concurrency: 6, journalPath, maxRetries: 3, retryDelayMs: 10 };
    const onProgress = ({ done }: { done: number }) =>
      void (done === 30 && servers.forEach((server) => server.stop()));
    const error = await assertRejects(
      () => runJobs(endpoint, sayings(200), { ...options, onProgress }),
      LlmError,
      "is the server running?",
    );
    assertEquals(error.kind, "unreachable");
    const kept = (await readJournal(journalPath)).filter(({ completion }) => completion).length;
    assert(kept >= 30 && kept < 60, `${kept}`);
    const again = startFaultServer(slowly(1), { port: portOf(servers[5]) });
    const outcomes = await runJobs(endpoint, sayings(200), options);
    assert(outcomes.every(({ completion }, i) => completion?.text === `heard say ${i}`));
    assertEquals([outcomes.filter(({ resumed }) => resumed).length, again.asked.length], [kept, 200 - kept]);
    await again.stop();
  });
});

Deno.test("a Retry-After of one request holds all requests to its server, but not to others", async () => {
  await withJournal(async (journalPath) => {
    const times: number[] = [];
    const busy = (ms: number): Reaction => ({
      writes: [
        reply(`{"error":{"message":"slow down"}}`, { status: 429, headers: `retry-after: ${ms / 1000}\r\n` }),
      ],
    });
    const server = startFaultServer((words, attempt) => {
      times.push(performance.now());
      return words === "say 4" && attempt === 0 ? busy(400) : slowly(5)(words);
    });
    const other = startFaultServer(slowly(5));
    await runJobs(endpointOf(server), sayings(40), { concurrency: 4, journalPath });
    const gaps = times.slice(1).map((time, i) => time - times[i]).sort((a, b) => b - a);
    assert(gaps[0] >= 380, `a pause of ${gaps[0].toFixed()} ms`);
    assertEquals(server.asked.length, 41);
    const start = performance.now();
    const limited = startFaultServer(() => busy(30_000));
    const outcomes = await runJobs(endpointOf(limited, other), sayings(20), {
      concurrency: 4,
      journalPath: `${journalPath}.2`,
    });
    assert(outcomes.every(({ completion }) => completion) && performance.now() - start < 10_000);
    assert(limited.asked.length <= 4);
    await Promise.all([server.stop(), other.stop(), limited.stop()]);
  });
});

Deno.test("rate limits fail no job as long as the server completes others", async () => {
  await withJournal(async (journalPath) => {
    let left = 3;
    const refill = setInterval(() => left = 3, 50);
    const limited = (): Reaction => ({
      writes: [reply(`{"error":{"message":"slow down"}}`, { status: 429 })],
    });
    const server = startFaultServer((words) => left-- > 0 ? said(`heard ${words}`) : limited());
    const outcomes = await runJobs(endpointOf(server), sayings(120), {
      concurrency: 32,
      journalPath,
      maxRetries: 2,
      retryDelayMs: 60,
    });
    assertEquals(outcomes.filter(({ error }) => error).map(({ error }) => error), []);
    assert(server.asked.length < 500, `${server.asked.length} requests for 120: pauses grow`);
    clearInterval(refill);
    await server.stop();
  });
});

Deno.test("a replica that hangs gets fewer and fewer requests", async () => {
  await withJournal(async (journalPath) => {
    const [fast, hung] = [startFaultServer(slowly(40)), startFaultServer(() => ({ then: "hang" }))];
    const endpoint = { ...endpointOf(fast, hung), timeoutSeconds: 0.5 };
    const outcomes = await runJobs(endpoint, sayings(1000), {
      concurrency: 16,
      journalPath,
      retryDelayMs: 1,
    });
    assert(outcomes.every(({ completion }) => completion));
    assert(hung.asked.length < 45, `${hung.asked.length}: 8, 4, 2, then one every half second`);
    await Promise.all([fast.stop(), hung.stop()]);
  });
});

Deno.test("requests keep to the limits per minute, retries included", async () => {
  await withJournal(async (journalPath) => {
    const times: number[] = [];
    const server = startFaultServer((words, attempt) => {
      times.push(performance.now());
      return words === "say 1" && attempt === 0 ? { writes: [reply("{}", { status: 500 })] } : said(words);
    });
    const run = (limits: Partial<Endpoint>, name: string) =>
      runJobs({ ...endpointOf(server), ...limits }, sayings(5), {
        concurrency: 5,
        journalPath: journalPath + name,
        retryDelayMs: 1,
      });
    await run({ requestsPerMinute: 600 }, "requests");
    assertEquals(times.length, 6);
    assert(times[5] - times[0] >= 480, `six requests in ${times[5] - times[0]} ms`);
    times.length = 0;
    await run({ tokensPerMinute: 4200 }, "tokens"); // two of "say 0", five to generate: seven tokens are 100 ms
    assertEquals(times.length, 5);
    assert(times[4] - times[0] >= 380, `five requests in ${times[4] - times[0]} ms`);
    const signal = AbortSignal.timeout(50), start = performance.now();
    const options = { concurrency: 2, journalPath: `${journalPath}.abort`, signal };
    await assertRejects(() => runJobs({ ...endpointOf(server), requestsPerMinute: 1 }, sayings(5), options));
    assert(performance.now() - start < 5000);
    await server.stop();
  });
});

Deno.test("a refusal and an empty reply are answers: paid for, journalled, and not asked again", async () => {
  await withJournal(async (journalPath) => {
    const server = startFaultServer((words) => {
      if (words === "say 1") return { writes: [reply(completion({ content: "", refusal: "I cannot" }))] };
      if (words === "say 2") return said("");
      if (words === "say 3") return { writes: [reply(`{"error":{"message":"too long"}}`, { status: 400 })] };
      return said(words);
    });
    const endpoint = { ...endpointOf(server), price: { input: 2, output: 10 } };
    const costs: (number | null)[] = [];
    const run = () =>
      runJobs(endpoint, sayings(5), {
        concurrency: 2,
        journalPath,
        onProgress: ({ cost }) => void costs.push(cost),
      });
    const first = await run();
    assertEquals(first.map(({ reason }) => reason), [undefined, "refusal", "empty", "rejected", undefined]);
    assert(first[1].error!.endsWith("refusal: I cannot"));
    assertEquals([costs[0], costs.at(-1)], [0, 4 * (3 * 2 + 2 * 10) / 1e6]);
    const second = await run();
    assertEquals(second.map(({ resumed }) => resumed), [true, true, true, false, true]);
    assertEquals(second.map(({ reason }) => reason), first.map(({ reason }) => reason));
    assertEquals(server.asked.length, 6);
    await server.stop();
  });
});
