import { assert, assertEquals } from "@std/assert";
import { join } from "@std/path";
import { rng } from "@lib/config/mod.ts";
import { type Completion, type Job, runJobs } from "@lib/llm/mod.ts";
import { startReplayServer } from "../support/replay_server.ts";
import { readJournal } from "@lib/llm/journal.ts";
import { sayings, withJournal } from "./sayings.ts";

const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

Deno.test("a process killed again and again loses and doubles nothing, and asks again only for what was in flight", async () => {
  const count = 240, concurrency = 8, kills = 5;
  await withJournal(async (journalPath) => {
    const asked = new Map<string, number>();
    let total = 0;
    const server = startReplayServer(async ({ messages: [{ content }] }) => {
      asked.set(content, (asked.get(content) ?? 0) + 1);
      total++;
      await wait(5);
      return `heard ${content}`;
    });
    const start = () =>
      new Deno.Command(Deno.execPath(), {
        args: [
          ...["run", "-A", "--quiet", "--no-check", join(import.meta.dirname!, "resume_child.ts")],
          ...[server.baseURL, journalPath, `${count}`, `${concurrency}`],
        ],
        stdout: "piped",
      }).spawn();
    const random = rng("kills");
    const done = new Map<string, number>(); // times asked, of jobs in the journal at some kill
    for (let kill = 0; kill < kills; kill++) {
      const child = start();
      const until = total + 1 + Math.floor(random() * 40);
      while (total < until) await wait(1);
      await wait(random() * 10);
      child.kill("SIGKILL");
      await child.output();
      await wait(50); // what the server is still answering to nobody
      for (const { id, completion } of await readJournal(journalPath)) {
        const words = id.replace("job", "say");
        assertEquals(completion?.text, `heard ${words}`);
        if (!done.has(words)) done.set(words, asked.get(words)!);
      }
    }
    assert(done.size > 0 && done.size < count, `${done.size} of ${count} were done at the last kill`);
    const last = await start().output();
    assertEquals(new TextDecoder().decode(last.stdout).trim(), `${count}`);
    for (const [words, times] of done) assertEquals(asked.get(words), times, `${words} was asked for again`);
    assertEquals(asked.size, count);
    assert(total >= count && total <= count + kills * concurrency, `${total} requests for ${count} jobs`);
    const ids = (await readJournal(journalPath)).map(({ id }) => id);
    assertEquals([ids.length, new Set(ids).size], [count, count]);
    await server.stop();
    const baseURLs = [server.baseURL]; // nobody there any more: nothing is asked
    const outcomes = await runJobs({ baseURLs, model: "m" }, sayings(count), { concurrency, journalPath });
    assertEquals(
      outcomes.map(({ completion }) => completion?.text),
      sayings(count).map((_, i) => `heard say ${i}`),
    );
  });
});

const timeless = (completion: Completion) => ({ ...completion, seconds: 0, time: null, server: null });

/** A run on a server whose answers follow from the request: what was sent, in order, the journal and the outcomes. */
async function runOf(jobs: readonly Job[], concurrency: number) {
  const sent: string[] = [];
  const server = startReplayServer(async (body) => {
    sent.push(JSON.stringify(body));
    await wait(rng(`${body.seed}`)() * 8);
    return `heard ${body.messages[0].content} with ${body.seed}`;
  });
  let lines: string[] = [], outcomes: unknown[] = [];
  await withJournal(async (journalPath) => {
    const ran = await runJobs({ baseURLs: [server.baseURL], model: "m" }, jobs, { concurrency, journalPath });
    outcomes = ran.map((outcome) => ({ ...outcome, completion: timeless(outcome.completion!) }));
    lines = (await readJournal(journalPath)).map((entry) =>
      JSON.stringify({ ...entry, completion: timeless(entry.completion!) })
    );
  });
  await server.stop();
  return { sent, lines: lines.sort(), outcomes };
}

Deno.test("requests, seeds, journal and outcomes are the same with 1 and with 16 requests at once", async () => {
  const jobs = sayings(120);
  const [one, many] = [await runOf(jobs, 1), await runOf(jobs, 16)];
  assertEquals(one.sent, jobs.map(({ request: { seed } }) => one.sent[seed]), "in the order of the jobs");
  assertEquals([...many.sent].sort(), [...one.sent].sort());
  const place = new Map(one.sent.map((body, i) => [body, i]));
  const shift = many.sent.map((body, i) => Math.abs(place.get(body)! - i));
  assert(Math.max(...shift) < 32, "in the order of the jobs, but for those in flight together");
  assertEquals(many.lines, one.lines);
  assertEquals(many.outcomes, one.outcomes);
});
