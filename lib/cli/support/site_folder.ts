import { exists, walk } from "@std/fs";
import { basename, dirname, join } from "@std/path";
import { diskError, makeFolder } from "../../config/mod.ts";

/** What the index of each site has in it, and other pages do not. */
const MARK = '<meta name="generator" content="RadVQA Lab site">';

/** Whether a folder may be replaced: it is not there, empty, or a site made here. */
async function isReplaceable(folder: string): Promise<boolean> {
  if (!await exists(folder)) return true;
  if (!(await Deno.stat(folder)).isDirectory) return false;
  const index = join(folder, "index.html");
  if (await exists(index)) return (await Deno.readTextFile(index)).includes(MARK);
  for await (const _ of Deno.readDir(folder)) return false;
  return true;
}

/** Milliseconds after which a site that was never finished is taken for a dead process's. */
const ABANDONED = 86_400_000;
const UUID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}";

/** Removes what killed processes left beside a site's place. */
async function removeAbandoned(out: string): Promise<void> {
  const left = new RegExp(`^\\.${RegExp.escape(basename(out))}-${UUID}$`);
  for await (const { name } of Deno.readDir(dirname(out))) {
    if (!left.test(name)) continue;
    const path = join(dirname(out), name), { mtime } = await Deno.stat(path);
    if (mtime && Date.now() - mtime.getTime() > ABANDONED) await Deno.remove(path, { recursive: true });
  }
}

/**
 * Writes a site beside its place and puts it there whole; what was there stays until then.
 *
 * @param write fills an empty folder
 * @param open whether others than this user may read it, as the umask says
 * @returns number of files and their bytes
 * @throws Error, one sentence, when there is something else than a site in its place, or the disk is full or read-only
 */
export async function replaceSite(
  out: string,
  { write, open }: { write: (folder: string) => Promise<void>; open: boolean },
): Promise<{ files: number; bytes: number }> {
  if (!await isReplaceable(out)) {
    throw new Error(`${out} is there and was not made by ./lab site: name another folder with --out.`);
  }
  await makeFolder(dirname(out));
  await removeAbandoned(out);
  const beside = () => join(dirname(out), `.${basename(out)}-${crypto.randomUUID()}`), partial = beside();
  await makeFolder(partial, open ? {} : { mode: 0o700 });
  let old: string | null = null;
  try {
    await write(partial);
    let files = 0, bytes = 0;
    for await (const { path } of walk(partial, { includeDirs: false })) {
      files++;
      bytes += (await Deno.stat(path)).size;
    }
    if (await exists(out)) {
      old = beside();
      await Deno.rename(out, old);
    }
    await Deno.rename(partial, out);
    return { files, bytes };
  } catch (error) {
    if (old !== null && !await exists(out)) await Deno.rename(old, out).catch(() => {});
    throw diskError(error, out);
  } finally {
    for (const left of [partial, ...old === null ? [] : [old]]) {
      await Deno.remove(left, { recursive: true }).catch(() => {});
    }
  }
}
