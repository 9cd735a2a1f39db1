import { join } from "@std/path";
import { isThere, splitNamed } from "./files.ts";
import { type Split, SPLITS } from "./record.ts";

/** A file of one split of a data set on the hub. */
export interface HubFile {
  split: Split;
  path: string;
}

const HUB_NAME = /^([A-Za-z]+)-(\d{5})-of-(\d{5})(?:-[0-9a-f]+)?\.parquet$/;

/** Whether `dir` or `dir`/data holds parquet files under the hub's names. */
export async function hasHubFiles(dir: string): Promise<boolean> {
  return (await namesIn(join(dir, "data"))).concat(await namesIn(dir)).some((name) => HUB_NAME.test(name));
}

/**
 * The parquet files of a data set from the hub, `{split}-00000-of-00014[-hash].parquet` in `dir`/data or `dir`, by
 * split and number.
 * @throws naming the file that is missing from a split, or the split that is none
 */
export async function hubFiles(dir: string): Promise<HubFile[]> {
  const folder = await isThere(join(dir, "data")) ? join(dir, "data") : dir;
  const found = (await namesIn(folder)).sort().flatMap((name) => {
    const match = name.match(HUB_NAME);
    if (!match) return [];
    const split = splitNamed(match[1]);
    if (!split) throw new Error(`${join(folder, name)}: expected a split's name, found "${match[1]}".`);
    return [{ split, path: join(folder, name), number: Number(match[2]), of: Number(match[3]) }];
  });
  if (found.length === 0) {
    throw new Error(`Expected ${folder}/{split}-00000-of-00001.parquet; no such file is there.`);
  }
  for (const split of SPLITS) {
    const files = found.filter((file) => file.split === split);
    files.forEach((file, k) => {
      if (file.number === k && file.of === files.length) return;
      throw new Error(
        `${file.path}: expected ${file.of} files of ${split} numbered 0 to ${
          file.of - 1
        }, found ${files.length}. ` +
          "Download the missing ones, and keep one version.",
      );
    });
  }
  return SPLITS.flatMap((split) => found.filter((file) => file.split === split))
    .map(({ split, path }) => ({ split, path }));
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return [];
    throw error;
  }
}
