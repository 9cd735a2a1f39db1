import { assert, assertEquals, assertRejects } from "@std/assert";
import { type JobProgress, LlmError, runJobs } from "@lib/llm/mod.ts";
import { startReplayServer } from "../support/replay_server.ts";
import { Secret } from "@lib/llm/secret.ts";
import { readJournal } from "@lib/llm/journal.ts";
import { sayings, withJournal } from "./sayings.ts";

const echo = (body: { messages: { content: string }[] }) => `heard ${body.messages[0].content}`;
const texts = (outcomes: { completion?: { text: string } }[]) => outcomes.map((o) => o.completion?.text);

Deno.test("outcomes come in the order of the jobs and do not depend on concurrency", async () => {
  const bodies: string[][] = [];
  for (const concurrency of [1, 4]) {
    await withJournal(async (journalPath) => {
      const server = startReplayServer(async (body, call) => {
        await new Promise((resolve) => setTimeout(resolve, call % 3 * 5));
        return echo(body);
      });
      const outcomes = await runJobs({ baseURLs: [server.baseURL], model: "m" }, sayings(9), {
        concurrency,
        journalPath,
      });
      await server.stop();
      assertEquals(texts(outcomes), Array.from({ length: 9 }, (_, i) => `heard say ${i}`));
      bodies.push(server.requests.map((r) => JSON.stringify(r.body)).sort());
      assertEquals((await readJournal(journalPath)).length, 9);
    });
  }
  assertEquals(bodies[0], bodies[1]);
});

Deno.test("a stopped run resumes without asking again for what is done", async () => {
  await withJournal(async (journalPath) => {
    const server = startReplayServer(echo);
    const endpoint = { baseURLs: [server.baseURL], model: "m" };
    const stop = new AbortController();
    const onProgress = (p: JobProgress) => p.done >= 4 && stop.abort(new Error("stopped"));
    await assertRejects(
      () => runJobs(endpoint, sayings(10), { concurrency: 2, journalPath, signal: stop.signal, onProgress }),
      Error,
      "stopped",
    );
    const kept = (await readJournal(journalPath)).length;
    assert(kept >= 4 && kept < 10, `${kept}`);
    await Deno.writeTextFile(journalPath, `{"id":"job 9","reque`, { append: true }); // a torn write

    const before = server.requests.length;
    const progress: JobProgress[] = [];
    const outcomes = await runJobs(endpoint, sayings(10), {
      concurrency: 2,
      journalPath,
      onProgress: (p) => progress.push(p),
    });
    await server.stop();
    assertEquals(server.requests.length - before, 10 - kept);
    assertEquals(outcomes.filter((o) => o.resumed).length, kept);
    assertEquals(texts(outcomes), Array.from({ length: 10 }, (_, i) => `heard say ${i}`));
    assertEquals([progress[0].resumed, progress[0].secondsLeft], [kept, null]);
    const last = progress.at(-1)!;
    assertEquals([last.done, last.total, last.failed, last.secondsLeft], [10, 10, 0, 0]);
    assertEquals((await readJournal(journalPath)).length, 10);
  });
});

Deno.test("a changed request is asked anew, a failed one is tried again on the next run", async () => {
  await withJournal(async (journalPath) => {
    let ill = true;
    const server = startReplayServer((body) =>
      ill && body.seed === 1 ? Response.json({ error: { message: "no" } }, { status: 400 }) : echo(body)
    );
    const endpoint = { baseURLs: [server.baseURL], model: "m" };
    const first = await runJobs(endpoint, sayings(3), { concurrency: 1, journalPath });
    assertEquals(texts(first), ["heard say 0", undefined, "heard say 2"]);
    assert(first[1].error!.includes("rejected"));
    ill = false;
    const changed = sayings(3);
    changed[0].request.temperature = 1;
    const second = await runJobs(endpoint, changed, { concurrency: 1, journalPath });
    await server.stop();
    assertEquals(second.map((o) => o.resumed), [false, false, true]);
  });
});

Deno.test("a wrong key ends the run at once and is in no file", async () => {
  await withJournal(async (journalPath) => {
    const server = startReplayServer((_, call) =>
      call < 2
        ? "you sent sk-planted"
        : Response.json({ error: { message: "bad sk-planted" } }, { status: 401 })
    );
    const endpoint = { baseURLs: [server.baseURL], model: "m", apiKey: new Secret("sk-planted") };
    const error = await assertRejects(
      () => runJobs(endpoint, sayings(50), { concurrency: 2, journalPath }),
      LlmError,
    );
    await server.stop();
    assertEquals(error.kind, "auth");
    assert(server.requests.length < 8);
    const written = await Deno.readTextFile(journalPath);
    assert(written.includes("[redacted]") && !written.includes("sk-planted"));
  });
});

Deno.test("a journal has one writer, and a damaged line is named", async () => {
  await withJournal(async (journalPath) => {
    const server = startReplayServer(() => new Promise((resolve) => setTimeout(() => resolve("ok"), 50)));
    const endpoint = { baseURLs: [server.baseURL], model: "m" };
    const options = { concurrency: 1, journalPath };
    const running = runJobs(endpoint, sayings(2), options);
    await new Promise((resolve) => setTimeout(resolve, 20));
    await assertRejects(() => runJobs(endpoint, sayings(2), options), Error, "only writer");
    await running;
    await server.stop();
    await Deno.writeTextFile(journalPath, "garbage\n", { append: true });
    await assertRejects(() => runJobs(endpoint, sayings(2), options), Error, "line 3");
  });
});

Deno.test("repeated ids are refused", async () => {
  await withJournal(async (journalPath) => {
    const twice = [...sayings(2), ...sayings(1)];
    await assertRejects(
      () =>
        runJobs({ baseURLs: ["http://127.0.0.1:9/v1"], model: "m" }, twice, { concurrency: 1, journalPath }),
      Error,
      "unique",
    );
  });
});
