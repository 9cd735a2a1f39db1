import { dirname, join, resolve } from "@std/path";
import { paths } from "../config/mod.ts";
import { readIfThere } from "./card.ts";
import { writeJson } from "./checkpoint.ts";

/** `owner/name` on the Hugging Face hub, with an optional revision after "@". */
const HUB_ID = /^([A-Za-z0-9][\w.-]*)\/([A-Za-z0-9][\w.-]*?)(?:@([\w.\/-]+))?$/;

/** Written into a folder of the hub's files once all of them are there. */
const MARKER = "lab_download.json";

/**
 * The folder of a checkpoint or adapter that a user named: a local folder (from the working directory or the
 * repository), or `owner/name[@revision]` on the hub. The latter is downloaded once, to data/local/models, and used
 * from there without asking the hub again; delete its folder to fetch it anew.
 * @param modelsDir where downloads lie.
 * @throws if it is neither, naming the places that were looked at; the reason of `signal`, which ends the download.
 */
export async function resolveModel(
  name: string,
  { modelsDir = join(paths.local, "models"), signal }: { modelsDir?: string; signal?: AbortSignal } = {},
): Promise<string> {
  if (!name) throw new Error('Expected a model folder or a hub id "owner/name", found an empty name.');
  const candidates = [...new Set([resolve(name), resolve(paths.root, name)])];
  for (const dir of candidates) if (await isFolder(dir)) return dir;
  const hub = HUB_ID.exec(name);
  // "data/nano" looks like a hub id; where its first part is a folder here, a local one was meant.
  const local = await Promise.all(candidates.map((dir) => isFolder(dirname(dir))));
  if (!hub || local.includes(true)) {
    throw new Error(
      `Expected a model folder or a hub id "owner/name", found "${name}": there is no folder ${
        candidates.join(" or ")
      }. Check the spelling.`,
    );
  }
  const [, owner, repo, revision = "main"] = hub;
  const dir = join(modelsDir, `${owner}--${repo}@${revision.replaceAll("/", "--")}`);
  if (await readIfThere(join(dir, MARKER)) !== null) return dir;
  const { downloadHubModel } = await import("../download/mod.ts");
  const { commit } = await downloadHubModel(`${owner}/${repo}`, revision, dir, { signal });
  await writeJson(join(dir, MARKER), { repo: `${owner}/${repo}`, revision, commit });
  return dir;
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isDirectory;
  } catch {
    return false;
  }
}
