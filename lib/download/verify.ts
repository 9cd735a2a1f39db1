import { join } from "@std/path";
import { sha256File, writeFileAtomic } from "../config/mod.ts";
import { readReceipt } from "./receipt.ts";
import type { UnpackedFile } from "./unpack.ts";

/** The list of an unpacked folder's hashes, beside it, in the form that `sha256sum -c` reads (from inside the folder). */
const hashesPath = (folder: string) => `${folder}.sha256`;

/** Writes the hashes of the files of `folder` beside it. */
export async function writeHashes(folder: string, files: readonly UnpackedFile[]): Promise<void> {
  await writeFileAtomic(hashesPath(folder), files.map((f) => `${f.sha256}  ${f.path}\n`).join(""));
}

/** What a re-hash of a data set found. */
export interface Verification {
  /** Files that are as they came. */
  same: number;
  /** Files that are not, and files that are gone. */
  changed: string[];
  missing: string[];
}

/**
 * Hashes every downloaded and unpacked file of a data set's folder again and compares with its receipt.
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
      const list = await Deno.readTextFile(hashesPath(join(dir, unpacked.into)));
      for (const line of list.split("\n")) {
        if (line) expected.push({ path: `${unpacked.into}/${line.slice(66)}`, sha256: line.slice(0, 64) });
      }
    }
  }
  const found: Verification = { same: 0, changed: [], missing: [] };
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
  return found;
}
