import { join } from "@std/path";
import type { DatasetManifest } from "./manifest.ts";
import { readReceipt, type Receipt } from "./receipt.ts";

/** Not there, begun, or complete. */
export type DatasetState = "absent" | "partial" | "ready";

/** Files that are about a data set, not of it. */
const OWN = ["receipt.json", "receipt.json.tmp", "licence.txt", ".lock"];

/**
 * Compares the folder `dir` with what the manifest says it must hold and with the receipt of its download. Only names and
 * lengths are looked at: an empty file is none. Traces of an unfinished download count as missing.
 *
 * @returns how far the data set is, and what is missing, in words: "imgs/ with 642 files (it has 12)"
 */
export async function checkFolder(
  manifest: DatasetManifest,
  dir: string,
): Promise<{ state: DatasetState; missing: string[] }> {
  const missing = new Set<string>(), receipt = await readReceipt(dir);
  for (const { any, files } of manifest.holds) {
    const found = await firstOf(any.map((path) => join(dir, path)));
    if (found === null) missing.add(any.join(" or "));
    else if (await isEmptyFile(found)) missing.add(`${any.join(" or ")} (it is empty)`);
    else if (files !== undefined) {
      const there = await countFiles(found, files);
      if (there < files) missing.add(fewFiles(any.join(" or "), files, there));
    }
  }
  for (const path of receipt.wanted) {
    const lack = await lackOf(path, dir, receipt);
    if (lack !== null) missing.add(lack);
  }
  for (const { path, unpack } of manifest.files) {
    const traces = unpack ? [path, `${path}.part`, `${unpack.into}.tmp`] : [`${path}.part`];
    if (await firstOf(traces.map((trace) => join(dir, trace)))) missing.add(`the rest of ${path}`);
  }
  const state = missing.size === 0 ? "ready" : (await isEmpty(dir)) ? "absent" : "partial";
  return { state, missing: [...missing] };
}

/** What lacks of a file that was wanted, in words; null when it is where it was put, with its length or its files. */
export async function lackOf(path: string, dir: string, receipt: Receipt): Promise<string | null> {
  const entry = receipt.files[path];
  if (!entry) return path;
  const place = entry.unpacked?.into ?? path;
  const info = await Deno.stat(join(dir, place)).catch(() => null);
  if (info === null) return place;
  if (entry.unpacked) {
    const there = await countFiles(join(dir, place), entry.unpacked.files);
    return there < entry.unpacked.files ? fewFiles(place, entry.unpacked.files, there) : null;
  }
  return info.size === entry.bytes ? null : `${path} with ${entry.bytes} bytes (it has ${info.size})`;
}

const fewFiles = (path: string, expected: number, there: number): string =>
  `${path} with ${expected} files (it has ${there})`;

async function firstOf(paths: readonly string[]): Promise<string | null> {
  for (const path of paths) if (await Deno.stat(path).catch(() => null)) return path;
  return null;
}

async function isEmptyFile(path: string): Promise<boolean> {
  const { isFile, size } = await Deno.stat(path);
  return isFile && size === 0;
}

/** Whole files in a folder and its folders, counted up to `enough` at least; 1 for a file. Empty and hidden ones are none. */
async function countFiles(path: string, enough: number): Promise<number> {
  if (!(await Deno.stat(path)).isDirectory) return 1;
  let count = 0;
  for await (const { name, isDirectory } of Deno.readDir(path)) {
    if (isDirectory) count += await countFiles(join(path, name), enough - count);
    else if (!/^\.|\.(part|part\.json|tmp)$/.test(name) && Deno.statSync(join(path, name)).size > 0) count++;
    if (count >= enough) break;
  }
  return count;
}

async function isEmpty(dir: string): Promise<boolean> {
  try {
    for await (const { name } of Deno.readDir(dir)) if (!OWN.includes(name)) return false;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return true;
}
