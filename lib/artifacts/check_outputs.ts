import { join } from "@std/path";
import { sha256File, writeFileAtomic } from "../config/mod.ts";
import type { FinishedRun, Manifest } from "./manifest.ts";

/** Beside a run's manifest: which outputs had which hash when they were last read whole. */
const SEEN = ".checked.json";

/** What tells one state of a file from another without reading it. */
const stateOf = (info: Deno.FileInfo): string =>
  [info.ino, info.size, info.mtime?.getTime(), info.ctime?.getTime()].join(":");

/** Remembers that a run's outputs, as they lie in `dir` now, have the hashes of `outputs`. */
export async function rememberChecked(dir: string, outputs: Manifest["outputs"]): Promise<void> {
  const seen: Record<string, string> = {};
  for (const [name, { sha256 }] of Object.entries(outputs)) {
    seen[name] = `${sha256} ${stateOf(await Deno.stat(join(dir, name)))}`;
  }
  await writeFileAtomic(join(dir, SEEN), JSON.stringify(seen) + "\n");
}

async function readSeen(dir: string): Promise<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(await Deno.readTextFile(join(dir, SEEN)));
    return typeof value === "object" && value !== null ? { ...value } : {};
  } catch {
    return {}; // everything is read again
  }
}

/**
 * Compares a run's outputs with what its manifest recorded. A file that has not changed since it was last read is not
 * read again, unless `rehash` asks for it.
 *
 * @returns a sentence, without its full stop, for each output that is missing or damaged
 */
export async function damagedOutputs(
  { manifest, dir }: FinishedRun,
  { rehash = false }: { rehash?: boolean } = {},
): Promise<string[]> {
  const seen = rehash ? {} : await readSeen(dir), problems: string[] = [];
  let read = 0;
  for (const [name, { sha256, bytes }] of Object.entries(manifest.outputs)) {
    const path = join(dir, name);
    const info = await Deno.stat(path).catch(() => null);
    if (!info?.isFile) problems.push(`${path} is missing`);
    else if (info.size !== bytes) problems.push(`${path} is damaged (${info.size} bytes, expected ${bytes})`);
    else if (seen[name] !== `${sha256} ${stateOf(info)}`) {
      read++;
      if (await sha256File(path) !== sha256) {
        problems.push(`${path} is damaged (its SHA-256 is not the one that its manifest recorded)`);
      }
    }
  }
  if (read > 0 && problems.length === 0) {
    await rememberChecked(dir, manifest.outputs).catch(() => {}); // a results folder that is not ours: read again next time
  }
  return problems;
}
