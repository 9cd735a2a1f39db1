import { exists } from "@std/fs";
import { basename, join } from "@std/path";
import { z } from "zod";
import { makeFolder, sha256, writeFileAtomic } from "../../config/mod.ts";

/** In the folder of copies: hash of the text that each was copied from. */
const COPIED = ".copied.json";
const Copied = z.record(z.string(), z.string());

/**
 * Copies notebooks to a user's folder. A copy that the user has not changed follows the installation's notebook; one that
 * the user has changed, or run and saved, stays.
 *
 * @returns names of the copies that stay although the installation's notebook is another by now
 */
export async function ownNotebooks(notebooks: readonly string[], folder: string): Promise<string[]> {
  await makeFolder(folder, { mode: 0o700 }); // saved outputs may hold answers about patients' images
  const record = join(folder, COPIED), behind: string[] = [];
  // Damaged, it only says less: what differs from the installation's then counts as changed.
  const copied = Copied.safeParse(await Deno.readTextFile(record).then(JSON.parse).catch(() => ({}))).data ??
    {};
  for (const notebook of notebooks) {
    const name = basename(notebook), own = join(folder, name);
    const text = await Deno.readTextFile(notebook), hash = sha256(text);
    const found = await exists(own) ? sha256(await Deno.readTextFile(own)) : undefined;
    if (found === undefined || found === hash || found === copied[name]) {
      if (found !== hash) await writeFileAtomic(own, text);
      copied[name] = hash;
    } else if (hash !== copied[name]) behind.push(name);
  }
  await writeFileAtomic(record, JSON.stringify(copied, null, 1) + "\n");
  return behind;
}
