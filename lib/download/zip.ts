import { type Entry, Reader, ZipReader } from "@zip.js/zip.js";
import type { ArchiveEntry } from "./unpack.ts";

/** A file on disk for zip.js: reads are queued, since they share the file's position. */
class FileReader extends Reader<Deno.FsFile> {
  #queue: Promise<unknown> = Promise.resolve();

  constructor(private readonly file: Deno.FsFile, size: number) {
    super(file);
    this.size = size;
  }

  override readUint8Array(index: number, length: number): Promise<Uint8Array> {
    const read = this.#queue.then(async () => {
      await this.file.seek(index, Deno.SeekMode.Start);
      const bytes = new Uint8Array(Math.min(length, Math.max(0, this.size - index)));
      let filled = 0;
      while (filled < bytes.length) {
        const n = await this.file.read(bytes.subarray(filled));
        if (n === null) break;
        filled += n;
      }
      return bytes.subarray(0, filled);
    });
    this.#queue = read.catch(() => {});
    return read;
  }
}

/** The old code page of zip files has pictures for control characters; the guard is to see what is written there. */
const nameOf = ({ rawFilename, filename }: Entry): string =>
  rawFilename.some((byte) => byte < 32 || byte === 127) ? String.fromCharCode(...rawFilename) : filename;

/**
 * The entries of a zip file (zip64, stored or deflated) by its central directory. CRC-32, length and the name before its
 * content are checked as each is copied. That entries share bytes is not looked for: zip.js remembers every entry for that (1.2 GB for 60,000 were
 * measured), and what such archives are made for, growth, the guard stops.
 *
 * zip.js (BSD-3) reads as a stream under Deno and checks CRC-32 and local against central headers by itself; yauzl, tried
 * beside it, leaves the checksum to the caller.
 */
export async function* zipEntries(path: string): AsyncGenerator<ArchiveEntry> {
  using file = await Deno.open(path);
  const reader = new ZipReader(new FileReader(file, (await file.stat()).size), {
    useWebWorkers: false,
    checkSignature: true,
    checkLocalFilename: true,
    filenameValidation: "tolerant", // the guard judges names
  });
  for await (const entry of reader.getEntriesGenerator()) {
    yield {
      name: nameOf(entry),
      kind: entry.symlink ? "symlink" : entry.directory ? "directory" : "file",
      encrypted: entry.encrypted,
      size: entry.uncompressedSize,
      packed: entry.compressedSize,
      copyTo: async (sink) => {
        if (!entry.directory) await entry.getData(sink);
      },
    };
  }
  await reader.close();
}
