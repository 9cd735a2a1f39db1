import { pathKey, shownName, unsafePath } from "./safe_path.ts";

/** An archive that will not be unpacked, or not to its end: damaged, or made to do harm. */
export class ArchiveError extends Error {
  /** Name of the error. */
  override name = "ArchiveError";
}

/** What an archive says of one of its entries. */
export interface EntryHeader {
  name: string;
  /** "file", "directory", or what else it is ("symlink", "fifo", ...). */
  kind: string;
  encrypted: boolean;
  /** Bytes after and before unpacking, as declared; `packed` is null where the format does not tell. */
  size: number;
  packed: number | null;
}

/** Images hardly shrink; texts do, but not a thousand times. Entries below a MiB may shrink as they like. */
const MAX_RATIO = 200;
const SMALL = 2 ** 20;
/** Every file takes an entry of the file system, however small it is. */
const MAX_ENTRIES = 1_000_000;

/** Folders that macOS adds to archives; they hold no data. */
export const isClutter = (name: string): boolean =>
  /(^|\/)__MACOSX(\/|$)/.test(name) || /(^|\/)\.DS_Store$/.test(name);

/**
 * Judges an archive's entries one after the other. A name is used as it is or not at all: nothing is cleaned.
 * @param atMost bytes that all files together may have
 * @returns the function that takes an entry's header and returns its path in the folder
 * @throws ArchiveError (from that function) saying which entry, and why
 */
export function entryGuard(archive: string, atMost: number): (entry: EntryHeader) => string {
  /** Folded path -> its spelling and whether it is a file. */
  const seen = new Map<string, { path: string; isFile: boolean }>();
  let total = 0;
  const refuse = (name: string, why: string): never => {
    throw new ArchiveError(
      `${archive}: refused, since its entry ${shownName(name)} ${why}. Nothing of it is kept.`,
    );
  };
  const enter = (path: string, isFile: boolean, name: string) => {
    const folded = pathKey(path), earlier = seen.get(folded);
    if (!earlier) return seen.set(folded, { path, isFile });
    if (earlier.path !== path) {
      refuse(
        name,
        `differs from ${shownName(earlier.path)} only in upper and lower case or composed letters`,
      );
    }
    if (earlier.isFile || isFile) refuse(name, "is there twice");
  };
  return ({ name, kind, encrypted, size, packed }) => {
    if (kind !== "file" && kind !== "directory") refuse(name, `is a ${kind}, not a file`);
    if (encrypted) refuse(name, "is encrypted");
    const path = kind === "directory" ? name.replace(/\/$/, "") : name;
    const unsafe = unsafePath(path);
    if (unsafe !== null) refuse(name, unsafe);
    const parts = path.split("/");
    for (let n = 1; n < parts.length; n++) enter(parts.slice(0, n).join("/"), false, name);
    enter(path, kind === "file", name);
    if (seen.size > MAX_ENTRIES) refuse(name, `is one of more than ${MAX_ENTRIES}`);
    total += size;
    if (total > atMost) refuse(name, `brings its files to ${total} bytes, more than the ${atMost} expected`);
    if (packed !== null && size > SMALL && size > MAX_RATIO * packed) {
      refuse(name, `grows from ${packed} to ${size} bytes, more than ${MAX_RATIO} times`);
    }
    return path;
  };
}
