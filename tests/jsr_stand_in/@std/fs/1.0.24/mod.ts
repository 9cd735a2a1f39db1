/** Stand-in for jsr:@std/fs: the functions this project uses, with the same signatures. */
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";

/** Makes sure that a folder exists. */
export async function ensureDir(dir: string | URL): Promise<void> {
  await Deno.mkdir(dir, { recursive: true });
}

/** Whether a file or folder exists. */
export async function exists(
  path: string | URL,
  options?: { isDirectory?: boolean; isFile?: boolean },
): Promise<boolean> {
  try {
    const info = await Deno.stat(path);
    return !(options?.isDirectory && !info.isDirectory) && !(options?.isFile && !info.isFile);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** What `walk` finds. */
export interface WalkEntry extends Deno.DirEntry {
  path: string;
}

/** Everything under a folder, the folder itself first. Symbolic links are not followed. */
export async function* walk(
  root: string | URL,
  options: { includeDirs?: boolean; includeFiles?: boolean; exts?: string[] } = {},
): AsyncIterableIterator<WalkEntry> {
  const { includeDirs = true, includeFiles = true, exts } = options;
  const path = typeof root === "string" ? root : fileURLToPath(root);
  const fits = (name: string) => !exts || exts.some((ext) => name.endsWith(ext));
  if (includeDirs && !exts) {
    yield { path, name: basename(path), isDirectory: true, isFile: false, isSymlink: false };
  }
  for await (const entry of Deno.readDir(path)) {
    const child = join(path, entry.name);
    if (entry.isDirectory) yield* walk(child, options);
    else if (includeFiles && fits(entry.name)) yield { path: child, ...entry };
  }
}
