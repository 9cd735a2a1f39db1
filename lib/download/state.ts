import { join } from "@std/path";
import type { DatasetManifest } from "./manifest.ts";

export type DatasetState = "absent" | "partial" | "ready";

/** What of a data set lies in its folder. Only names are looked at. */
export interface FolderCheck {
  state: DatasetState;
  /** What is missing, in words: "imgs/ with 642 files (it has 12)". */
  missing: string[];
}

/** Files that are about a data set, not of it. */
const OWN = ["receipt.json", "receipt.json.tmp", "licence.txt", ".lock"];

/** Compares the folder `dir` with what the manifest says it must hold; traces of an unfinished download count as missing. */
export async function checkFolder(manifest: DatasetManifest, dir: string): Promise<FolderCheck> {
  const missing: string[] = [];
  for (const { any, files } of manifest.holds) {
    const found = await firstOf(any.map((path) => join(dir, path)));
    if (found === null) missing.push(any.join(" or "));
    else if (files !== undefined) {
      const there = await countFiles(found);
      if (there < files) missing.push(`${any.join(" or ")} with ${files} files (it has ${there})`);
    }
  }
  for (const { path, unpack } of manifest.files) {
    const traces = unpack ? [path, `${path}.part`, `${unpack.into}.tmp`] : [`${path}.part`];
    if (await firstOf(traces.map((trace) => join(dir, trace)))) missing.push(`the rest of ${path}`);
  }
  const state = missing.length === 0 ? "ready" : (await isEmpty(dir)) ? "absent" : "partial";
  return { state, missing };
}

async function firstOf(paths: readonly string[]): Promise<string | null> {
  for (const path of paths) if (await Deno.stat(path).catch(() => null)) return path;
  return null;
}

/** Whole files in a folder and its folders; 1 for a file. */
async function countFiles(path: string): Promise<number> {
  if (!(await Deno.stat(path)).isDirectory) return 1;
  let count = 0;
  for await (const entry of Deno.readDir(path)) {
    if (entry.isDirectory) count += await countFiles(join(path, entry.name));
    else if (!/\.(part|part\.json|tmp)$/.test(entry.name)) count++;
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
