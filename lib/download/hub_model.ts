import { join } from "@std/path";
import { type DownloadedFile, downloadFile } from "./file.ts";
import { explainHub, type HubRequest, listHub } from "./hub.ts";
import { inLanes } from "./lanes.ts";
import { requireSpace } from "./space.ts";

/** How a model is fetched. */
export interface HubOptions extends HubRequest {
  /** File names or patterns with `*` (any characters), for example `["config.json", "*.safetensors"]`; default: all. */
  files?: string[];
  /** Called with the bytes of a file as they come. */
  onProgress?: (progress: { file: string; received: number; total: number; filesLeft: number }) => void;
}

/** A model that was fetched. */
export interface HubDownload {
  /** Id of the repository. */
  repo: string;
  /** The commit that `revision` named when the download began; all files are of this commit. */
  commit: string;
  /** Folder of its files. */
  dir: string;
  /** Its files. */
  files: (DownloadedFile & { name: string })[];
}

/**
 * Downloads a model repository (or some of its files) of the Hugging Face hub at one commit into `dir`. Every file is
 * resumable and verified: large ones by the SHA-256 of their LFS pointer, small ones by their git blob id. What is there
 * and whole is not fetched again. `HF_ENDPOINT` and `HF_TOKEN` as for {@link listHub}.
 *
 * @param revision branch, tag or commit.
 * @throws Error saying which licence page to accept for a gated model, which repository or revision is unknown, which
 * pattern matches no file, or how much disk space is missing (before anything is fetched).
 */
export async function downloadHubModel(
  repo: string,
  revision: string,
  dir: string,
  options: HubOptions = {},
): Promise<HubDownload> {
  const model = { type: "model", name: repo } as const;
  const { commit, files: wanted, headers } = await listHub(model, revision, options.files, options);
  let needed = 0;
  for (const { name, size } of wanted) {
    const path = join(dir, name);
    const there = await Deno.stat(path).catch(() => Deno.stat(`${path}.part`)).catch(() => null);
    needed += Math.max(0, size - (there?.size ?? 0));
  }
  await requireSpace(dir, needed, "to be downloaded");
  const files: HubDownload["files"] = new Array(wanted.length);
  let filesLeft = wanted.length;
  try {
    await inLanes(wanted, options.signal, async ({ name, url, size, sha256, gitOid }, i, signal) => {
      const file = await downloadFile(url, join(dir, name), {
        size,
        sha256,
        gitOid,
        headers,
        signal,
        retry: options.retry,
        onProgress: ({ received }) => options.onProgress?.({ file: name, received, total: size, filesLeft }),
      });
      filesLeft--;
      files[i] = { ...file, name };
    });
  } catch (error) {
    throw explainHub(error, model, revision);
  }
  return { repo, commit, dir, files };
}
