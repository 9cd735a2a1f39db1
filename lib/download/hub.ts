import { datasetInfo, HubApiError, listFiles, modelInfo } from "@huggingface/hub";
import { backoff, guardedFetch, HttpError, isTransient, pause, plainError, retryAfter } from "./http.ts";

/** A repository of the Hugging Face hub: `name` is `owner/name`. */
export interface HubRepo {
  type: "model" | "dataset";
  name: string;
}

/** A file of a repository at one commit, with what the hub says of it. */
export interface HubFile {
  name: string;
  url: string;
  size: number;
  /** Large files have the SHA-256 of their LFS pointer, small ones their git blob id. */
  sha256?: string;
  gitOid?: string;
}

export interface HubListing {
  /** The commit that the revision named when the repository was listed; all files are of this commit. */
  commit: string;
  files: HubFile[];
  /** What a request for a file carries: `HF_TOKEN`, when set. */
  headers: Record<string, string>;
}

/** How requests to the hub are made. */
export interface HubRequest {
  signal?: AbortSignal;
  /** As for `downloadFile`. */
  retry?: { attempts: number; baseDelayMs: number };
}

const hubAddress = () => (Deno.env.get("HF_ENDPOINT") || "https://huggingface.co").replace(/\/+$/, "");

/**
 * The files of a repository that fit one of `patterns` (`*` is any characters; default: all), at one commit. `HF_ENDPOINT`
 * names another hub; `HF_TOKEN`, when set, is sent to that host only, and is neither printed nor stored.
 *
 * @param revision branch, tag or commit.
 * @throws Error as {@link explainHub} makes it, or naming a pattern that fits no file
 */
export async function listHub(
  repo: HubRepo,
  revision: string,
  patterns: readonly string[] | undefined,
  options: HubRequest = {},
): Promise<HubListing> {
  const hub = hubAddress(), token = Deno.env.get("HF_TOKEN") || undefined;
  try {
    const common = { hubUrl: hub, fetch: hubFetch(options), ...(token ? { accessToken: token } : {}) };
    const asked = { name: repo.name, revision, additionalFields: ["sha" as const], ...common };
    const { sha } = repo.type === "model" ? await modelInfo(asked) : await datasetInfo(asked);
    const files: HubFile[] = [];
    for await (const entry of listFiles({ repo, revision: sha, recursive: true, ...common })) {
      if (entry.type !== "file") continue;
      const path = entry.path.split("/").map(encodeURIComponent).join("/");
      files.push({
        name: entry.path,
        url: `${hub}/${repo.type === "dataset" ? "datasets/" : ""}${repo.name}/resolve/${sha}/${path}`,
        size: entry.lfs?.size ?? entry.size,
        sha256: entry.lfs?.oid,
        gitOid: entry.lfs ? undefined : entry.oid,
      });
    }
    return {
      commit: sha,
      files: select(files, patterns, `${repo.name} at ${revision}`),
      headers: token ? { authorization: `Bearer ${token}` } : {},
    };
  } catch (error) {
    throw explainHub(error, repo, revision);
  }
}

/** The hub client's own requests get the same care as the files: guarded redirects and retries. */
function hubFetch(options: HubRequest): typeof fetch {
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
      await pause(wait, options.signal);
    }
  };
}

function select(listed: HubFile[], patterns: readonly string[] | undefined, where: string): HubFile[] {
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

/** Turns the hub's refusals into what a person has to do. The token appears in no message. */
export function explainHub(error: unknown, repo: HubRepo, revision: string): unknown {
  const hub = hubAddress(), page = `${hub}/${repo.type === "dataset" ? "datasets/" : ""}${repo.name}`;
  const status = error instanceof HubApiError
    ? error.statusCode
    : error instanceof HttpError
    ? error.status
    : undefined;
  if (status === 401 || status === 403) {
    const token = Deno.env.get("HF_TOKEN")
      ? "HF_TOKEN is set, but its account has not accepted the licence, or the token may not read gated repositories"
      : "HF_TOKEN is not set";
    return new Error(
      `${repo.name} is gated, private or unknown (${status}): sign in, accept its licence at ${page}, make a ` +
        `read token at ${hub}/settings/tokens and set it as HF_TOKEN (${token}).`,
      { cause: error },
    );
  }
  if (status === 404) {
    return new Error(
      `${repo.name} at revision "${revision}" was not found on ${hub}: check the spelling of both.`,
      { cause: error },
    );
  }
  if (error instanceof HubApiError) {
    return new Error(`${page}: the hub answered ${status}; try again later.`, { cause: error });
  }
  if (error instanceof TypeError) { // what fetch throws when no connection comes about
    return new Error(
      `${hub} could not be reached (${error.message}): check the network, or set HF_ENDPOINT.`,
      {
        cause: error,
      },
    );
  }
  return plainError(error);
}
