/** A tensor for which there was no memory, of the process or of a GPU. What was there before still is. */
export class OutOfMemory extends Error {
  /** Name of the error. */
  override readonly name = "OutOfMemory";
}

const LOWER =
  "lower the batch size (stage1, stage2 or evaluation.batchSize), set stage2.recompute, or generate fewer samples at a time";

const GIB = 2 ** 30;

/** @param what could not be allocated, as "a tensor float32[6,8]" */
export const outOfMemory = (what: string, bytes: number, device: string, where: string, cause?: unknown) =>
  new OutOfMemory(
    `There is no memory on ${device} for ${what} (${(bytes / GIB).toFixed(1)} GiB)${
      where && ` in ${where}`
    }: ${LOWER}.`,
    { cause },
  );

const RESOURCE_EXHAUSTED = 8;
/** TensorFlow's own kernels. */
const TENSOR = /OOM when allocating tensor with shape\[([\d,]*)\] and type (\S+) on \S*device:(\w+):(\d+)/;
/** XLA, and the allocators below it. */
const BYTES = /(?:memory|allocat)[^]*?(\d+) ?(?:bytes|B\b)/i;
/** Bytes of each element, by TensorFlow's names of types. */
const SIZES: Record<string, number> = {
  double: 8,
  int64: 8,
  complex64: 8,
  bfloat16: 2,
  half: 2,
  int8: 1,
  uint8: 1,
  bool: 1,
};

/** The error for a status that says that memory is used up; null for any other. */
export function memoryError(code: number, message: string, where: string): OutOfMemory | null {
  if (code !== RESOURCE_EXHAUSTED) return null;
  const [, shape, type, device, index] = TENSOR.exec(message) ?? [];
  if (type !== undefined) {
    const count = shape.split(",").reduce((product, n) => product * Number(n || 1), 1);
    const on = device === "CPU" ? "this machine" : `${device} ${index}`;
    return outOfMemory(`a tensor ${type}[${shape}]`, count * (SIZES[type] ?? 4), on, where, message);
  }
  const [, bytes] = BYTES.exec(message) ?? [];
  return bytes === undefined
    ? null
    : outOfMemory("what XLA computes", Number(bytes), "the device", where, message);
}
