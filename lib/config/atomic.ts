import { dirname } from "@std/path";

/** What a file is to hold: its bytes, its text, or what writes them. */
export type Content = string | Uint8Array | ((file: Deno.FsFile) => void);

const CAUSES: Readonly<Record<string, string>> = {
  ENOSPC: "the disk is full: make room",
  EDQUOT: "your share of the disk is used up: make room",
  EROFS: "the disk is read-only: use another folder, or mount it for writing",
  EACCES: "this user may not write there: change the folder's owner or permissions",
  EPERM: "this user may not write there: change the folder's owner or permissions",
  EIO: "the disk reports an error: check it, or use another",
  EFBIG: "this disk takes no file so large: use another",
  ENOTDIR: "there is a file where its folder should be: use another place",
};

/** What a system's error while writing `path` means, as one sentence; errors of another kind stay as they are. */
export function diskError(error: unknown, path: string): unknown {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const cause = code in CAUSES ? CAUSES[code] : undefined;
  return cause ? new Error(`${path} cannot be written: ${cause} and run again.`, { cause: error }) : error;
}

/** Makes a folder and those above it. @throws Error with one sentence when the disk or this user may not */
export async function makeFolder(path: string, options: { mode?: number } = {}): Promise<void> {
  try {
    await Deno.mkdir(path, { ...options, recursive: true });
  } catch (error) {
    throw diskError(error, path);
  }
}

/** Writes all bytes, however many calls that takes. */
export function writeAllSync(file: Deno.FsFile, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length;) at += file.writeSync(bytes.subarray(at, at + 2 ** 26));
}

/** Puts what was written, or the names in a folder, on the disk itself. */
export function syncPath(path: string): void {
  using file = Deno.openSync(path);
  file.syncSync();
}

/**
 * The file beside `path` that is written first. A lock says whose it is, so that what a killed process has left there is
 * taken over and two writers at once do not share it.
 */
function openAside(path: string, mode?: number): { aside: string; file: Deno.FsFile } {
  const aside = `${path}.tmp`, file = Deno.openSync(aside, { write: true, create: true, mode });
  // Between our opening and locking it another writer may have renamed it into place.
  const ours = () => Deno.statSync(aside).ino === file.statSync().ino;
  try {
    if (file.tryLockSync(true) && ours()) {
      file.truncateSync();
      return { aside, file };
    }
  } catch { // gone, or a file system without locks
  }
  file.close();
  const own = `${path}.${crypto.randomUUID()}.tmp`;
  return { aside: own, file: Deno.openSync(own, { write: true, createNew: true, mode }) };
}

/**
 * Writes a file whole or not at all: beside its place, onto the disk, then renamed into it. What was there stays until
 * then; after an error nothing is left.
 *
 * @param mode permissions, such as 0o600; else what the user's umask gives
 * @throws Error with one sentence when the disk is full, read-only or closed to this user
 */
export function writeFileAtomicSync(path: string, content: Content, { mode }: { mode?: number } = {}): void {
  let aside: string | undefined;
  try {
    const opened = openAside(path, mode);
    using file = opened.file;
    aside = opened.aside;
    if (mode !== undefined) Deno.chmodSync(aside, mode);
    if (typeof content === "function") content(file);
    else writeAllSync(file, typeof content === "string" ? new TextEncoder().encode(content) : content);
    file.syncSync();
    Deno.renameSync(aside, path);
    syncPath(dirname(path));
  } catch (error) {
    if (aside !== undefined) {
      try {
        Deno.removeSync(aside);
      } catch { // renamed already, or the disk does not let us
      }
    }
    throw diskError(error, path);
  }
}

/**
 * {@link writeFileAtomicSync} as a promise.
 *
 * @example A file that is whole or not there
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { writeFileAtomic } from "@lib/config/mod.ts";
 *
 * const path = `${await Deno.makeTempDir()}/loss.json`;
 * await writeFileAtomic(path, JSON.stringify({ loss: 0.5 }));
 * assertEquals(await Deno.readTextFile(path), '{"loss":0.5}');
 * ```
 */
export function writeFileAtomic(
  path: string,
  content: Content,
  options: { mode?: number } = {},
): Promise<void> {
  return new Promise((resolve) => resolve(writeFileAtomicSync(path, content, options)));
}
