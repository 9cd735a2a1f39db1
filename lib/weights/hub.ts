import { dirname, join, resolve } from "@std/path";
import { paths } from "../config/mod.ts";

/** `owner/name` on the Hugging Face hub, with an optional revision after "@". */
const HUB_ID = /^([A-Za-z0-9][\w.-]*)\/([A-Za-z0-9][\w.-]*?)(?:@([\w.\/-]+))?$/;

/**
 * The folder of a checkpoint or adapter that a user named: a local folder (from the working directory or the
 * repository), or `owner/name[@revision]` on the hub, which is downloaded to data/local/models on first use.
 * @throws if it is neither, naming both places that were looked at.
 */
export async function resolveModel(name: string): Promise<string> {
  const candidates = [resolve(name), resolve(paths.root, name)];
  for (const dir of candidates) if (await isFolder(dir)) return dir;
  const hub = HUB_ID.exec(name);
  // "data/nano" looks like a hub id; where its first part is a folder here, a local one was meant.
  const local = await Promise.all(candidates.map((dir) => isFolder(dirname(dir))));
  if (!hub || local.includes(true)) {
    throw new Error(
      `Expected a model folder or a hub id "owner/name", found "${name}": there is no folder ${
        [...new Set(candidates)].join(" or ")
      }. Check the spelling.`,
    );
  }
  const [, owner, repo, revision = "main"] = hub;
  const dir = join(paths.local, "models", `${owner}--${repo}@${revision.replaceAll("/", "--")}`);
  const { downloadHubModel } = await import("../download/mod.ts");
  await downloadHubModel(`${owner}/${repo}`, revision, dir);
  return dir;
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isDirectory;
  } catch {
    return false;
  }
}
