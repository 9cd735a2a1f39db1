import { statfs } from "node:fs/promises";
import { makeFolder } from "../config/mod.ts";

/** Bytes that can still be written into the folder `dir`, which must exist. */
export async function freeBytes(dir: string): Promise<number> {
  const { bavail, bsize } = await statfs(dir);
  return bavail * bsize;
}

/** @throws before anything is fetched, when `dir` has fewer than `needed` bytes free */
export async function requireSpace(dir: string, needed: number, what: string): Promise<void> {
  await makeFolder(dir);
  const free = await freeBytes(dir);
  if (needed <= free) return;
  const gib = (bytes: number) => (bytes / 2 ** 30).toFixed(2);
  throw new Error(`${dir} has ${gib(free)} GiB free, ${gib(needed)} GiB are ${what}: make room first.`);
}
