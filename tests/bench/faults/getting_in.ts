/** What comes in from elsewhere, damaged at random: archives, and replies of servers. */
import { join } from "@std/path";
import { paths, rng } from "@lib/config/mod.ts";
import { downloadHubModel } from "@lib/download/mod.ts";
import { ArchiveError } from "@lib/download/entry_guard.ts";
import { unpackArchive } from "@lib/download/unpack.ts";
import { complete, type Endpoint, LlmError } from "@lib/llm/mod.ts";
import { damaged } from "./damage.ts";
import type { Campaign, Outcome } from "../faults.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** What one damaged thing may take. */
const LIMIT_MS = 10_000;

/** Tries things one after another; `attempt` gives the harm that one did, or null. */
async function tryAll(
  count: number,
  signal: AbortSignal,
  attempt: (random: () => number, n: number) => Promise<string | null>,
): Promise<Outcome> {
  const details: string[] = [];
  let tried = 0;
  for (; tried < count && !signal.aborted; tried++) {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<string>((resolve) =>
      timer = setTimeout(() => resolve(`took more than ${LIMIT_MS / 1000} s`), LIMIT_MS)
    );
    const harm = await Promise.race([attempt(rng(`getting in ${tried}`), tried), late]);
    clearTimeout(timer);
    if (harm !== null) details.push(`number ${tried}: ${harm}`);
  }
  return { tried, failed: details.length, details };
}

const MAKE = `
import io, random, sys, tarfile, zipfile
files = [("set/a.json", b"[1, 2]" * 50), ("set/imgs/b.png", random.Random(1).randbytes(3000)), ("set/imgs/\\u00e9.txt", b"text")]
with zipfile.ZipFile(sys.argv[1] + "/sound.zip", "w", zipfile.ZIP_DEFLATED) as z:
    for name, content in files: z.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
with tarfile.open(sys.argv[1] + "/sound.tar", "w", format=tarfile.PAX_FORMAT) as t:
    for name, content in files:
        info = tarfile.TarInfo(name); info.size = len(content); t.addfile(info, io.BytesIO(content))
`;

const gzip = async (bytes: Bytes): Promise<Bytes> =>
  new Uint8Array(
    await new Response(new Blob([bytes]).stream().pipeThrough(new CompressionStream("gzip"))).arrayBuffer(),
  );

/** Names of everything in a folder and its folders. */
async function allNames(dir: string): Promise<string[]> {
  const names: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(dir)) {
    names.push(name, ...isDirectory ? await allNames(join(dir, name)) : []);
  }
  return names;
}

const isSentence = (text: string): boolean =>
  /\S\.$/.test(text) && !/\p{Cc}/u.test(text) && text.length < 1000;

export const archives: Campaign = {
  name: "archives",
  describe:
    "a zip or tar.gz with random damage is unpacked: whole, or refused by one sentence with nothing kept, in 10 s",
  count: 1000,
  async run(count, signal) {
    const dir = await Deno.makeTempDir();
    try {
      const python = join(paths.venv, "bin/python");
      const made = await new Deno.Command(python, { args: ["-c", MAKE, dir] }).output();
      if (!made.success) throw new Error(new TextDecoder().decode(made.stderr));
      const zip = await Deno.readFile(`${dir}/sound.zip`), tar = await Deno.readFile(`${dir}/sound.tar`);
      const gz = await gzip(tar);
      const makers = [
        (random: () => number) => damaged(zip, random),
        // Of the directory alone, which is the smaller part.
        (random: () => number) =>
          new Uint8Array([...zip.slice(0, -320), ...damaged(zip.slice(-320), random)]),
        (random: () => number) => damaged(gz, random),
        (random: () => number) => gzip(damaged(tar, random)),
      ];
      return await tryAll(count, signal, async (random, n) => {
        const room = join(dir, `room${n}`), kind = n % makers.length;
        const archive = join(room, kind < 2 ? "a.zip" : "a.tar.gz");
        await Deno.mkdir(room);
        await Deno.writeFile(archive, await makers[kind](random));
        let refused: unknown;
        await unpackArchive(archive, join(room, "target"), { atMost: 100_000 }).catch((e) => refused = e);
        const left = await allNames(room);
        await Deno.remove(room, { recursive: true });
        if (refused === undefined) {
          return left.some((name) => name.endsWith(".tmp") || /\p{Cc}/u.test(name)) ? `left ${left}` : null;
        }
        if (!(refused instanceof ArchiveError && isSentence(refused.message))) return `said ${refused}`;
        return left.length > 1 ? `refused, but left ${left}` : null;
      });
    } finally {
      await Deno.remove(dir, { recursive: true });
    }
  },
};

const text = (value: unknown): Bytes => new TextEncoder().encode(JSON.stringify(value));
const commit = "0123456789abcdef0123456789abcdef01234567";
const COMPLETION = text({
  model: "m",
  choices: [{
    index: 0,
    finish_reason: "stop",
    message: { role: "assistant", content: '{"question": "Which organ?", "answer": "lung"}' },
  }],
  usage: { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 },
});
const MODEL = text({ _id: "1", id: "o/m", sha: commit, private: false, gated: false });
const TREE = text([
  { type: "file", path: "config.json", size: 3, oid: commit },
  {
    type: "file",
    path: "w.bin",
    size: 9,
    oid: commit,
    lfs: { oid: "0".repeat(64), size: 9, pointerSize: 9 },
  },
]);

export const replies: Campaign = {
  name: "replies",
  describe:
    "a language model's reply or a hub's list with random damage is read: used, or refused by one sentence, in 10 s",
  count: 1000,
  async run(count, signal) {
    let random = rng("none"), headers: HeadersInit = {};
    const json = (bytes: Bytes) => new Response(bytes, { headers });
    const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
      const { pathname } = new URL(request.url);
      if (pathname.endsWith("/completions")) return json(damaged(COMPLETION, random));
      if (pathname.includes("/tree/")) return json(damaged(TREE, random));
      return json(random() < 0.5 ? MODEL : damaged(MODEL, random));
    });
    const base = `http://127.0.0.1:${server.addr.port}`, before = Deno.env.get("HF_ENDPOINT");
    const endpoint: Endpoint = { baseURLs: [`${base}/v1`], model: "m", timeoutSeconds: 5 };
    const messages = [{ role: "user" as const, content: "Ask." }];
    const dir = await Deno.makeTempDir(), retry = { attempts: 1, baseDelayMs: 1 };
    Deno.env.set("HF_ENDPOINT", base);
    try {
      return await tryAll(count, signal, async (own, n) => {
        random = own;
        headers = { "content-type": own() < 0.9 ? "application/json" : "text/html" };
        try {
          if (n % 2 === 0) {
            const request = { messages, seed: 1, temperature: 0, maxTokens: 9 };
            await complete(endpoint, request, { maxRetries: 0 });
          } else await downloadHubModel("o/m", "main", dir, { retry, files: ["none"] });
          return null;
        } catch (error) {
          if (n % 2 === 0) return error instanceof LlmError ? null : `said ${error}`;
          const plain = error instanceof Error && error.name === "Error" && isSentence(error.message);
          return plain ? null : `said ${error}`;
        }
      });
    } finally {
      if (before === undefined) Deno.env.delete("HF_ENDPOINT");
      else Deno.env.set("HF_ENDPOINT", before);
      await server.shutdown();
      await Deno.remove(dir, { recursive: true });
    }
  },
};
