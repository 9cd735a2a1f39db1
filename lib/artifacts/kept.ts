import { walk } from "@std/fs";
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
/** Settings of the libraries on which the last bit of a result may depend. */
const SETTINGS = /^(TF|XLA|ONEDNN|DNNL|OMP|CUDA|NVIDIA)_/;

const folder = () => join(paths.results, "kept");

/** Hash of all code of the library and of the versions of what it imports. */
let code: Promise<string> | undefined;
async function codeSha256(): Promise<string> {
  const files: [string, string][] = [];
  const ours = walk(join(paths.root, "lib"), { includeDirs: false, exts: [".ts", ".wasm"] });
  for await (const { path } of ours) {
    files.push([path.slice(paths.root.length), await sha256File(path)]);
  }
  files.push(["deno.lock", await sha256File(join(paths.root, "deno.lock"))]);
  return sha256(canonicalJson(files.sort(([a], [b]) => (a < b ? -1 : 1))));
}

/** Beginning of the hash of the library's code, with which the names of what it kept begin. */
const codeMark = async () => (await (code ??= codeSha256())).slice(0, 8);

/** What equal settings give equal bits on: code, versions, device, processor, the libraries' own settings. */
async function surroundings() {
  const { device, versions } = computing;
  const processor = await Deno.readTextFile("/proc/cpuinfo").catch(() => "");
  const settings = Object.entries(Deno.env.toObject()).filter(([name]) => SETTINGS.test(name));
  return {
    code: await (code ??= codeSha256()),
    device,
    versions,
    processor: [/^model name\s*: (.*)$/m.exec(processor)?.[1], navigator.hardwareConcurrency],
    settings: Object.fromEntries(settings),
  };
}

/**
 * A result that is worth keeping, as a file: made by `make` the first time, found again afterwards, also by a run after
 * one that was killed. The file's name begins with the library's code, {@link codeMark}, and holds the hash of everything
 * that the result depends on and that of its bytes; a file that is not what its name says is thrown away, with a sentence
 * on standard error, and made again.
 *
 * What depends on the library's code, TensorFlow, the device and the processor is in every key.
 *
 * @param kind a word that names a folder, e.g. "cells"
 * @param key all else that the result depends on; becomes JSON
 * @param make writes the result to the path that it is given
 * @returns path of the file; read it before this function is called again, which may remove it for others' sake
 */
export async function kept(
  kind: string,
  key: unknown,
  make: (path: string) => void | Promise<void>,
): Promise<string> {
  const dir = join(folder(), kind), name = await nameOf(key);
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
const nameOf = async (key: unknown) =>
  `${await codeMark()}-${sha256(canonicalJson([await surroundings(), key]))}`;

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
 * @param what is being made, for the error: "The training of a cell"
 * @throws Error when another process is making the same result
 */
export async function holdUnfinished(key: unknown, what: string): Promise<Unfinished> {
  const dir = join(folder(), "unfinished"), name = await nameOf(key), path = join(dir, name);
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
  kind: string;
  files: number;
  bytes: number;
  /** Bytes of those that other code than the present has made, which no run finds any more. */
  unneeded: number;
}

/** What is kept, by kind. */
export async function keptResults(): Promise<KeptSummary[]> {
  const mark = await codeMark();
  return [...Map.groupBy(await keptFiles(), ({ kind }) => kind)].map(([kind, own]) => {
    const bytes = (files: readonly KeptFile[]) => files.reduce((sum, { size }) => sum + size, 0);
    const foreign = own.filter(({ name }) => !name.startsWith(mark));
    return { kind, files: own.length, bytes: bytes(own), unneeded: bytes(foreign) };
  });
}

/** Removes the kept results that other code than the present has made. @returns the bytes that were removed */
export async function removeUnneededKept(): Promise<number> {
  const mark = await codeMark(), files = await keptFiles();
  const foreign = files.filter(({ name }) => !name.startsWith(mark));
  for (const { path } of foreign) await removeKept(path);
  return foreign.reduce((sum, { size }) => sum + size, 0);
}
