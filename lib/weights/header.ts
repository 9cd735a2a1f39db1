import { z } from "zod";

/** Bytes per element of the element types that safetensors files hold. */
const SIZES: Record<string, number> = {
  BOOL: 1,
  U8: 1,
  I8: 1,
  F8_E5M2: 1,
  F8_E4M3: 1,
  I16: 2,
  U16: 2,
  F16: 2,
  BF16: 2,
  I32: 4,
  U32: 4,
  F32: 4,
  F64: 8,
  I64: 8,
  U64: 8,
};

/** Where one tensor lies in a safetensors file. */
export interface StoredTensor {
  /** Name of the tensor. */
  name: string;
  /** File that holds it. */
  path: string;
  /** As the file spells it: F32, BF16, F16, I64, ... */
  dtype: string;
  /** Its shape. */
  shape: number[];
  /** First byte, counted from the start of the file. */
  offset: number;
  /** Its size in the file. */
  bytes: number;
}

/** The reference implementation's limit. */
const MAX_HEADER = 100_000_000;
/** PaliGemma-3B has 604; the largest models split over experts have some 50,000. */
const MAX_TENSORS = 200_000;
const MAX_RANK = 16;

const Entry = z.strictObject({
  dtype: z.enum(Object.keys(SIZES), `expected one of ${Object.keys(SIZES).join(", ")}`),
  shape: z.array(z.number().int().nonnegative()).max(MAX_RANK, `expected at most ${MAX_RANK} dimensions`),
  data_offsets: z.tuple([z.number().int().nonnegative(), z.number().int().nonnegative()]),
});

/**
 * Reads the header of a safetensors file: 8 bytes little-endian length, JSON, data.
 * As strict as the reference implementation: tensors must cover the data exactly, without gap or overlap.
 * @throws on a truncated file, a broken header, or wrong offsets, naming the file and the tensor.
 */
export function readHeader(path: string): { tensors: StoredTensor[]; metadata: Record<string, string> } {
  const broken = (what: string): never => {
    throw new Error(`${path} is not a valid safetensors file: ${what}. Download or save it again.`);
  };
  using file = open(path);
  const size = file.statSync().size;
  if (size < 8) broken(`expected at least 8 bytes, found ${size}`);
  const length = Number(new DataView(readExactly(file, 8, path).buffer).getBigUint64(0, true));
  if (length > MAX_HEADER) broken(`expected a header of at most ${MAX_HEADER} bytes, found ${length}`);
  if (8 + length > size) broken(`expected a header of ${length} bytes, the file ends after ${size - 8}`);
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(readExactly(file, length, path)));
  } catch (error) {
    broken(`the header is not JSON (${(error as Error).message})`);
  }
  if (typeof json !== "object" || json === null || Array.isArray(json)) {
    broken("the header is not a JSON object");
  }
  const { __metadata__, ...entries } = json as Record<string, unknown>;
  const metadata = z.record(z.string(), z.string()).safeParse(__metadata__ ?? {});
  if (!metadata.success) return broken("__metadata__ is not an object of strings");

  const start = 8 + length, claimed = Object.entries(entries);
  if (claimed.length > MAX_TENSORS) {
    broken(`expected at most ${MAX_TENSORS} tensors, the header names ${claimed.length}`);
  }
  const tensors = claimed.map(([name, value]) => {
    const entry = Entry.safeParse(value);
    if (!entry.success) {
      const issue = entry.error.issues[0];
      return broken(`tensor "${name}", ${issue.path.join(".")}: ${issue.message}`);
    }
    const { dtype, shape, data_offsets: [from, to] } = entry.data;
    // A zero among the sizes must not hide that the others overflow.
    const counted = shape.reduce((n, d) => n * Math.max(d, 1), SIZES[dtype]);
    if (counted > Number.MAX_SAFE_INTEGER) broken(`tensor "${name}" claims an impossible shape [${shape}]`);
    const bytes = shape.includes(0) ? 0 : counted;
    if (to - from !== bytes) {
      broken(
        `tensor "${name}" is ${dtype} [${shape}], expected ${bytes} bytes, its offsets span ${to - from}`,
      );
    }
    return { name, path, dtype, shape, offset: start + from, bytes };
  }).sort((a, b) => a.offset - b.offset || a.bytes - b.bytes);
  let end = start;
  for (const t of tensors) {
    if (t.offset !== end) {
      broken(
        t.offset < end
          ? `tensor "${t.name}" overlaps the one before it by ${end - t.offset} bytes`
          : `${t.offset - end} bytes before tensor "${t.name}" belong to no tensor (a name given twice?)`,
      );
    }
    end = t.offset + t.bytes;
  }
  if (end !== size) broken(`expected ${end} bytes, found ${size}`);
  return { tensors, metadata: metadata.data };
}

function open(path: string): Deno.FsFile {
  try {
    return Deno.openSync(path);
  } catch (cause) {
    throw new Error(
      `Expected a safetensors file at ${path}, but it cannot be opened. Is the folder complete?`,
      { cause },
    );
  }
}

/** The next `count` bytes of `file`. */
export function readExactly(file: Deno.FsFile, count: number, path: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(count);
  readInto(file, bytes, path);
  return bytes;
}

/** Fills `target` from `file`, in pieces of 64 MiB. */
export function readInto(file: Deno.FsFile, target: Uint8Array, path: string): void {
  for (let i = 0; i < target.length;) {
    const n = file.readSync(target.subarray(i, i + 2 ** 26));
    if (n === null) {
      throw new Error(`${path} ended ${target.length - i} bytes early. Was it changed while being read?`);
    }
    i += n;
  }
}
