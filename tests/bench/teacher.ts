import { fromFileUrl, join } from "@std/path";
import { paths } from "@lib/config/mod.ts";
import { type Endpoint, type Job, runJobs, startEmbeddedServer } from "@lib/llm/mod.ts";
import { writeBench } from "./files.ts";
import { describeMachine, load, type Machine, machine } from "./machine.ts";
import { formatSeconds } from "@lib/cli/support/time.ts";

/** One point of a curve. */
export interface TeacherRow {
  server: "replay" | "embedded";
  /** Servers that the requests are spread over. */
  processes: number;
  /** Requests in flight at once. */
  inFlight: number;
  requests: number;
  /** Wall time of all of them, each on disk before the next takes its place. */
  seconds: number;
  /** Tokens of prompts and of replies, as the server counts them. */
  promptTokens: number;
  tokens: number;
  /** Median time from sending a request to its reply. */
  latencySeconds: number;
}

/** What results/local/bench/teacher.json holds. */
export interface TeacherReport {
  machine: Machine;
  startedAt: string;
  load: { before: number; after: number };
  model: string;
  rows: TeacherRow[];
}

const INSTRUCTION =
  `You write exam questions about radiology images. You are given the caption of one image. Write one short question that a
reader can answer from the image alone, and its short answer. Ask about what the caption says: the imaging modality, the organ,
the side, or the finding. Do not ask about history, age, treatment or causes. Do not copy the caption into the question.
Reply with one JSON object: {"question": ..., "answer": ...}.
Example: "MRI of the knee with a torn meniscus" gives {"question": "Which structure is torn?", "answer": "meniscus"}.`;

const SCHEMA = {
  name: "pair",
  schema: {
    type: "object",
    properties: { question: { type: "string", maxLength: 80 }, answer: { type: "string", maxLength: 40 } },
    required: ["question", "answer"],
    additionalProperties: false,
  },
};

const SIDES = ["left", "right"],
  ORGANS = ["lung", "kidney", "breast", "femur"],
  FINDINGS = ["nodule", "cyst", "mass"];

/** Requests as a synthesis sends them: one long beginning, captions that differ. */
function benchJobs(count: number): Job[] {
  return Array.from({ length: count }, (_, i) => {
    const caption = `Image ${i} of the ${SIDES[i % 2]} ${ORGANS[i % 4]} with a ${FINDINGS[i % 3]} of ${
      1 + i % 9
    } cm.`;
    const messages = [
      { role: "system" as const, content: INSTRUCTION },
      { role: "user" as const, content: `Caption: ${caption}` },
    ];
    return { id: `${i}`, request: { messages, schema: SCHEMA, seed: i, temperature: 0.3, maxTokens: 48 } };
  });
}

async function measure(
  server: TeacherRow["server"],
  endpoint: Endpoint,
  inFlight: number,
  count: number,
  journalPath: string,
): Promise<TeacherRow> {
  const start = performance.now();
  const used = { promptTokens: 0, tokens: 0 };
  const outcomes = await runJobs(endpoint, benchJobs(count), {
    concurrency: inFlight,
    journalPath,
    onProgress: ({ promptTokens, tokens }) => Object.assign(used, { promptTokens, tokens }),
  });
  const seconds = (performance.now() - start) / 1000;
  const failed = outcomes.find(({ error }) => error !== undefined);
  if (failed) {
    throw new Error(`bench teacher: expected a completion for every request, found "${failed.error}"`);
  }
  const latencies = outcomes.map(({ completion }) => completion!.seconds).sort((a, b) => a - b);
  const latencySeconds = latencies[Math.floor(latencies.length / 2)];
  return {
    server,
    processes: endpoint.baseURLs.length,
    inFlight,
    requests: count,
    seconds,
    ...used,
    latencySeconds,
  };
}

/** A replay server in a process of its own. */
async function startReplayProcess(): Promise<Endpoint & AsyncDisposable> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", fromFileUrl(new URL("./teacher_server.ts", import.meta.url))],
    cwd: paths.root,
    stdin: "null",
    stdout: "piped",
  }).spawn();
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const { value = "" } = await reader.read();
  const stop = async () => {
    child.kill();
    await Promise.all([child.status, reader.cancel()]);
  };
  return { baseURLs: [value.trim()], model: "replay", [Symbol.asyncDispose]: stop };
}

/** The report as Markdown: a table of each server. */
export function teacherText({ rows, model, machine, load }: TeacherReport): string {
  const table = (server: TeacherRow["server"]) =>
    rows.filter((row) => row.server === server).map((row) =>
      `| ${row.processes} | ${row.inFlight} | ${row.requests} | ${
        (row.requests / row.seconds).toFixed(1)
      } | ${(row.tokens / row.seconds).toFixed(0)} | ${(1000 * row.latencySeconds).toFixed(1)} | ${
        (1000 * row.seconds / row.requests).toFixed(2)
      } |`
    ).join("\n");
  const header =
    `| servers | in flight | requests | requests/s | tokens generated/s | median latency (ms) | time per request (ms) |
|---|---|---|---|---|---|---|`;
  return `# Requests to a teacher

Every reply is parsed, journalled and on disk before its place is given to the next request.

## Replay server (no model, in a process of its own): the cost of our client

${header}
${table("replay")}

## Embedded teacher (${model}, one thread a process)

${header}
${table("embedded")}

${describeMachine(machine)}. Load of the machine ${load.before.toFixed(1)} before, ${
    load.after.toFixed(1)
  } after.
`;
}

/** `./lab bench teacher`: how requests per second grow with requests in flight; about a minute and a half. */
export async function benchTeacher(): Promise<void> {
  const folder = await Deno.makeTempDir();
  const report: TeacherReport = {
    machine: await machine(),
    startedAt: new Date().toISOString(),
    load: { before: load(), after: NaN },
    model: "",
    rows: [],
  };
  let journals = 0;
  const add = async (server: TeacherRow["server"], endpoint: Endpoint, inFlight: number, count: number) => {
    const row = await measure(server, endpoint, inFlight, count, join(folder, `${journals++}.jsonl`));
    report.rows.push(row);
    const { processes, requests, seconds } = row;
    console.error(
      `${server}: ${processes} x ${inFlight} in flight: ${(requests / seconds).toFixed(1)} requests/s (${
        formatSeconds(seconds)
      })`,
    );
  };
  try {
    await using replay = await startReplayProcess();
    await measure("replay", replay, 16, 300, join(folder, "warm.jsonl"));
    for (const inFlight of [1, 2, 4, 8, 16, 32, 64]) {
      await add("replay", replay, inFlight, inFlight < 4 ? 500 : 1500);
    }
    for (const processes of [1, 2]) {
      await using embedded = await startEmbeddedServer({ processes });
      report.model = embedded.model;
      await measure("embedded", embedded, processes, processes, join(folder, `warm${processes}.jsonl`));
      for (const inFlight of [1, 2, 4]) await add("embedded", embedded, inFlight, 12);
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
  report.load.after = load();
  const place = await writeBench("teacher", report, teacherText(report));
  console.log(teacherText(report));
  console.log(`Written to ${place}, with all numbers in teacher.json beside it.`);
}
