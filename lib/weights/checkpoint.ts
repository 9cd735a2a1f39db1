import { Buffer } from "node:buffer";
import { ensureDir } from "@std/fs";
import { basename, join } from "@std/path";
import { z } from "zod";
import { writeFileAtomic } from "../config/mod.ts";
import type { DType } from "../tensor/mod.ts";
import { type ModelCard, readCard, readIfThere } from "./card.ts";
import { type PaliGemmaConfig, parseConfig, toHubConfig } from "./config.ts";
import { dtypeOf } from "./elements.ts";
import { readExactly, readHeader, type StoredTensor } from "./header.ts";
import { parseJson } from "./json.ts";
import { canonicalName, expectedShapes, hubName, isDropped, isOutputLayer } from "./names.ts";
import { checkPreprocessor, preprocessorConfig } from "./preprocessor.ts";
import { type Params, type ReadOptions, readTensors, writeSafetensors } from "./safetensors.ts";

/** A checkpoint in memory. */
export interface Checkpoint {
  /** Weights under canonical names; the caller owns them. */
  params: Params;
  /** Shape of the model. */
  config: PaliGemmaConfig;
  /** What it says of itself. */
  card: ModelCard;
}

/** Files beside the weights that a copy of a checkpoint needs too. */
const COMPANIONS = [
  "tokenizer.json",
  "tokenizer_config.json",
  "special_tokens_map.json",
  "added_tokens.json",
  "generation_config.json",
];

/** config.json of a checkpoint folder. */
export async function loadModelConfig(dir: string): Promise<PaliGemmaConfig> {
  const path = join(dir, "config.json"), text = await readIfThere(path);
  if (text === null) throw new Error(`Expected a checkpoint in ${dir}, found no config.json there.`);
  return parseConfig(parseJson(text, path), path);
}

/**
 * Loads a PaliGemma checkpoint folder as Hugging Face lays it out: config.json and model.safetensors, or else shards with
 * model.safetensors.index.json. Weights go from the file straight into tensor memory.
 * @throws with all names at once that are missing, unknown, given twice, or of a wrong shape or type; for an output layer
 * that is not the embedding table, and a preprocessor_config.json that wants images prepared otherwise than here; the
 * reason of `signal` between two weights.
 */
export async function loadCheckpoint(dir: string, options: ReadOptions = {}): Promise<Checkpoint> {
  const config = await loadModelConfig(dir);
  const card = await readCard(dir);
  await checkPreprocessor(dir, config);
  const stored = checkNames(await storedTensors(dir), config, dir);
  return { params: await readTensors(stored, options), config, card };
}

/** The tensors of model.safetensors, as in transformers also where there is an index; else of the shards that it names. */
async function storedTensors(dir: string): Promise<StoredTensor[]> {
  const single = join(dir, "model.safetensors");
  if (await isFile(single)) return readHeader(single).tensors;
  const indexPath = join(dir, "model.safetensors.index.json"), text = await readIfThere(indexPath);
  if (text === null) {
    throw new Error(`Expected model.safetensors or model.safetensors.index.json in ${dir}, found neither.`);
  }
  const index = z.looseObject({ weight_map: z.record(z.string(), z.string()) }).safeParse(
    parseJson(text, indexPath),
  );
  if (!index.success) throw new Error(`${indexPath}: expected {"weight_map": {name: file}}.`);
  const map = index.data.weight_map, files = [...new Set(Object.values(map))].sort();
  const outside = files.filter((f) => basename(f) !== f || !f.endsWith(".safetensors"));
  if (outside.length) {
    throw new Error(`${indexPath}: expected names of safetensors files, found ${list(outside)}.`);
  }
  const absent: string[] = [];
  for (const f of files) if (!await isFile(join(dir, f))) absent.push(f);
  if (absent.length) {
    throw new Error(`${dir} lacks ${list(absent)}, which its index names. Download them again.`);
  }
  const stored = files.flatMap((f) => readHeader(join(dir, f)).tensors);
  const there = new Set(stored.map((t) => `${t.name}\n${basename(t.path)}`));
  const wrong = Object.entries(map).filter(([name, file]) => !there.has(`${name}\n${file}`)).map(([name]) =>
    name
  );
  if (wrong.length) {
    throw new Error(`${indexPath} promises tensors that its files do not hold: ${list(wrong)}.`);
  }
  return stored;
}

/** The stored tensors under canonical names, if they are the model's, each once, in shape and type. */
function checkNames(stored: readonly StoredTensor[], config: PaliGemmaConfig, dir: string): StoredTensor[] {
  const shapes = expectedShapes(config), seen = new Map<string, StoredTensor>(), problems: string[] = [];
  const output: StoredTensor[] = [];
  for (const t of stored) {
    const name = canonicalName(t.name);
    if (isDropped(name)) continue;
    if (isOutputLayer(name)) {
      output.push(t);
      continue;
    }
    const shape = Object.hasOwn(shapes, name) ? shapes[name] : undefined;
    if (!shape) problems.push(`unknown "${t.name}"`);
    else if (seen.has(name)) {
      problems.push(`"${name}" given twice, as "${seen.get(name)!.name}" and "${t.name}"`);
    } else {
      seen.set(name, t);
      if (t.shape.join() !== shape.join()) {
        problems.push(`"${t.name}": expected [${shape}], found [${t.shape}]`);
      }
      if (!dtypeOf(t.dtype)) problems.push(`"${t.name}": expected F32, BF16 or F16, found ${t.dtype}`);
    }
  }
  for (const name of Object.keys(shapes)) if (!seen.has(name)) problems.push(`missing "${name}"`);
  if (problems.length) {
    throw new Error(
      `The weights in ${dir} do not fit its config.json (${problems.length} problems):\n  ${
        problems.join("\n  ")
      }`,
    );
  }
  const table = seen.get("language_model.embed_tokens.weight")!;
  const untied = output.filter((t) => !sameTensor(t, table));
  if (untied.length) {
    throw new Error(
      `The weights in ${dir} have an output layer of their own, which is not supported here: ${
        list(names(untied))
      } ` +
        `is not the embedding table "${table.name}".`,
    );
  }
  return [...seen].map(([name, t]) => ({ ...t, name }));
}

const names = (stored: readonly StoredTensor[]) => stored.map((t) => t.name);

const COMPARED_BYTES = 2 ** 24;

/** Whether two stored tensors are the same, byte for byte. */
function sameTensor(a: StoredTensor, b: StoredTensor): boolean {
  if (a.dtype !== b.dtype || a.shape.join() !== b.shape.join()) return false;
  using fileA = Deno.openSync(a.path);
  using fileB = Deno.openSync(b.path);
  fileA.seekSync(a.offset, Deno.SeekMode.Start);
  fileB.seekSync(b.offset, Deno.SeekMode.Start);
  for (let at = 0; at < a.bytes; at += COMPARED_BYTES) {
    const n = Math.min(COMPARED_BYTES, a.bytes - at);
    if (Buffer.compare(readExactly(fileA, n, a.path), readExactly(fileB, n, b.path)) !== 0) return false;
  }
  return true;
}

/**
 * Writes a checkpoint folder that transformers reads: config.json, model.safetensors with the hub's names,
 * preprocessor_config.json, and lab_card.json where the card has something to say.
 * @param from copies tokenizer and generation files of this folder along, and its card unless `card` is given.
 * @param dtype type of the stored weights; by default each keeps its own.
 * @throws if `params` are not exactly the weights of `config`; nothing is written then.
 */
export async function saveCheckpoint(
  dir: string,
  params: Params,
  config: PaliGemmaConfig,
  { from, dtype, card }: { from?: string; dtype?: DType; card?: ModelCard } = {},
): Promise<void> {
  const shapes = expectedShapes(config);
  const problems = [
    ...Object.keys(shapes).filter((n) => !Object.hasOwn(params, n)).map((n) => `missing "${n}"`),
    ...Object.keys(params).filter((n) => !Object.hasOwn(shapes, n)).map((n) => `unknown "${n}"`),
    ...Object.keys(shapes).filter((n) => params[n] && params[n].shape.join() !== shapes[n].join())
      .map((n) => `"${n}": expected [${shapes[n]}], found [${params[n].shape}]`),
  ];
  if (problems.length) {
    throw new Error(`These are not the weights of this configuration:\n  ${problems.join("\n  ")}`);
  }
  await ensureDir(dir);
  await writeJson(join(dir, "config.json"), toHubConfig(config));
  await writeJson(join(dir, "preprocessor_config.json"), preprocessorConfig(config));
  if (from !== undefined && await Deno.realPath(from) !== await Deno.realPath(dir)) {
    for (const name of COMPANIONS) {
      const text = await readIfThere(join(from, name));
      if (text !== null) await writeText(join(dir, name), text);
    }
  }
  const told = card ?? (from === undefined ? undefined : await readCard(from));
  if (told?.demonstration || told?.notice) await writeJson(join(dir, "lab_card.json"), told);
  else await removeIfThere(join(dir, "lab_card.json"));
  writeSafetensors(
    join(dir, "model.safetensors"),
    Object.fromEntries(Object.entries(params).map(([name, t]) => [hubName(name), t])),
    { dtype },
  );
  // Software that reads the index first would take an earlier, sharded checkpoint for this one.
  await removeIfThere(join(dir, "model.safetensors.index.json"));
}

async function removeIfThere(path: string): Promise<void> {
  if (await isFile(path)) await Deno.remove(path);
}

const list = (names: readonly string[]) => names.map((n) => `"${n}"`).join(", ");

async function isFile(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isFile;
  } catch {
    return false;
  }
}

/** Writes a text file in one step. */
async function writeText(path: string, text: string): Promise<void> {
  await writeFileAtomic(path, text);
}

/** Writes a JSON file in one step. */
export function writeJson(path: string, value: unknown): Promise<void> {
  return writeText(path, JSON.stringify(value, null, 2) + "\n");
}
