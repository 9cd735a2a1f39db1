import { createHash } from "node:crypto";
import { basename, dirname, join } from "@std/path";
import { diskError } from "../config/mod.ts";
import { ArchiveError, entryGuard, type EntryHeader, isClutter } from "./entry_guard.ts";
import { shownName } from "./safe_path.ts";
import { tarEntries } from "./tar.ts";
import { zipEntries } from "./zip.ts";

/** An entry whose content can be copied once, into a stream that is closed then. */
export interface ArchiveEntry extends EntryHeader {
  copyTo: (sink: WritableStream<Uint8Array>) => Promise<void>;
}

/** A file that came out of an archive; `path` is relative to the target folder. */
export interface UnpackedFile {
  /** Path below the folder. */
  path: string;
  /** Its size. */
  bytes: number;
  /** Its hash. */
  sha256: string;
}

/** Limits of an archive, and how unpacking is watched. */
export interface UnpackOptions {
  /** Bytes that all files together may have. */
  atMost: number;
  /** Only what lies in this folder of the archive. */
  part?: string;
  /** Ends the unpacking; nothing is kept. */
  signal?: AbortSignal;
  /** Called with what is unpacked so far. */
  onProgress?: (progress: { files: number; bytes: number }) => void;
}

/**
 * Unpacks a .zip or .tar.gz into the new folder `target`, as streams. Folders that enclose everything are left out, so
 * that it does not matter whether an archive was made inside or outside its folder. It is written to `<target>.tmp` and
 * renamed, replacing an older `target`: whatever happens, `target` is whole or not there.
 *
 * Refused, and nothing kept: names that are absolute or leave the folder, backslashes, control and invisible characters, links
 * and devices, names that occur twice or differ only in case or composed letters, zip entries with two names, encrypted entries, more than `atMost` bytes, entries that grow 200-fold, wrong checksums
 * or lengths, truncated archives.
 * @throws ArchiveError naming archive and entry; Error with one sentence when the disk does not take it; what `signal` throws
 */
export async function unpackArchive(
  archive: string,
  target: string,
  { atMost, part, signal, onProgress }: UnpackOptions,
): Promise<UnpackedFile[]> {
  const name = basename(archive), temporary = `${target}.tmp`;
  const entriesOf = archive.endsWith(".zip") ? zipEntries : tarEntries;
  const files: UnpackedFile[] = [];
  let bytes = 0;
  await Deno.remove(temporary, { recursive: true }).catch(() => {});
  try {
    if (entriesOf === zipEntries) { // its directory tells everything before the first byte is unpacked
      const admit = entryGuard(name, atMost);
      for await (const entry of zipEntries(archive)) admit(entry);
    }
    const admit = entryGuard(name, atMost);
    await Deno.mkdir(temporary, { recursive: true });
    for await (const entry of entriesOf(archive)) {
      signal?.throwIfAborted();
      const path = admit(entry);
      const keep = entry.kind === "file" && !isClutter(path);
      const file = await store(entry, keep ? join(temporary, path) : null);
      if (!keep) continue;
      files.push({ path, ...file });
      bytes += file.bytes;
      onProgress?.({ files: files.length, bytes });
    }
    const root = rootOf(files, part, name);
    await Deno.remove(target, { recursive: true }).catch(ifThere);
    await Deno.rename(join(temporary, root), target);
    const inside = root === "" ? "" : `${root}/`;
    return files.filter(({ path }) => path.startsWith(inside))
      .map((file) => ({ ...file, path: file.path.slice(inside.length) }));
  } catch (error) {
    throw signal?.aborted ? error : explain(error, name, target);
  } finally {
    await Deno.remove(temporary, { recursive: true }).catch(() => {});
  }
}

/** Copies an entry to `path` (null: reads it only), and checks that it has the length it declared. */
async function store(entry: ArchiveEntry, path: string | null): Promise<{ bytes: number; sha256: string }> {
  if (path) await Deno.mkdir(dirname(path), { recursive: true });
  using file = path ? await Deno.open(path, { write: true, createNew: true }) : null;
  const hash = createHash("sha256"), { size } = entry;
  let bytes = 0, fault: unknown;
  const write = async (chunk: Uint8Array) => {
    bytes += chunk.length;
    if (bytes > size) throw new ArchiveError(`more than the ${size} bytes declared`);
    hash.update(chunk);
    if (file) { for (let at = 0; at < chunk.length;) at += await file.write(chunk.subarray(at)); }
  };
  const sink = new WritableStream<Uint8Array>({
    write: (chunk) =>
      write(chunk).catch((error) => {
        fault = error; // zip.js tells of a closed stream instead
        throw error;
      }),
  });
  try {
    await entry.copyTo(sink);
    if (bytes !== size && entry.kind === "file") throw new ArchiveError(`${bytes} of ${size} bytes`);
  } catch (told) {
    const error = fault ?? told;
    throw isOfDisk(error) ? error : new ArchiveError(`${messageOf(error)} in entry ${shownName(entry.name)}`);
  }
  return { bytes, sha256: hash.digest("hex") };
}

/** The innermost folder that holds all files, and `part` in it. */
function rootOf(files: readonly UnpackedFile[], part: string | undefined, archive: string): string {
  if (files.length === 0) throw new ArchiveError(`${archive}: expected files, found none.`);
  let common = files[0].path.split("/").slice(0, -1);
  for (const { path } of files) {
    const parts = path.split("/");
    let n = 0;
    while (n < common.length && n < parts.length - 1 && parts[n] === common[n]) n++;
    common = common.slice(0, n);
  }
  const root = [...common, ...(part ? [part] : [])].join("/");
  if (part && !files.some(({ path }) => path.startsWith(`${root}/`))) {
    throw new ArchiveError(`${archive}: expected a folder ${part} in it, found none.`);
  }
  return root;
}

function ifThere(error: unknown): void {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}

/** Faults of the disk have a code. */
const isOfDisk = (error: unknown): boolean =>
  !(error instanceof Error) || ("code" in error && typeof error.code === "string");

/** What a library found wrong, with the entry where it names one. */
function messageOf(error: unknown): string {
  const { message, filename, reason } = error as { message: string; filename?: string; reason?: string };
  const named = filename === undefined ? "" : ` ${shownName(filename)}`;
  return message.replace(/\.$/, "") + named + (reason === undefined ? "" : ` (${reason})`);
}

/** A fault of the archive or of the disk as one sentence; others as they are. */
function explain(error: unknown, archive: string, target: string): unknown {
  if (isOfDisk(error)) return diskError(error, target);
  if (error instanceof ArchiveError && error.message.startsWith(`${archive}:`)) return error;
  return new ArchiveError(
    `${archive}: expected a whole and sound archive, found: ${messageOf(error)}. Nothing of it is kept.`,
  );
}
