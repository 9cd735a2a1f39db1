import { join } from "@std/path";
import { type HubListing, type HubRequest, listHub } from "./hub.ts";
import type { DatasetManifest, Source } from "./manifest.ts";
import type { Receipt } from "./receipt.ts";
import { lackOf } from "./state.ts";

/** One file to fetch. */
export interface Wanted {
  source: Source;
  path: string;
  url: string;
  size?: number;
  sha256?: string;
  gitOid?: string;
  headers?: Record<string, string>;
}

/** The manifest's files by name, hub repositories listed at the commit of the first download. */
export async function filesOf(
  manifest: DatasetManifest,
  receipt: Receipt,
  options: HubRequest,
): Promise<Wanted[]> {
  const listings = new Map<string, HubListing>(), files: Wanted[] = [];
  for (const source of manifest.files) {
    const own = { source, size: source.bytes ?? undefined, sha256: source.sha256 ?? undefined };
    if ("url" in source) {
      files.push({ ...own, path: source.path, url: source.url });
      continue;
    }
    const key = `${source.hub}@${source.revision}`, repo = { type: "dataset", name: source.hub } as const;
    const patterns = manifest.files.filter((f) => "hub" in f && `${f.hub}@${f.revision}` === key).map((f) =>
      f.path
    );
    const listing = listings.get(key) ??
      await listHub(repo, receipt.commits[key] ?? source.revision, patterns, options);
    listings.set(key, listing);
    receipt.commits[key] = listing.commit;
    const fits = new RegExp(`^${source.path.split("*").map(RegExp.escape).join(".*")}$`);
    for (const { name, url, size, sha256, gitOid } of listing.files) {
      if (!fits.test(name)) continue;
      if (own.sha256 && sha256 && own.sha256 !== sha256) {
        throw new Error(
          `${source.hub}: ${name} has the SHA-256 ${sha256}, ${own.sha256} was expected: it changed.`,
        );
      }
      files.push({
        source,
        path: name,
        url,
        size,
        sha256: sha256 ?? own.sha256,
        gitOid,
        headers: listing.headers,
      });
    }
  }
  return files;
}

/** Whether a file came already and is where it was put; then traces of its way are removed. */
export async function isDone({ path, source }: Wanted, dir: string, receipt: Receipt): Promise<boolean> {
  if (await lackOf(path, dir, receipt) !== null) return false;
  const { unpack } = source;
  const traces = [`${path}.part`, `${path}.part.json`, ...(unpack ? [path, `${unpack.into}.tmp`] : [])];
  for (const trace of traces) await Deno.remove(join(dir, trace), { recursive: true }).catch(() => {});
  return true;
}
