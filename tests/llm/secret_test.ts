import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { walk } from "@std/fs";
import { join } from "@std/path";
import { Secret } from "@lib/llm/secret.ts";
import { completion, type Reaction, reply, startFaultServer } from "./fault_server.ts";

const KEY = "sk-planted-8f3kQz71TbWmXe52LrYc";
const JUDGE_KEY = "jk-9vN2hGd64PsRuBt0CqWzAoEi";
/** Of the hub: no server of a model ever gets it. */
const HF_TOKEN = "hf_wKx5MjU1yQf7ZpDb3RnTgHsV";
const SECRETS = [KEY, JUDGE_KEY, HF_TOKEN];

/** The judge's verdicts and refusals, all with its key. */
function echoJudge(attempt: number): Reaction {
  const said = completion({ content: JSON.stringify({ correct: true, reason: JUDGE_KEY }) });
  const refused = { detail: [{ loc: ["body", "seed"], msg: `no seed, ${JUDGE_KEY}`, input: JUDGE_KEY }] };
  return { writes: [attempt > 0 ? reply(said) : reply(JSON.stringify(refused), { status: 422 })] };
}

/** Every way in which a server can throw a key back, one per row of the teacher's captions. */
function echo(words: string, attempt: number): Reaction {
  const row = Number(/row (\d+)/.exec(words)![1]), again = attempt > 0;
  const error = (status: number, message: string, headers = "") =>
    reply(JSON.stringify({ error: { message, code: KEY, type: KEY, param: KEY } }), { status, headers });
  const fine = { question: "Which side is the nodule on?", answer: `left ${KEY}` };
  const kinds: (() => string)[] = [
    () => reply(completion({ content: JSON.stringify(fine) }, { model: KEY, finish: KEY })),
    () => reply(completion({ content: `Q: Which organ?\nA: lung ${KEY.slice(3, 20)}` })),
    () => reply(completion({ content: null, refusal: `no, ${KEY}` })),
    () => reply(completion({ content: "" }, { finish: KEY })),
    () => error(400, `bad key ${KEY}`, `x-request-id: ${KEY}\r\n`),
    () => error(404, `${"x".repeat(270)} ${KEY}`),
    () => error(503, `Bearer ${KEY} of ${KEY.slice(0, 12)}...${KEY.slice(-9)}`, `retry-after: ${KEY}\r\n`),
    () => reply(`<p>${KEY}</p>`, { status: 502, type: "text/html" }),
    () => reply(`{"choices": ${KEY}`),
    () => reply(KEY, { type: "text/plain" }),
    () => reply("", { status: 307, headers: `location: http://127.0.0.1:1/?key=${KEY}\r\n` }),
    () => `HTTP/1.1 200 ${KEY}\r\n${KEY}: ${KEY}\r\ncontent-length: 99\r\n\r\n${KEY}`,
  ];
  const kind = kinds[row % kinds.length];
  return { writes: [kind()], then: kind === kinds.at(-1) || (again && row % 2 === 0) ? "close" : "keep" };
}

Deno.test("planted keys are in no file, log, error or inspection of a run whose servers throw them back", async () => {
  const folder = await Deno.makeTempDir();
  let keys = 0, judgeKeys = 0, tokens = 0;
  const server = startFaultServer((words, attempt) => {
    if (words.includes("refused")) {
      return {
        writes: [reply(`{"error":{"message":"Incorrect API key provided: ${KEY}"}}`, { status: 401 })],
      };
    }
    return words.includes("Student's answer") ? echoJudge(attempt) : echo(words, attempt);
  }, {
    onHead: (head) => {
      keys += Number(head.includes(`Bearer ${KEY}`));
      judgeKeys += Number(head.includes(`Bearer ${JUDGE_KEY}`));
      tokens += Number(head.includes(HF_TOKEN));
    },
  });
  try {
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--quiet", "--no-check", join(import.meta.dirname!, "secret_child.ts"), folder],
      env: {
        TEACHER_URL: server.baseURL,
        TEACHER_MODEL: "echo",
        TEACHER_API_KEY: KEY,
        JUDGE_URL: server.baseURL,
        JUDGE_MODEL: "echo",
        JUDGE_API_KEY: JUDGE_KEY,
        HF_TOKEN,
        OPENAI_LOG: "debug",
        DEBUG: "*",
      },
      stdout: "piped",
      stderr: "piped",
    });
    const { code, stdout, stderr } = await child.output();
    const [out, err] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
    assertEquals(code, 1, "the run with a refused key fails");
    assert(keys > 12 && judgeKeys === 2, "the keys were sent");
    assertEquals(tokens, 0);
    assertStringIncludes(err, "check it in the environment");
    assertStringIncludes(out, "left [redacted]");
    const texts: Record<string, string> = { stdout: out, stderr: err };
    for await (const { path } of walk(folder, { includeDirs: false })) {
      texts[path] = await Deno.readTextFile(path);
    }
    assertEquals(Object.keys(texts).length, 7, "two logs, three journals, two results");
    const pieces = SECRETS.flatMap((key) =>
      Array.from({ length: key.length - 7 }, (_, i) => key.slice(i, i + 8))
    );
    for (const [name, text] of Object.entries(texts)) {
      if (!/refused|judge/.test(name)) assert(text.length > 1000, `${name} has something to search`);
      for (const piece of pieces) {
        const at = text.indexOf(piece);
        assert(at < 0, `${name} holds "${piece}": ${text.slice(Math.max(0, at - 200), at + 40)}`);
      }
    }
    const journal = texts[`${folder}/answered.jsonl`];
    for (const reason of ["refusal", "empty", "rejected", "server", "malformed", "disconnected"]) {
      assertStringIncludes(journal, `"reason":"${reason}"`);
    }
  } finally {
    await server.stop();
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("a secret is redacted whole and in pieces; placeholders are no secrets; what no header takes is refused", () => {
  const secret = new Secret(KEY);
  const mixed = `a ${KEY}, ${KEY.slice(4, 16)}${KEY.slice(0, 8)} and ${KEY.slice(0, 7)} ${KEY}${KEY}`;
  assertEquals(secret.redact(mixed), `a [redacted], [redacted] and ${KEY.slice(0, 7)} [redacted]`);
  assertEquals(secret.redact("nothing here"), "nothing here");
  for (const word of ["none", "EMPTY", "ollama"]) {
    assertEquals(new Secret(word).redact(`none of the EMPTY ollama`), "none of the EMPTY ollama");
  }
  for (const odd of ["", "sk-planted\nx", "sk planted", "sk-plänted"]) {
    const error = assertThrows(() => new Secret(odd), Error, "printable ASCII");
    assert(!error.message.includes("plant"));
  }
});
