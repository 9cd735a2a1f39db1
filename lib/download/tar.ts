import { createTarDecoder } from "modern-tar";
import type { ArchiveEntry } from "./unpack.ts";

/**
 * The entries of a tar.gz in their order; each must be copied before the next is asked for. Checksums of gzip and of every
 * header are checked, and that the archive is whole.
 */
export async function* tarEntries(path: string): AsyncGenerator<ArchiveEntry> {
  const file = await Deno.open(path); // its stream closes it
  const entries = file.readable
    .pipeThrough(new DecompressionStream("gzip"))
    .pipeThrough(createTarDecoder({ strict: true }));
  for await (const { header, body } of entries) {
    yield {
      name: header.name,
      kind: header.type ?? "file",
      encrypted: false,
      size: header.size,
      packed: null,
      copyTo: (sink) => body.pipeTo(sink),
    };
  }
}
