import { delay } from "@std/async";
import { join } from "@std/path";
import { paths, rng, tiedCommand } from "../../config/mod.ts";
import { checkTokenizer, initAdapter } from "../../model/mod.ts";
import { tf } from "../../tensor/mod.ts";
import { encodeExample, loadTokenizer } from "../../text/mod.ts";
import { loadAdapter, loadCheckpoint, loadConfig, saveAdapter } from "../../weights/mod.ts";
import { linesOf } from "../support/lines.ts";
import type { Campaign } from "./faults.ts";

/** A file longer at work than this hangs. */
const LIMIT_MS = 20_000;

/** Damaged files of checkpoints and adapters, each loaded in a process that may die without harm. */
export const modelFiles: Campaign = {
  name: "files",
  describe:
    "safetensors, tokenizer.json, config.json and adapter_config.json, each damaged at random, are loaded; failed: " +
    `the process dies, takes more than ${LIMIT_MS / 1000} s, or says something else than a sentence`,
  count: 1500,
  async run(count, signal) {
    const details: string[] = [];
    let next = 0, loaded = 0;
    while (next < count) {
      signal.throwIfAborted();
      const child = tiedCommand(Deno.execPath(), {
        args: ["run", "-A", "--quiet", import.meta.filename!, String(next), String(count)],
        stdin: "null",
        stdout: "piped",
        stderr: "null",
        signal,
      }).spawn();
      const lines = linesOf(child.stdout)[Symbol.asyncIterator]();
      let under: string | null = null;
      for (;;) {
        const timer = new AbortController();
        const late = delay(LIMIT_MS, { signal: timer.signal }).then(
          () => "late" as const,
          () => "late" as const,
        );
        const line = await Promise.race([lines.next(), late]);
        timer.abort();
        if (line === "late") {
          details.push(`${under ?? "start"}: hangs`);
          child.kill("SIGKILL");
          break;
        }
        if (line.done) {
          if (under !== null) details.push(`${under}: the process died`);
          break;
        }
        const said = JSON.parse(line.value) as { begins?: string; trace?: string; loaded?: boolean };
        if (said.begins !== undefined) {
          under = said.begins;
          next++;
          continue;
        }
        if (said.loaded) loaded++;
        if (said.trace) details.push(`${under}: ${said.trace}`);
        under = null;
      }
      const { success } = await child.status;
      if (!success && under === null) throw new Error("the campaign's process failed before it read a file.");
    }
    const failed = details.length;
    details.push(
      `${loaded} of ${count} files were still valid and loaded; the others were refused by a sentence.`,
    );
    return { tried: count, failed, details };
  },
};

const FILES = [
  "model.safetensors",
  "tokenizer.json",
  "config.json",
  "adapter_config.json",
  "adapter_model.safetensors",
];
// deno-fmt-ignore
const NASTY: readonly unknown[] = [
  null, true, false, -1, 0, 0.5, 3_000_000, 2 ** 31, 2 ** 53, 2 ** 58, 1e308, "", "x", "a".repeat(20_000), "(a+)+$",
  "(?=(a*)*b)", "../../x", "\u0000", [], {}, [[[[[[]]]]]], [4294967296, 4294967296, 0], [0, 2 ** 60], ["a", "a"],
  { Regex: "(a|a)*$" }, { type: "Sequence", normalizers: [] }, Array(5000).fill(1),
];

type Random = () => number;
const pick = <T>(random: Random, from: readonly T[]): T => from[Math.floor(random() * from.length)];

/** Changes one value somewhere in a JSON document. */
function damageJson(json: unknown, random: Random): unknown {
  let at = json as Record<string, unknown>;
  for (let depth = 0;; depth++) {
    const keys = Object.keys(at);
    if (!keys.length) return json;
    const key = pick(random, keys), inner = at[key];
    if (
      typeof inner === "object" && inner !== null && Object.keys(inner).length && random() < 0.8 && depth < 6
    ) {
      at = inner as Record<string, unknown>;
      continue;
    }
    const what = random();
    if (what < 0.15 && !Array.isArray(at)) delete at[key];
    else if (what < 0.3 && !Array.isArray(at)) at[`${key}_`] = inner;
    else at[key] = pick(random, NASTY);
    return json;
  }
}

/** Changes, cuts or inserts some bytes of the first `span`. */
function damageBytes(bytes: Uint8Array, span: number, random: Random): Uint8Array {
  const at = Math.floor(random() * span), what = random();
  if (what < 0.2) return bytes.slice(0, at);
  const out = bytes.slice(), n = 1 + Math.floor(random() * 4);
  for (let i = 0; i < n; i++) out[(at + i) % out.length] = Math.floor(random() * 256);
  return what < 0.8 ? out : Uint8Array.from([...out.subarray(0, at), 0x5b, ...out.subarray(at)]);
}

function damageSafetensors(bytes: Uint8Array, random: Random): Uint8Array {
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  if (random() < 0.4) return damageBytes(bytes, 8 + length, random);
  const json = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length)));
  const header = new TextEncoder().encode(JSON.stringify(damageJson(json, random)));
  const out = new Uint8Array(8 + header.length + bytes.length - 8 - length);
  new DataView(out.buffer).setBigUint64(0, BigInt(header.length), true);
  out.set(header, 8);
  out.set(bytes.subarray(8 + length), 8 + header.length);
  return out;
}

async function load(dir: string): Promise<void> {
  const tokenizer = await loadTokenizer(dir), config = await loadConfig(dir);
  checkTokenizer(tokenizer, config, dir);
  encodeExample(tokenizer, config, { prefix: `answer en ${"is there a lesion? ".repeat(20)}` });
  const { params } = await loadCheckpoint(dir);
  const adapter = await loadAdapter(dir, config);
  tf.dispose([params, adapter.params, adapter.projector ?? {}] as never);
}

const say = (what: unknown) => console.log(JSON.stringify(what));

/** Loads the damaged files `from` to `to`, saying on stdout what comes of each. */
async function loadAll(from: number, to: number): Promise<void> {
  const dir = await Deno.makeTempDir({ prefix: "files-" }), nano = join(paths.root, "data", "nano");
  try {
    for (const file of FILES.slice(0, 3)) await Deno.copyFile(join(nano, file), join(dir, file));
    const config = await loadConfig(dir);
    await saveAdapter(dir, initAdapter(config, { r: 2, alpha: 4, towers: "both", seed: 1 }));
    const sound = new Map<string, Uint8Array>();
    for (const file of FILES) sound.set(file, await Deno.readFile(join(dir, file)));
    for (let i = from; i < to; i++) {
      const file = FILES[i % FILES.length], random = rng(`file ${i}`), bytes = sound.get(file)!;
      let damaged: Uint8Array;
      if (file.endsWith(".safetensors")) damaged = damageSafetensors(bytes, random);
      else if (random() < 0.3) damaged = damageBytes(bytes, bytes.length, random);
      else {damaged = new TextEncoder().encode(
          JSON.stringify(damageJson(JSON.parse(new TextDecoder().decode(bytes)), random)),
        );}
      await Deno.writeFile(join(dir, file), damaged);
      say({ begins: `${file} ${i}` });
      try {
        await load(dir);
        say({ loaded: true });
      } catch (error) {
        const sentence = error instanceof Error && error.constructor === Error;
        say(sentence ? {} : { trace: String(error).slice(0, 300) });
      }
      await Deno.writeFile(join(dir, file), bytes);
    }
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

if (import.meta.main) await loadAll(Number(Deno.args[0]), Number(Deno.args[1]));
