import { join } from "@std/path";
import { paths, rng } from "@lib/config/mod.ts";
import { initAdapter } from "@lib/model/mod.ts";
import { checkTokenizer } from "@lib/model/open.ts";
import { dispose } from "@lib/tensor/mod.ts";
import { encodeExample, loadTokenizer } from "@lib/text/mod.ts";
import { loadAdapter, loadCheckpoint, loadModelConfig, saveAdapter } from "@lib/weights/mod.ts";
import { damageBytes, damageJson, damageJsonBytes } from "./damage.ts";
import type { Campaign } from "../faults.ts";
import { tryEach, tryInProcesses } from "./in_process.ts";

/** A file longer at work than this hangs. */
const LIMIT_MS = 20_000;

/** Damaged files of checkpoints and adapters, each loaded in a process that may die without harm. */
export const modelFiles: Campaign = {
  name: "files",
  describe:
    "safetensors, tokenizer.json, config.json and adapter_config.json, each damaged at random, are loaded; failed: " +
    `the process dies, takes more than ${LIMIT_MS / 1000} s, or says something else than a sentence`,
  count: 1500,
  run: (count, signal) => tryInProcesses(import.meta.filename!, count, LIMIT_MS, signal),
};

const FILES = [
  "model.safetensors",
  "tokenizer.json",
  "config.json",
  "adapter_config.json",
  "adapter_model.safetensors",
];
function damageSafetensors(bytes: Uint8Array, random: () => number): Uint8Array {
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
  const tokenizer = await loadTokenizer(dir), config = await loadModelConfig(dir);
  checkTokenizer(tokenizer, config, dir);
  encodeExample(tokenizer, config, { prefix: `answer en ${"is there a lesion? ".repeat(20)}` });
  const { params } = await loadCheckpoint(dir);
  const adapter = await loadAdapter(dir, config);
  dispose([params, adapter.params, adapter.projector]);
}

if (import.meta.main) {
  const dir = await Deno.makeTempDir({ prefix: "files-" }), nano = join(paths.root, "data", "nano");
  try {
    for (const file of FILES.slice(0, 3)) await Deno.copyFile(join(nano, file), join(dir, file));
    const config = await loadModelConfig(dir);
    await saveAdapter(dir, initAdapter(config, { r: 2, alpha: 4, towers: "both", seed: 1 }));
    const sound = new Map<string, Uint8Array>();
    for (const file of FILES) sound.set(file, await Deno.readFile(join(dir, file)));
    await tryEach(async (i) => {
      for (const [file, bytes] of sound) await Deno.writeFile(join(dir, file), bytes);
      const file = FILES[i % FILES.length], random = rng(`file ${i}`), bytes = sound.get(file)!;
      let damaged: Uint8Array;
      if (file.endsWith(".safetensors")) damaged = damageSafetensors(bytes, random);
      else if (random() < 0.3) damaged = damageBytes(bytes, bytes.length, random);
      else damaged = damageJsonBytes(bytes, random);
      await Deno.writeFile(join(dir, file), damaged);
      return { name: `${file} ${i}`, read: () => load(dir) };
    });
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}
