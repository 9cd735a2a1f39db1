import { HubApiError, listFiles, modelInfo } from "@huggingface/hub";
import { statfs } from "node:fs/promises";
import { join } from "@std/path";
import { type DownloadedFile, downloadFile } from "./file.ts";
import { backoff, guardedFetch, HttpError, isTransient, retryAfter } from "./http.ts";

export interface HubOptions {
  /** File names or patterns with `*` (any characters), for example `["config.json", "*.safetensors"]`; default: all. */
  files?: string[];
  onProgress?: (progress: { file: string; received: number; total: number; filesLeft: number }) => void;
  signal?: AbortSignal;
  /** As for `downloadFile`. */
  retry?: { attempts: number; baseDelayMs: number };
}

export interface HubDownload {
  repo: string;
  /** The commit that `revision` named when the download began; all files are of this commit. */
  commit: string;
  dir: string;
  files: (DownloadedFile & { name: string })[];
}

interface Wanted {
  name: string;
  size: number;
  sha256?: string;
  gitOid?: string;
}

/** Files fetched at the same time: enough to hide latency, few enough for the hub's limits. */
const LANES = 4;

/**
 * Downloads a model repository (or some of its files) of the Hugging Face hub at one commit into `dir`. Every file is
 * resumable and verified: large ones by the SHA-256 of their LFS pointer, small ones by their git blob id. What is there
 * and whole is not fetched again. `HF_ENDPOINT` names another hub; `HF_TOKEN`, when set, is sent to that host only, and
 * is neither printed nor stored.
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
  const hub = (Deno.env.get("HF_ENDPOINT") || "https://huggingface.co").replace(/\/+$/, "");
  const token = Deno.env.get("HF_TOKEN") || undefined;
  try {
    const fetch = hubFetch(options);
    const access = token ? { accessToken: token } : {};
    const info = await modelInfo({
      name: repo,
      revision,
      hubUrl: hub,
      fetch,
      additionalFields: ["sha"],
      ...access,
    });
    const listed: Wanted[] = [];
    for await (
      const entry of listFiles({ repo, revision: info.sha, recursive: true, hubUrl: hub, fetch, ...access })
    ) {
      if (entry.type !== "file") continue;
      listed.push({
        name: entry.path,
        size: entry.lfs?.size ?? entry.size,
        sha256: entry.lfs?.oid,
        gitOid: entry.lfs ? undefined : entry.oid,
      });
    }
    const wanted = select(listed, options.files, `${repo} at ${revision}`);
    await checkSpace(wanted, dir);
    const headers: Record<string, string> = token ? { authorization: `Bearer ${token}` } : {};
    const files = await fetchFiles(wanted, { hub, repo, commit: info.sha, dir, headers, options });
    return { repo, commit: info.sha, dir, files };
  } catch (error) {
    throw explain(error, { repo, revision, hub, token });
  }
}

/** The hub client's own requests get the same care as the files: guarded redirects and retries. */
function hubFetch(options: HubOptions): typeof fetch {
  const { attempts, baseDelayMs } = options.retry ?? { attempts: 6, baseDelayMs: 500 };
  return async (input, init) => {
    for (let attempt = 1;; attempt++) {
      let wait = backoff(attempt, baseDelayMs);
      try {
        const url = input instanceof Request ? input.url : input;
        const response = await guardedFetch(url, { ...init, signal: options.signal });
        if (!isTransient(response.status) || attempt >= attempts) return response;
        wait = retryAfter(response) ?? wait;
        await response.body?.cancel();
      } catch (error) {
        options.signal?.throwIfAborted();
        if (!(error instanceof TypeError) || attempt >= attempts) throw error;
      }
      await new Promise((resolve) => setTimeout(resolve, wait));
    }
  };
}

function select(listed: Wanted[], patterns: string[] | undefined, where: string): Wanted[] {
  for (const { name } of listed) {
    if (name.split(/[\\/]/).includes("..") || /^([\\/]|[A-Za-z]:)/.test(name)) {
      throw new Error(`${where} lists a file outside its own folder ("${name}"): refused.`);
    }
  }
  if (!patterns) return listed;
  const tests = patterns.map((pattern) =>
    new RegExp("^" + pattern.split("*").map((s) => s.replace(/[\\^$.|?+()[\]{}]/g, "\\$&")).join(".*") + "$")
  );
  tests.forEach((test, i) => {
    if (!listed.some(({ name }) => test.test(name))) {
      throw new Error(
        `${where} has no file "${patterns[i]}"; it has ${listed.map((f) => f.name).join(", ") || "none"}.`,
      );
    }
  });
  return listed.filter(({ name }) => tests.some((test) => test.test(name)));
}

async function checkSpace(wanted: Wanted[], dir: string): Promise<void> {
  await Deno.mkdir(dir, { recursive: true });
  let needed = 0;
  for (const { name, size } of wanted) {
    const path = join(dir, name);
    const there = await Deno.stat(path).catch(() => Deno.stat(`${path}.part`)).catch(() => null);
    needed += Math.max(0, size - (there?.size ?? 0));
  }
  const { bavail, bsize } = await statfs(dir);
  const free = bavail * bsize;
  if (needed > free) {
    const gib = (bytes: number) => (bytes / 2 ** 30).toFixed(2);
    throw new Error(
      `${dir} has ${gib(free)} GiB free, ${gib(needed)} GiB are to be downloaded: make room first.`,
    );
  }
}

async function fetchFiles(
  wanted: Wanted[],
  to: {
    hub: string;
    repo: string;
    commit: string;
    dir: string;
    headers: Record<string, string>;
    options: HubOptions;
  },
): Promise<(DownloadedFile & { name: string })[]> {
  const { onProgress, retry } = to.options;
  const done: (DownloadedFile & { name: string })[] = new Array(wanted.length);
  const stop = new AbortController(); // one failure ends the other lanes
  const signal = to.options.signal ? AbortSignal.any([to.options.signal, stop.signal]) : stop.signal;
  let next = 0, filesLeft = wanted.length;
  const lane = async () => {
    while (next < wanted.length) {
      const i = next++;
      const { name, size, sha256, gitOid } = wanted[i];
      const url = `${to.hub}/${to.repo}/resolve/${to.commit}/${
        name.split("/").map(encodeURIComponent).join("/")
      }`;
      const file = await downloadFile(url, join(to.dir, name), {
        size,
        sha256,
        gitOid,
        headers: to.headers,
        signal,
        retry,
        onProgress: ({ received }) => onProgress?.({ file: name, received, total: size, filesLeft }),
      });
      filesLeft--;
      done[i] = { ...file, name };
    }
  };
  const lanes = Array.from({ length: LANES }, () =>
    lane().catch((error) => {
      stop.abort(error);
      throw error;
    }));
  const results = await Promise.allSettled(lanes);
  const first = results.find((r) => r.status === "rejected");
  if (first) throw stop.signal.aborted ? stop.signal.reason : first.reason;
  return done;
}

/** Turns the hub's refusals into what a person has to do. The token appears in no message. */
function explain(
  error: unknown,
  at: { repo: string; revision: string; hub: string; token: string | undefined },
): unknown {
  const status = error instanceof HubApiError
    ? error.statusCode
    : error instanceof HttpError
    ? error.status
    : undefined;
  if (status === 401 || status === 403) {
    const token = at.token
      ? "HF_TOKEN is set, but its account has not accepted the licence, or the token may not read gated repositories"
      : "HF_TOKEN is not set";
    return new Error(
      `${at.repo} is gated, private or unknown (${status}): sign in, accept its licence at ${at.hub}/${at.repo}, make a ` +
        `read token at ${at.hub}/settings/tokens and set it as HF_TOKEN (${token}).`,
      { cause: error },
    );
  }
  if (status === 404) {
    return new Error(
      `${at.repo} at revision "${at.revision}" was not found on ${at.hub}: check the spelling of both.`,
      { cause: error },
    );
  }
  return error;
}
