import { resolve } from "@std/path";

const PROT_READ = 1, MAP_SHARED = 1;
const FAILED = 2n ** 64n - 1n;

const SYMBOLS = {
  open: { parameters: ["buffer", "i32"], result: "i32" },
  close: { parameters: ["i32"], result: "i32" },
  mmap: { parameters: ["pointer", "usize", "i32", "i32", "i32", "i64"], result: "pointer" },
  munmap: { parameters: ["pointer", "usize"], result: "i32" },
} as const;

let opened: Deno.DynamicLibrary<typeof SYMBOLS> | undefined;
/** The C library, loaded once for the process. */
const libc = () => (opened ??= Deno.dlopen("libc.so.6", SYMBOLS)).symbols;

/** A file's bytes as memory that the system reads when it is touched. */
export interface MappedFile extends Disposable {
  /** Not to be written to: that ends the process. Empty once the file is closed, as are all views of its buffer. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Gives the memory back; the views of it are empty from then on. */
  close(): void;
}

/**
 * Maps a file for reading. It must not be shortened in place while it is open (this project's writers rename whole files
 * into place, which leaves a mapped one as it is).
 * @throws Deno.errors.NotFound, or Error when there is nothing to map: a folder, an empty file
 */
export async function mapFile(path: string): Promise<MappedFile> {
  const { isFile, size } = await Deno.stat(path);
  if (!isFile || size === 0) throw new Error(`${path} is ${isFile ? "an empty file" : "no file"}.`);
  const { open, close, mmap, munmap } = libc();
  const descriptor = open(new TextEncoder().encode(`${resolve(path)}\0`), 0);
  if (descriptor < 0) throw new Error(`${path} cannot be opened for reading.`);
  const address = mmap(null, BigInt(size), PROT_READ, MAP_SHARED, descriptor, 0n);
  close(descriptor);
  if (address === null || Deno.UnsafePointer.value(address) === FAILED) {
    throw new Error(`${path} (${size} bytes) cannot be mapped into memory.`);
  }
  const buffer = Deno.UnsafePointerView.getArrayBuffer(address, size) as ArrayBuffer;
  const bytes = new Uint8Array(buffer);
  const end = () => {
    if (buffer.detached) return;
    buffer.transfer(); // detaches it: a late read finds nothing, where it would end the process
    munmap(address, BigInt(size));
  };
  return { bytes, close: end, [Symbol.dispose]: end };
}
