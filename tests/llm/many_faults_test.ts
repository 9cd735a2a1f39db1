import { assert, assertEquals } from "@std/assert";
import { rng } from "@lib/config/mod.ts";
import { type LlmErrorKind, runJobs } from "@lib/llm/mod.ts";
import { readJournal } from "@lib/llm/journal.ts";
import { completion, type Reaction, reply, said, startFaultServer } from "./fault_server.ts";
import { sayings, withJournal } from "./sayings.ts";

const status = (code: number, headers = ""): Reaction => ({
  writes: [reply(`{"error":{"message":"no luck"}}`, { status: code, headers })],
});
const whole = reply(completion({ content: "fine" }));

/** Faults of a first attempt, with their share of all requests. */
const PASSING: [number, Reaction][] = [
  [0.02, status(429)],
  [0.01, status(429, "retry-after: 0.01\r\n")],
  [0.07, status(500)],
  [0.02, { writes: [reply("<html>bad gateway</html>", { status: 502, type: "text/html" })] }],
  [0.02, { then: "close" }],
  [0.01, { writes: [whole.slice(0, -9)], then: "close" }],
  [0.01, { writes: [reply(`{"choices": [{"mess`)] }],
  [0.002, { then: "hang" }],
];
/** Replies of every attempt, with their share, the reason they give and the attempts they take. */
const LASTING: [number, LlmErrorKind, number, Reaction][] = [
  [0.01, "refusal", 1, { writes: [reply(completion({ content: null, refusal: "I cannot" }))] }],
  [0.01, "empty", 1, said("")],
  [0.01, "rejected", 1, status(400)],
  [0.005, "server", 5, status(503)],
  [0.003, "malformed", 5, { writes: [reply("[]")] }],
];

/** What happens to a request, drawn by its words. */
function fateOf(words: string): { fault: Reaction | null; reason: LlmErrorKind | null; attempts: number } {
  let left = rng(`fate of ${words}`)();
  for (const [share, reason, attempts, fault] of LASTING) {
    if ((left -= share) < 0) return { fault, reason, attempts };
  }
  for (const [share, fault] of PASSING) if ((left -= share) < 0) return { fault, reason: null, attempts: 2 };
  return { fault: null, reason: null, attempts: 1 };
}

Deno.test("10,000 requests with 20% faults: every row is accounted for, each asked exactly as often as needed", async () => {
  const jobs = sayings(10_000);
  const fates = jobs.map(({ request }) => fateOf(request.messages[0].content as string));
  const attempts = new Map<string, number>();
  const react = (words: string): Reaction => {
    const attempt = attempts.get(words) ?? 0;
    attempts.set(words, attempt + 1);
    const { fault, reason } = fateOf(words);
    return fault && (reason || attempt === 0) ? fault : said(`heard ${words}`);
  };
  const servers = [startFaultServer(react), startFaultServer(react)];
  const endpoint = { baseURLs: servers.map(({ baseURL }) => baseURL), model: "m", timeoutSeconds: 3 };
  await withJournal(async (journalPath) => {
    const options = { concurrency: 64, journalPath, retryDelayMs: 2 };
    const before = Deno.memoryUsage().rss, start = performance.now();
    let peak = 0;
    const onProgress = () => void (peak = Math.max(peak, Deno.memoryUsage().rss));
    const outcomes = await runJobs(endpoint, jobs, { ...options, onProgress });
    const seconds = (performance.now() - start) / 1000, grown = (peak - before) / 2 ** 20;

    outcomes.forEach(({ id, completion, reason }, i) => {
      assertEquals([id, reason ?? null], [`job ${i}`, fates[i].reason]);
      if (!reason) assertEquals(completion!.text, `heard say ${i}`);
    });
    const faulty = fates.filter(({ fault }) => fault !== null).length;
    assert(faulty > 1900 && faulty < 2300, `${faulty}`);
    // A request whose kept-alive connection closes without a word is sent again by fetch itself: that is its second time.
    jobs.forEach(({ request }, i) =>
      assertEquals(attempts.get(`${request.messages[0].content}`), fates[i].attempts)
    );
    const asked = servers[0].asked.length + servers[1].asked.length;
    assertEquals(asked, fates.reduce((sum, { attempts }) => sum + attempts, 0));
    assertEquals(new Set((await readJournal(journalPath)).map(({ id }) => id)).size, 10_000);
    assert(grown < 400, `${grown} MiB more memory`);
    console.log(`${asked} requests in ${seconds.toFixed(1)} s, at most ${grown.toFixed()} MiB more memory`);

    const again = await runJobs(endpoint, jobs, options);
    const open = fates.filter(({ reason, attempts }) => reason === "rejected" || attempts === 5);
    assertEquals(again.filter(({ resumed }) => !resumed).length, open.length);
    assertEquals(again.map(({ reason }) => reason), outcomes.map(({ reason }) => reason));
    assertEquals(
      servers[0].asked.length + servers[1].asked.length - asked,
      open.reduce((sum, { attempts }) => sum + attempts, 0),
    );
    assertEquals((await readJournal(journalPath)).length, 10_000 + open.length);
  });
  await Promise.all(servers.map((server) => server.stop()));
});
