/**
 * Writes a PaliGemma-3B-448 of random weights in bfloat16 (5.85 GB), in the hub's layout: to measure what the real size
 * costs, and to run the code of full scale, where the gated weights cannot be had. It answers nonsense.
 *
 *   ./lab deno run -A tests/full/make_random_3b.ts DIR
 */
import { join } from "@std/path";
import { PALIGEMMA_3B_448 } from "../bench/models.ts";
import { weightValues } from "../../lib/cli/support/random_weights.ts";
import { expectedShapes, type PaliGemmaConfig } from "../../lib/weights/mod.ts";
import { hubName } from "../../lib/weights/names.ts";
import { toHubConfig } from "../../lib/weights/config.ts";
import { gemmaVocabulary, paliGemmaJson } from "../text/gemma.ts";

const CARD = `---
demonstration: true
notice: "random weights: the answer is noise"
---
# PaliGemma-3B-448 of random weights

Not trained: uniform random numbers in the shapes of PaliGemma-3B at 448 px, for measuring time and memory.
`;

const SHARD_BYTES = 5e9, PIECE = 2 ** 22;

interface Entry {
  name: string;
  shape: number[];
  bytes: number;
}

/** Names and sizes of the weights, cut into files of at most `limit` bytes, in order. */
export function shardsOf(config: PaliGemmaConfig, limit: number): Entry[][] {
  const shards: Entry[][] = [[]];
  let size = 0;
  for (const [name, shape] of Object.entries(expectedShapes(config))) {
    const bytes = shape.reduce((a, b) => a * b, 2);
    if (size > 0 && size + bytes > limit) {
      shards.push([]);
      size = 0;
    }
    shards.at(-1)!.push({ name, shape, bytes });
    size += bytes;
  }
  return shards;
}

function writeAll(file: Deno.FsFile, bytes: Uint8Array): void {
  for (let i = 0; i < bytes.length;) i += file.writeSync(bytes.subarray(i));
}

function writeShard(path: string, entries: readonly Entry[], config: PaliGemmaConfig): void {
  let offset = 0;
  const header: Record<string, unknown> = { __metadata__: { format: "pt" } };
  for (const { name, shape, bytes } of entries) {
    header[hubName(name)] = { dtype: "BF16", shape, data_offsets: [offset, offset += bytes] };
  }
  const text = JSON.stringify(header),
    json = new TextEncoder().encode(text.padEnd(Math.ceil(text.length / 8) * 8));
  const length = new Uint8Array(8);
  new DataView(length.buffer).setBigUint64(0, BigInt(json.length), true);
  using file = Deno.openSync(`${path}.tmp`, { write: true, create: true, truncate: true });
  writeAll(file, length);
  writeAll(file, json);
  const values = new Float32Array(PIECE), bits = new Int32Array(values.buffer), half = new Uint16Array(PIECE);
  for (const { name, shape, bytes } of entries) {
    const next = weightValues(name, shape, config);
    for (let left = bytes / 2; left > 0; left -= PIECE) {
      const n = Math.min(left, PIECE);
      next(values.subarray(0, n));
      for (let i = 0; i < n; i++) half[i] = bits[i] >> 16; // bfloat16 by cutting off: the numbers are random anyway
      writeAll(file, new Uint8Array(half.buffer, 0, 2 * n));
    }
  }
  Deno.renameSync(`${path}.tmp`, path);
}

/** Writes config, tokenizer, card and weights of a random model in bfloat16 to `dir`. */
export async function writeRandomCheckpoint(
  dir: string,
  config: PaliGemmaConfig,
  tokenizer: unknown,
  shardBytes = SHARD_BYTES,
): Promise<void> {
  await Deno.mkdir(dir, { recursive: true });
  const json = (name: string, value: unknown) =>
    Deno.writeTextFile(join(dir, name), JSON.stringify(value, null, 2) + "\n");
  const { imageSize } = config.vision;
  await json("config.json", { ...toHubConfig(config), torch_dtype: "bfloat16" });
  await json("preprocessor_config.json", {
    image_processor_type: "SiglipImageProcessor",
    processor_class: "PaliGemmaProcessor",
    image_seq_length: config.imageTokens,
    size: { height: imageSize, width: imageSize },
    do_resize: true,
    resample: 3,
    do_rescale: true,
    rescale_factor: 1 / 255,
    do_normalize: true,
    image_mean: [0.5, 0.5, 0.5],
    image_std: [0.5, 0.5, 0.5],
  });
  await Deno.writeTextFile(join(dir, "README.md"), CARD);
  await Deno.writeTextFile(join(dir, "tokenizer.json"), JSON.stringify(tokenizer));
  const shards = shardsOf(config, shardBytes), weightMap: Record<string, string> = {};
  const padded = (n: number) => `${n}`.padStart(5, "0");
  shards.forEach((entries, i) => {
    const file = `model-${padded(i + 1)}-of-${padded(shards.length)}.safetensors`;
    writeShard(join(dir, file), entries, config);
    for (const { name } of entries) weightMap[hubName(name)] = file;
    console.log(`${file}: ${entries.length} tensors`);
  });
  const total = shards.flat().reduce((sum, { bytes }) => sum + bytes, 0);
  await json("model.safetensors.index.json", { metadata: { total_size: total }, weight_map: weightMap });
}

if (import.meta.main) {
  const [dir] = Deno.args;
  if (!dir) throw new Error("usage: ./lab deno run -A tests/full/make_random_3b.ts DIR (5.9 GB)");
  const gemma = await gemmaVocabulary();
  if (!gemma) throw new Error("Gemma's vocabulary cannot be had: this machine needs a connection to npm.");
  await writeRandomCheckpoint(dir, PALIGEMMA_3B_448, paliGemmaJson(gemma));
}
