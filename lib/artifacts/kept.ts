import { exists, walk } from "@std/fs";
import { join } from "@std/path";
import {
  canonicalJson,
  computing,
  diskError,
  makeFolder,
  paths,
  sha256,
  sha256File,
  syncPath,
} from "../config/mod.ts";
import { isLocked, lockFile } from "./file_lock.ts";

/** Bytes of kept results beyond which those not used for longest go. */
const MOST_BYTES = 4 * 2 ** 30;
/** Milliseconds after which a file that was never finished is taken for a dead process's. */
const ABANDONED = 86_400_000;
/** Settings of the libraries on which the last bit of a result may depend; which GPU it is and what is logged change none. */
const SETTINGS = /^(?!CUDA_VISIBLE_DEVICES$|TF_CPP_MIN_LOG_LEVEL$)(TF|XLA|ONEDNN|DNNL|OMP|CUDA|NVIDIA)_/;

const folder = () => join(paths.results, "kept");

/** Another room's facade in an import of any kind. */
const IMPORTED = /["'](?:(?:\.\.\/)+|@lib\/)(\w+)\/mod\.ts["']/g;

/** The files of a room, their hashes, and the rooms that it imports from. */
interface RoomCode {
  files: [string, string][];
  imports: Set<string>;
}

const rooms = new Map<string, Promise<RoomCode>>();

async function readRoom(room: string): Promise<RoomCode> {
  const lib = join(paths.root, "lib"), found: RoomCode = { files: [], imports: new Set() };
  for await (const { path } of walk(join(lib, room), { includeDirs: false, exts: [".ts", ".wasm"] })) {
    const bytes = await Deno.readFile(path);
    found.files.push([path.slice(lib.length), sha256(bytes)]);
    if (!path.endsWith(".ts")) continue;
    for (const [, name] of new TextDecoder().decode(bytes).matchAll(IMPORTED)) {
      if (await exists(join(lib, name, "mod.ts"))) found.imports.add(name);
    }
  }
  return found;
}

/** A room and all rooms that it builds on, with their code. (For tests.) */
export async function roomsUnder(room: string): Promise<Map<string, RoomCode>> {
  const names = new Set([room]), found = new Map<string, RoomCode>();
  for (const name of names) { // grows meanwhile
    const code = rooms.get(name) ?? readRoom(name);
    rooms.set(name, code);
    found.set(name, await code);
    (await code).imports.forEach((other) => names.add(other));
  }
  return found;
}

/** Hash of the code of {@linkcode roomsUnder}, and of the versions of what the library imports. */
async function codeSha256(room: string): Promise<string> {
  const files = [...(await roomsUnder(room)).values()].flatMap(({ files }) => files);
  files.push(["deno.lock", await sha256File(join(paths.root, "deno.lock"))]);
  return sha256(canonicalJson(files.sort(([a], [b]) => (a < b ? -1 : 1))));
}

const codes = new Map<string, Promise<string>>();
const codeOf = (room: string): Promise<string> => {
  const code = codes.get(room) ?? codeSha256(room);
  codes.set(room, code);
  return code;
};

/** Beginning of the hash of a room's code, with which the names of what it kept begin. */
const codeMark = async (room: string) => (await codeOf(room)).slice(0, 8);

/** The marks of the present code. */
async function codeMarks(): Promise<Set<string>> {
  const names = await Array.fromAsync(Deno.readDir(join(paths.root, "lib")));
  return new Set(
    await Promise.all(names.filter(({ isDirectory }) => isDirectory).map(({ name }) => codeMark(name))),
  );
}

/** What equal settings give equal bits on: code, versions, device, processor, the libraries' own settings. */
async function surroundings(room: string) {
  const { device, versions } = computing;
  const processor = await Deno.readTextFile("/proc/cpuinfo").catch(() => "");
  const settings = Object.entries(Deno.env.toObject()).filter(([name]) => SETTINGS.test(name));
  return {
    code: await codeOf(room),
    device,
    versions,
    processor: [/^model name\s*: (.*)$/m.exec(processor)?.[1], navigator.hardwareConcurrency],
    settings: Object.fromEntries(settings),
  };
}

/**
 * A result that is worth keeping, as a file: made by `make` the first time, found again afterwards, also by a run after
 * one that was killed. The file's name begins with the code that made it, {@link codeMark}, and holds the hash of everything
 * that the result depends on and that of its bytes; a file that is not what its name says is thrown away, with a sentence
 * on standard error, and made again.
 *
 * The code of the room that makes it and of those that this builds on, TensorFlow, the device and the processor are in every
 * key: an edit elsewhere, of figures say, loses nothing.
 *
 * @param room whose code makes the result
 * @param kind a word that names a folder, e.g. "cells"
 * @param key all else that the result depends on; becomes JSON
 * @param make writes the result to the path that it is given
 * @returns path of the file; read it before this function is called again, which may remove it for others' sake
 */
export async function kept(
  room: string,
  kind: string,
  key: unknown,
  make: (path: string) => void | Promise<void>,
): Promise<string> {
  const dir = join(folder(), kind), name = await nameOf(room, key);
  const found = await findWhole(dir, name);
  if (found) return found;
  const unfinished = join(dir, `.${crypto.randomUUID()}`);
  try {
    await Deno.mkdir(dir, { recursive: true });
    await make(unfinished);
    await Deno.chmod(unfinished, 0o600); // answers about patients' images may be in it
    syncPath(unfinished);
    const path = join(dir, `${name}-${await sha256File(unfinished)}`);
    await Deno.rename(unfinished, path);
    syncPath(dir);
    await pruneKept(MOST_BYTES, path);
    return path;
  } catch (error) {
    await Deno.remove(unfinished).catch(() => {});
    throw diskError(error, dir);
  }
}

/** The file kept under a name, if it is there and whole. */
async function findWhole(dir: string, name: string): Promise<string | null> {
  for (const file of await namesIn(dir)) {
    if (!file.startsWith(`${name}-`)) continue;
    const path = join(dir, file);
    try {
      if (`${name}-${await sha256File(path)}` === file) {
        await Deno.utime(path, new Date(), new Date()); // it was used
        return path;
      }
      console.error(`${path} is damaged: it is thrown away and made again.`);
      await Deno.remove(path);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error; // another process has removed it
    }
  }
  return null;
}

/** The beginning of the name under which a result is kept. */
const nameOf = async (room: string, key: unknown) =>
  `${await codeMark(room)}-${sha256(canonicalJson([await surroundings(room), key]))}`;

/** A place for what has been done so far of a result, which one process has at a time. */
export interface Unfinished extends Disposable {
  /** A file that need not be there yet; files whose names go on from this one's belong to it too. */
  readonly path: string;
  /** The files of other results that are not finished either. */
  others(): Promise<string[]>;
  /** Removes those files, once the result is there. */
  finish(): Promise<void>;
}

/**
 * The place for what has been done so far of a result that {@linkcode kept} is to hold, so that a run with the same key
 * after one that was killed can go on from there. What nobody finishes goes like kept results.
 *
 * @param room as of {@linkcode kept}
 * @param what is being made, for the error: "The training of a cell"
 * @throws Error when another process is making the same result
 */
export async function holdUnfinished(room: string, key: unknown, what: string): Promise<Unfinished> {
  const dir = join(folder(), "unfinished"), name = await nameOf(room, key), path = join(dir, name);
  await makeFolder(dir, { mode: 0o700 });
  const lockPath = join(dir, `.${name}.lock`);
  const lock = lockFile(
    lockPath,
    (holder) => `${what} is at work in ${holder}: wait for it, or end it; then run this again.`,
  );
  return {
    path,
    async others() {
      const names = (await namesIn(dir)).filter((file) => !file.startsWith(".") && !file.startsWith(name));
      return names.map((file) => join(dir, file));
    },
    async finish() {
      for (const file of await namesIn(dir)) if (file.startsWith(name)) await removeKept(join(dir, file));
      await removeKept(lockPath);
      lock.release();
    },
    [Symbol.dispose]: lock.release,
  };
}

async function namesIn(dir: string): Promise<string[]> {
  try {
    return (await Array.fromAsync(Deno.readDir(dir))).map(({ name }) => name).sort();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

/**
 * Removes kept results, those not used for longest first, until at most `bytes` are left; and what killed processes
 * have left unfinished. A result that is gone is made again when it is needed.
 *
 * @param except a file that stays
 * @returns bytes that were removed and that are left
 */
export async function pruneKept(bytes: number, except?: string): Promise<{ removed: number; left: number }> {
  const files = await keptFiles();
  let left = files.reduce((sum, { size }) => sum + size, 0), removed = 0;
  for (const { path, size } of files.sort((a, b) => a.used - b.used)) {
    if (left <= bytes) break;
    if (path === except) continue;
    await removeKept(path);
    left -= size;
    removed += size;
  }
  return { removed, left };
}

/** A kept result on disk. */
interface KeptFile {
  path: string;
  kind: string;
  name: string;
  size: number;
  /** When it was used last, in milliseconds. */
  used: number;
}

/** All kept results; what dead processes have left unfinished goes. */
async function keptFiles(): Promise<KeptFile[]> {
  const files: KeptFile[] = [];
  for (const kind of await namesIn(folder())) {
    for (const name of await namesIn(join(folder(), kind))) {
      const path = join(folder(), kind, name), info = await Deno.stat(path).catch(() => null);
      if (!info?.isFile) continue;
      const used = info.mtime?.getTime() ?? 0;
      if (!name.startsWith(".")) files.push({ path, kind, name, size: info.size, used });
      else if (Date.now() - used > ABANDONED && !isLocked(path)) await removeKept(path);
    }
  }
  return files;
}

async function removeKept(path: string): Promise<void> {
  await Deno.remove(path).catch((error) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  });
}

/** Kept results of one kind. */
export interface KeptSummary {
  /** Name of the folder. */
  kind: string;
  /** Files in it. */
  files: number;
  /** Their size together. */
  bytes: number;
  /** Bytes of those that other code than the present has made, which no run finds any more. */
  unneeded: number;
}

/** What is kept, by kind. */
export async function keptResults(): Promise<KeptSummary[]> {
  const marks = await codeMarks();
  return [...Map.groupBy(await keptFiles(), ({ kind }) => kind)].map(([kind, own]) => {
    const bytes = (files: readonly KeptFile[]) => files.reduce((sum, { size }) => sum + size, 0);
    const foreign = own.filter(({ name }) => !marks.has(name.slice(0, 8)));
    return { kind, files: own.length, bytes: bytes(own), unneeded: bytes(foreign) };
  });
}

/** Removes the kept results that other code than the present has made. @returns the bytes that were removed */
export async function removeUnneededKept(): Promise<number> {
  const marks = await codeMarks(), files = await keptFiles();
  const foreign = files.filter(({ name }) => !marks.has(name.slice(0, 8)));
  for (const { path } of foreign) await removeKept(path);
  return foreign.reduce((sum, { size }) => sum + size, 0);
}
