import { join, relative } from "@std/path";
import { sha256File, writeFileAtomic } from "../config/mod.ts";
import { readReceipt } from "./receipt.ts";
import type { UnpackedFile } from "./unpack.ts";

/** The list of an unpacked folder's hashes, beside it, in the form that `sha256sum -c` reads (from inside the folder). */
const hashesPath = (folder: string) => `${folder}.sha256`;

/** Writes the hashes of the files of `folder` beside it. */
export async function writeHashes(folder: string, files: readonly UnpackedFile[]): Promise<void> {
  await writeFileAtomic(hashesPath(folder), files.map((f) => `${f.sha256}  ${f.path}\n`).join(""));
}

/** @throws Error, one sentence, when the list is not there or not that of so many files */
async function readHashes(folder: string, files: number): Promise<{ path: string; sha256: string }[]> {
  const path = hashesPath(folder), text = await Deno.readTextFile(path).catch(() => "");
  const lines = [...text.matchAll(/^([0-9a-f]{64}) {2}([^\n]+)$/gm)];
  if (lines.length !== files) {
    throw new Error(
      `${path}: expected the hashes of ${files} files, found ${lines.length}. Delete ${folder} and fetch the data set again.`,
    );
  }
  return lines.map(([, sha256, path]) => ({ path, sha256 }));
}

/** Where the hashes of files that a person put into the folder are kept, from the first look at them on. */
const PLACED = "placed";

/** What a re-hash of a data set found. */
export interface Verification {
  /** Files put there by hand whose hashes were written down now, for the next time. */
  recorded: number;
  /** Files that are as they came. */
  same: number;
  /** Files that are not, and files that are gone. */
  changed: string[];
  /** Files that are not there. */
  missing: string[];
}

/**
 * Hashes every downloaded and unpacked file of a data set's folder again and compares with its receipt. Files that a person
 * put there came without hashes: they are written down at the first look and compared from then on; an empty one counts as
 * changed.
 * @throws Error, one sentence, when the list of an archive's hashes is damaged
 * @param onProgress gets the number of files done and all
 */
export async function verifyDataset(
  dir: string,
  { signal, onProgress }: { signal?: AbortSignal; onProgress?: (done: number, all: number) => void } = {},
): Promise<Verification> {
  const expected: { path: string; sha256: string }[] = [];
  for (const [path, { sha256, unpacked }] of Object.entries((await readReceipt(dir)).files)) {
    if (!unpacked) expected.push({ path, sha256 });
    else {
      for (const file of await readHashes(join(dir, unpacked.into), unpacked.files)) {
        expected.push({ path: `${unpacked.into}/${file.path}`, sha256: file.sha256 });
      }
    }
  }
  const placed = await Deno.readTextFile(hashesPath(join(dir, PLACED))).catch(() => "");
  for (const line of placed.split("\n")) {
    if (line) expected.push({ path: line.slice(66), sha256: line.slice(0, 64) });
  }
  const found: Verification = { recorded: 0, same: 0, changed: [], missing: [] };
  for (const [done, { path, sha256 }] of expected.entries()) {
    signal?.throwIfAborted();
    onProgress?.(done, expected.length);
    try {
      if (await sha256File(join(dir, path)) === sha256) found.same++;
      else found.changed.push(path);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
      found.missing.push(path);
    }
  }
  const known = new Set(expected.map(({ path }) => path)), added: UnpackedFile[] = [];
  for await (const path of filesBelow(dir)) {
    const name = relative(dir, path);
    if (known.has(name) || /^(receipt\.json|licence\.txt)$|\.(sha256|part|part\.json|tmp)$/.test(name)) {
      continue;
    }
    signal?.throwIfAborted();
    const bytes = (await Deno.stat(path)).size;
    if (bytes === 0) found.changed.push(`${name} (empty)`);
    else added.push({ path: name, bytes, sha256: await sha256File(path) });
  }
  found.recorded = added.length;
  if (added.length > 0) {
    const lines = added.map((file) => `${file.sha256}  ${file.path}\n`).join("");
    await writeFileAtomic(hashesPath(join(dir, PLACED)), placed + lines);
  }
  return found;
}

async function* filesBelow(folder: string): AsyncGenerator<string> {
  const entries = await Array.fromAsync(Deno.readDir(folder)).catch((error) => {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  });
  for (const { name, isDirectory } of entries) {
    if (name.startsWith(".")) continue;
    if (isDirectory) yield* filesBelow(join(folder, name));
    else yield join(folder, name);
  }
}
