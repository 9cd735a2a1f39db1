import { createHash } from "node:crypto";
import type { Tensor } from "@tensorflow/tfjs";
import { sha256, writeAllSync, writeFileAtomicSync } from "../config/mod.ts";
import { checkpoint } from "../jupyter/mod.ts";
import { allocTensor, type DType, realType, tf } from "../tensor/mod.ts";
import { BYTES, dtypeOf, fromFloat32, STORED, toFloat32 } from "./elements.ts";
import { readHeader, readInto, type StoredTensor } from "./header.ts";

/** Tensors by name. */
export type Params = Record<string, Tensor>;

const PIECE = 2 ** 20; // elements held in JavaScript at a time while converting or writing: few enough for the cache

/** How tensors are read. */
export interface ReadOptions {
  /** Converts to this type on the way; by default each tensor keeps its own. */
  dtype?: DType;
  /** Ends the reading between two tensors. */
  signal?: AbortSignal;
}

/**
 * Reads stored tensors straight into tensor memory, file by file and front to back.
 * @throws if a tensor is stored as anything but F32, BF16 or F16, and the reason of `signal`; what was read until then is
 * freed.
 */
export async function readTensors(
  stored: readonly StoredTensor[],
  { dtype, signal }: ReadOptions = {},
): Promise<Params> {
  const foreign = stored.filter((t) => !dtypeOf(t.dtype));
  if (foreign.length) {
    throw new Error(
      `Expected F32, BF16 or F16 weights, found ${foreign.map((t) => `"${t.name}" ${t.dtype}`).join(", ")}.`,
    );
  }
  const read: [string, Tensor][] = []; // a record takes every name but "__proto__"
  try {
    for (const path of new Set(stored.map((t) => t.path))) {
      using file = Deno.openSync(path);
      for (const t of stored.filter((t) => t.path === path).sort((a, b) => a.offset - b.offset)) {
        await checkpoint(signal);
        read.push([t.name, readTensor(file, t, dtype ?? dtypeOf(t.dtype)!)]);
      }
    }
  } catch (error) {
    tf.dispose(read.map(([, t]) => t));
    throw error;
  }
  return Object.fromEntries(read);
}

function readTensor(file: Deno.FsFile, t: StoredTensor, to: DType): Tensor {
  const from = dtypeOf(t.dtype)!;
  file.seekSync(t.offset, Deno.SeekMode.Start);
  const tensor = allocTensor(t.shape, to, (part: Uint8Array) => {
    if (from === to) return readInto(file, part, t.path);
    const buffer = new Uint8Array(Math.min(PIECE, part.length / BYTES[to]) * BYTES[from]);
    for (let i = 0; i < part.length;) {
      const n = Math.min(PIECE, (part.length - i) / BYTES[to]);
      const piece = buffer.subarray(0, n * BYTES[from]);
      readInto(file, piece, t.path);
      try {
        part.set(fromFloat32(toFloat32(piece, from), to), i);
      } catch (cause) {
        throw new Error(
          `Tensor "${t.name}" of ${t.path} cannot be read as ${to}: ${(cause as Error).message}.`,
          {
            cause,
          },
        );
      }
      i += n * BYTES[to];
    }
  });
  return tf.keep(tensor);
}

/** All tensors of one safetensors file. The caller owns them. @throws as {@link readTensors} */
export async function readSafetensors(path: string, options: ReadOptions = {}): Promise<Params> {
  return await readTensors(readHeader(path).tensors, options);
}

/**
 * Writes tensors to a safetensors file, in name order, without holding more than a piece of them in JavaScript.
 * @param dtype converts to this type; by default each tensor keeps its own.
 * @param metadata strings for the header; "format": "pt" is what transformers and PEFT ask for.
 *
 * @example Two weights written and read back
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { tf } from "@lib/tensor/mod.ts";
 * import { readSafetensors, writeSafetensors } from "@lib/weights/mod.ts";
 *
 * const path = await Deno.makeTempFile({ suffix: ".safetensors" });
 * writeSafetensors(path, { "head.weight": tf.tensor2d([[1, 2]]) });
 * assertEquals((await readSafetensors(path))["head.weight"].arraySync(), [[1, 2]]);
 * ```
 */
export function writeSafetensors(
  path: string,
  tensors: Params,
  { dtype, metadata = { format: "pt" } }: { dtype?: DType; metadata?: Record<string, string> } = {},
): void {
  const header: Record<string, unknown> = { __metadata__: metadata };
  const names = Object.keys(tensors).sort();
  const types = names.map((name) => dtype ?? realType(tensors[name]));
  let offset = 0;
  names.forEach((name, i) => {
    const { shape } = tensors[name], end = offset + tensors[name].size * BYTES[types[i]];
    header[name] = { dtype: STORED[types[i]], shape, data_offsets: [offset, end] };
    offset = end;
  });
  let json = new TextEncoder().encode(JSON.stringify(header));
  const padded = new Uint8Array(Math.ceil(json.length / 8) * 8).fill(0x20); // data starts aligned to 8 bytes
  padded.set(json);
  json = padded;
  const length = new Uint8Array(8);
  new DataView(length.buffer).setBigUint64(0, BigInt(json.length), true);

  writeFileAtomicSync(path, (file) => {
    for (const bytes of [length, json]) writeAllSync(file, bytes);
    names.forEach((name, i) => {
      for (const values of pieces(tensors[name])) {
        writeAllSync(file, convert(values, types[i], name, path));
      }
    });
  });
}

function convert(values: Float32Array<ArrayBuffer>, to: DType, name: string, path: string): Uint8Array {
  try {
    return fromFloat32(values, to);
  } catch (cause) {
    throw new Error(`Tensor "${name}" cannot be written as ${to} to ${path}: ${(cause as Error).message}.`, {
      cause,
    });
  }
}

/** Hashes of tensors, which do not change, so that a large model's are read once. */
const hashes = new WeakMap<Tensor, string>();

function tensorSha256(tensor: Tensor): string {
  const known = hashes.get(tensor);
  if (known) return known;
  const hash = createHash("sha256").update(JSON.stringify([realType(tensor), tensor.shape]));
  for (const { buffer, byteOffset, byteLength } of pieces(tensor)) {
    hash.update(new Uint8Array(buffer, byteOffset, byteLength));
  }
  const digest = hash.digest("hex");
  hashes.set(tensor, digest);
  return digest;
}

/** SHA-256 of tensors with their names, types and shapes, as 64 hex digits; each tensor is read once. */
export function paramsSha256(params: Params): string {
  return sha256(JSON.stringify(Object.keys(params).sort().map((name) => [name, tensorSha256(params[name])])));
}

/** The values of a tensor in row-major order, some rows at a time. bfloat16 and float16 come exactly, as float32. */
function* pieces(tensor: Tensor): Generator<Float32Array<ArrayBuffer>> {
  const values = (t: Tensor) => t.dataSync<"float32">() as Float32Array<ArrayBuffer>;
  if (tensor.size <= PIECE || tensor.rank < 2) return yield values(tensor);
  const [rows, ...rest] = tensor.shape, step = Math.max(1, Math.floor(PIECE / (tensor.size / rows)));
  for (let row = 0; row < rows; row += step) {
    const part = tf.slice(tensor, [row, ...rest.map(() => 0)], [Math.min(step, rows - row), ...rest]);
    yield values(part);
    part.dispose();
  }
}
